"""TRANSPOSE_CONV."""

from case import case
from model import NONE, RELU, SAME, VALID, Model

from .layer import parameters


def transpose_conv():
    yield _transpose("3x3_stride_2_same", "twofold upscaling", channels=(4, 3))
    yield _transpose(
        "2x2_stride_2_same", "windows that do not overlap", channels=(3, 4), kernel=(2, 2)
    )
    yield _transpose("4x4_stride_2_same", "even kernel", channels=(3, 4), kernel=(4, 4))
    yield _transpose("3x3_stride_1_same", "no upscaling", channels=(3, 4), stride=(1, 1))
    yield _transpose(
        "3x3_stride_2_valid",
        "VALID: the output is larger than the stride says",
        channels=(3, 4),
        padding=VALID,
    )
    yield _transpose(
        "5x3_stride_3x2_valid",
        "unequal kernel and stride",
        channels=(3, 4),
        kernel=(5, 3),
        stride=(3, 2),
        padding=VALID,
    )
    yield _transpose(
        "1x1_stride_2_same", "positions that no window reaches", channels=(3, 4), kernel=(1, 1)
    )
    yield _transpose(
        "2x2_stride_3_same",
        "gaps between the windows",
        channels=(2, 5),
        kernel=(2, 2),
        stride=(3, 3),
    )
    yield _transpose(
        "odd_output",
        "SAME, output one short of stride times input",
        channels=(3, 4),
        shorten=(1, 1),
    )
    yield _transpose("no_bias", "three inputs, the bias is absent", channels=(3, 4), bias=None)
    yield _transpose("per_tensor", "one weight scale", channels=(3, 4), per_channel=False)
    yield _transpose("batch_2", "two images", channels=(2, 3), batch=2)
    yield _transpose("channels_17_to_5", "odd channels", channels=(17, 5), size=(3, 3))
    yield _transpose(
        "zero_points_extreme",
        "input zero point 127, output zero point -128",
        channels=(3, 4),
        input_zero_point=127,
        output_zero_point=-128,
    )
    yield _transpose("relu", "fused relu", channels=(3, 4), activation=RELU)


def _transpose(
    label,
    special,
    *,
    kernel=(3, 3),
    channels,
    size=(4, 3),
    stride=(2, 2),
    padding=SAME,
    batch=1,
    shorten=(0, 0),
    activation=NONE,
    input_zero_point=5,
    **numbers,
):
    name = f"transpose_conv_{label}"
    model = Model()
    extents = [
        n * s - cut if padding == SAME else (n - 1) * s + k
        for n, s, k, cut in zip(size, stride, kernel, shorten)
    ]
    source = model.tensor((batch, *size, channels[0]), 0.05, input_zero_point, name="input")
    shape = (channels[1], *kernel, channels[0])
    weights, scale, zero_point = parameters(name, model, shape, 0, source.scale, **numbers)
    output_shape = (batch, *extents, channels[1])
    result = model.tensor(output_shape, scale, zero_point, name="output")
    model.operator(
        "TRANSPOSE_CONV",
        [model.indices(output_shape), weights[0], source, *weights[1:]],
        [result],
        "TransposeConvOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        fusedActivationFunction=activation,
    )
    return case(name, special, model, [source], [result])
