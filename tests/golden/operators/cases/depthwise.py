"""DEPTHWISE_CONV_2D."""

from case import case
from model import NONE, RELU, RELU6, SAME, VALID, Model

from .layer import output_size, parameters


def depthwise_conv_2d():
    yield _depthwise("3x3_same", "SAME", channels=8)
    yield _depthwise("3x3_valid", "VALID", channels=5, padding=VALID)
    yield _depthwise("3x3_single_channel", "one channel", channels=1)
    yield _depthwise("multiplier_2", "depth multiplier 2", channels=5, multiplier=2)
    yield _depthwise("multiplier_8", "one channel to eight", channels=1, multiplier=8)
    yield _depthwise(
        "multiplier_8_channels_3",
        "depth multiplier 8, three channels",
        channels=3,
        multiplier=8,
        size=(4, 4),
    )
    yield _depthwise(
        "stride_2_same_even",
        "SAME on an even size: all padding after",
        channels=8,
        size=(8, 6),
        stride=(2, 2),
    )
    yield _depthwise(
        "stride_2_same_odd", "SAME on an odd size", channels=8, size=(9, 7), stride=(2, 2)
    )
    yield _depthwise(
        "stride_3_valid", "stride 3", channels=3, size=(11, 10), stride=(3, 3), padding=VALID
    )
    yield _depthwise(
        "dilation_2_same", "dilation with SAME", channels=5, size=(9, 8), dilation=(2, 2)
    )
    yield _depthwise(
        "dilation_4x1_valid",
        "dilation in height only",
        channels=3,
        size=(12, 5),
        dilation=(4, 1),
        padding=VALID,
    )
    for length in (3, 5, 9, 15):
        yield _depthwise(
            f"{length}x1_same",
            "one column: a filter over time",
            kernel=(length, 1),
            channels=5,
            size=(16, 1),
        )
    yield _depthwise(
        "15x1_valid", "one column, VALID", kernel=(15, 1), channels=8, size=(20, 1), padding=VALID
    )
    yield _depthwise("1x5_same", "one row", kernel=(1, 5), channels=3, size=(2, 9))
    yield _depthwise(
        "10x8_stride_2",
        "a large kernel on one channel",
        kernel=(10, 8),
        channels=1,
        multiplier=8,
        size=(20, 12),
        stride=(2, 2),
    )
    yield _depthwise("channels_17", "channels that no lane width divides", channels=17, size=(4, 5))
    yield _depthwise("batch_2", "two images", channels=3, batch=2)
    yield _depthwise("per_tensor", "one weight scale", channels=5, per_channel=False)
    yield _depthwise("no_bias", "the bias is absent", channels=5, bias=None)
    yield _depthwise(
        "zero_points_extreme",
        "input zero point -128, output zero point 127",
        channels=5,
        input_zero_point=-128,
        output_zero_point=127,
    )
    yield _depthwise("relu", "fused relu", channels=5, activation=RELU)
    yield _depthwise(
        "relu6",
        "fused relu6",
        channels=8,
        activation=RELU6,
        output_zero_point=-128,
        output_scale=0.0235,
    )
    yield _depthwise(
        "shift_left",
        "multipliers at and above 1",
        kernel=(1, 1),
        channels=4,
        bias=20,
        weight_limit=1,
        multipliers=(0.7, 1.0, 1.5, 9.0),
    )


def _depthwise(
    label,
    special,
    *,
    kernel=(3, 3),
    channels,
    multiplier=1,
    size=(6, 5),
    stride=(1, 1),
    dilation=(1, 1),
    padding=SAME,
    batch=1,
    activation=NONE,
    input_zero_point=11,
    **numbers,
):
    name = f"depthwise_conv_2d_{label}"
    model = Model()
    source = model.tensor((batch, *size, channels), 0.03, input_zero_point, name="input")
    shape = (1, *kernel, channels * multiplier)
    weights, scale, zero_point = parameters(name, model, shape, 3, source.scale, **numbers)
    height, width = output_size(size, kernel, stride, dilation, padding)
    result = model.tensor((batch, height, width, shape[3]), scale, zero_point, name="output")
    model.operator(
        "DEPTHWISE_CONV_2D",
        [source, *weights],
        [result],
        "DepthwiseConv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        depthMultiplier=multiplier,
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        fusedActivationFunction=activation,
    )
    return case(name, special, model, [source], [result])
