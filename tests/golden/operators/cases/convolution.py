"""CONV_2D."""

from case import case
from model import ACTIVATION_NAMES, NONE, RELU, RELU6, RELU_N1_TO_1, SAME, VALID, Model

from .layer import output_size, parameters


def conv_2d():
    yield _conv("1x1", "pointwise", kernel=(1, 1), channels=(8, 5))
    yield _conv(
        "1x1_single_channel", "one input and one output channel", kernel=(1, 1), channels=(1, 1)
    )
    yield _conv(
        "1x1_stride_2", "pointwise with a stride", kernel=(1, 1), channels=(5, 8), stride=(2, 2)
    )
    yield _conv("3x3_same", "SAME, symmetric padding", channels=(3, 8))
    yield _conv("3x3_valid", "VALID", channels=(3, 8), padding=VALID)
    yield _conv(
        "3x3_same_stride_2_even",
        "SAME on an even size: all padding after",
        channels=(3, 8),
        size=(8, 6),
        stride=(2, 2),
    )
    yield _conv(
        "3x3_same_stride_2_odd",
        "SAME on an odd size: padding on both sides",
        channels=(3, 8),
        size=(9, 7),
        stride=(2, 2),
    )
    yield _conv(
        "3x3_stride_2x1", "stride taller than wide", channels=(3, 5), size=(9, 8), stride=(2, 1)
    )
    yield _conv(
        "3x3_stride_1x3", "stride wider than tall", channels=(5, 3), size=(7, 10), stride=(1, 3)
    )
    yield _conv(
        "3x3_stride_3_valid",
        "stride 3, last rows and columns unread",
        channels=(3, 3),
        size=(11, 11),
        stride=(3, 3),
        padding=VALID,
    )
    yield _conv("2x2_same", "even kernel: padding after only", kernel=(2, 2), channels=(3, 5))
    yield _conv("4x3_same", "even and odd kernel side", kernel=(4, 3), channels=(3, 5))
    yield _conv(
        "10x4_stride_2_same",
        "the first layer of keyword spotting networks",
        kernel=(10, 4),
        channels=(1, 8),
        size=(25, 10),
        stride=(2, 2),
    )
    yield _conv("1x7_same", "one row", kernel=(1, 7), channels=(3, 5), size=(3, 12))
    yield _conv(
        "5x1_valid", "one column", kernel=(5, 1), channels=(3, 5), size=(9, 3), padding=VALID
    )
    yield _conv(
        "kernel_larger_than_input",
        "every window leaves the image",
        kernel=(5, 5),
        channels=(3, 4),
        size=(3, 2),
    )
    yield _conv(
        "kernel_is_input",
        "VALID down to a single position",
        kernel=(6, 5),
        channels=(3, 8),
        size=(6, 5),
        padding=VALID,
    )
    yield _conv(
        "dilation_2_same", "dilation with SAME", channels=(3, 5), size=(9, 9), dilation=(2, 2)
    )
    yield _conv(
        "dilation_2x3_valid",
        "unequal dilation with VALID",
        channels=(3, 5),
        size=(9, 11),
        dilation=(2, 3),
        padding=VALID,
    )
    yield _conv(
        "dilation_3x1_same",
        "dilation in height only",
        channels=(5, 3),
        size=(10, 6),
        dilation=(3, 1),
    )
    yield _conv(
        "channels_17_to_17", "channels that no lane width divides", channels=(17, 17), size=(4, 4)
    )
    yield _conv("channels_5_to_17_1x1", "odd channels, pointwise", kernel=(1, 1), channels=(5, 17))
    yield _conv("channels_1_to_3", "a single input channel", channels=(1, 3))
    yield _conv("batch_2", "two images", channels=(3, 5), batch=2)
    yield _conv(
        "input_zero_point_min",
        "input zero point -128: padding is -128",
        channels=(3, 5),
        input_zero_point=-128,
    )
    yield _conv(
        "input_zero_point_max",
        "input zero point 127: offsets up to -255",
        channels=(3, 5),
        input_zero_point=127,
    )
    yield _conv(
        "output_zero_point_min", "output zero point -128", channels=(3, 5), output_zero_point=-128
    )
    yield _conv(
        "output_zero_point_max", "output zero point 127", channels=(3, 5), output_zero_point=127
    )
    yield _conv(
        "per_tensor", "one weight scale for all channels", channels=(3, 5), per_channel=False
    )
    yield _conv("no_bias", "two inputs, the bias is absent", channels=(3, 5), bias=None)
    yield _conv(
        "no_bias_per_tensor",
        "no bias and one weight scale",
        channels=(3, 5),
        bias=None,
        per_channel=False,
    )
    yield _conv("large_bias", "biases that saturate the output", channels=(3, 5), bias=200_000)
    for activation in (RELU, RELU6, RELU_N1_TO_1):
        label = ACTIVATION_NAMES[activation]
        yield _conv(
            label,
            f"fused {label}",
            channels=(3, 5),
            activation=activation,
            output_zero_point=-20,
            output_scale=0.06,
        )
    yield _conv(
        "relu_zero_point_min",
        "fused relu that clamps nothing: zero point -128",
        channels=(3, 5),
        activation=RELU,
        output_zero_point=-128,
    )
    yield _conv(
        "relu6_above_range",
        "fused relu6 whose 6 lies above 127",
        channels=(3, 5),
        activation=RELU6,
        output_zero_point=90,
        output_scale=0.1,
    )
    yield _conv(
        "shift_zero",
        "multipliers in [1/2, 1): no shift",
        kernel=(1, 1),
        channels=(1, 5),
        bias=60,
        weight_limit=1,
        multipliers=(0.5, 0.6, 0.75, 0.9, 0.999),
    )
    yield _conv(
        "shift_left",
        "multipliers above 1: left shift",
        kernel=(1, 1),
        channels=(1, 4),
        bias=20,
        weight_limit=1,
        multipliers=(1.0, 1.5, 3.25, 40.0),
    )
    yield _conv(
        "shift_far_right",
        "multipliers below 2^-12 beside ordinary ones",
        kernel=(1, 1),
        channels=(8, 4),
        multipliers=(1e-3, 2e-4, 1e-5, 1e-8),
    )
    yield _conv(
        "multiplier_zero",
        "a multiplier below 2^-32, flushed to zero",
        kernel=(1, 1),
        channels=(3, 2),
        multipliers=(1e-11, 1e-3),
    )
    yield _conv("weights_min", "weights of -128", channels=(3, 5), weights=-128)
    yield _conv("weights_zero", "all weights zero: the bias alone", channels=(3, 5), weights=0)
    yield _conv(
        "groups_2", "two groups: the filter has half the input channels", channels=(8, 6), groups=2
    )
    yield _conv(
        "groups_3_stride_2",
        "three groups with a stride",
        channels=(9, 6),
        groups=3,
        stride=(2, 2),
        size=(7, 7),
    )


def _conv(
    label,
    special,
    *,
    kernel=(3, 3),
    channels,
    size=(6, 5),
    stride=(1, 1),
    dilation=(1, 1),
    padding=SAME,
    batch=1,
    groups=1,
    activation=NONE,
    input_zero_point=-7,
    **numbers,
):
    name = f"conv_2d_{label}"
    model = Model()
    source = model.tensor((batch, *size, channels[0]), 0.04, input_zero_point, name="input")
    shape = (channels[1], *kernel, channels[0] // groups)
    weights, scale, zero_point = parameters(name, model, shape, 0, source.scale, **numbers)
    height, width = output_size(size, kernel, stride, dilation, padding)
    result = model.tensor((batch, height, width, channels[1]), scale, zero_point, name="output")
    model.operator(
        "CONV_2D",
        [source, *weights],
        [result],
        "Conv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        dilationHFactor=dilation[0],
        dilationWFactor=dilation[1],
        fusedActivationFunction=activation,
    )
    return case(name, special, model, [source], [result])
