"""AVERAGE_POOL_2D and MAX_POOL_2D."""

import numpy as np

from case import case, generator, standard_vectors
from model import ACTIVATION_NAMES, NONE, RELU, RELU6, RELU_N1_TO_1, SAME, VALID, Model


def average_pool_2d():
    yield from _shared("AVERAGE_POOL_2D")
    negative = generator("average_pool_2d_negative_sums", "inputs")
    yield _pool(
        "AVERAGE_POOL_2D",
        "negative_sums",
        "negative sums on rounding ties: half away from zero",
        kernel=(2, 2),
        stride=(2, 2),
        size=(8, 8),
        channels=3,
        vectors=[
            [negative.integers(low, high, (1, 8, 8, 3)).astype(np.int8)]
            for low, high in ((-128, 0), (-9, 4), (-3, 3))
        ],
    )
    yield _pool(
        "AVERAGE_POOL_2D",
        "3x3_ties",
        "odd divisors beside the smaller ones of the border",
        kernel=(3, 3),
        channels=5,
        zero_point=-128,
    )


def max_pool_2d():
    yield from _shared("MAX_POOL_2D")


def _shared(operator):
    yield _pool(
        operator,
        "2x2_stride_2",
        "the usual one",
        kernel=(2, 2),
        stride=(2, 2),
        padding=VALID,
        channels=8,
    )
    yield _pool(
        operator,
        "2x2_stride_2_same_odd",
        "border windows cut to a part",
        kernel=(2, 2),
        stride=(2, 2),
        size=(7, 5),
        channels=3,
    )
    yield _pool(operator, "3x3_stride_1_same", "borders on every side", kernel=(3, 3), channels=5)
    yield _pool(
        operator,
        "3x3_stride_2_valid",
        "windows that overlap",
        kernel=(3, 3),
        stride=(2, 2),
        padding=VALID,
        size=(9, 8),
        channels=3,
    )
    yield _pool(
        operator,
        "3x2_stride_1x3",
        "unequal sides and strides",
        kernel=(3, 2),
        stride=(1, 3),
        size=(6, 10),
        channels=3,
    )
    yield _pool(
        operator,
        "global",
        "one window over everything",
        kernel=(6, 7),
        stride=(6, 7),
        padding=VALID,
        size=(6, 7),
        channels=17,
    )
    yield _pool(
        operator,
        "1x1_stride_2",
        "picks every other pixel",
        kernel=(1, 1),
        stride=(2, 2),
        channels=5,
    )
    yield _pool(
        operator,
        "kernel_larger_than_input",
        "SAME with a window beyond the image",
        kernel=(5, 5),
        size=(3, 3),
        channels=2,
    )
    yield _pool(
        operator,
        "25x5_column",
        "a tall window",
        kernel=(25, 5),
        stride=(25, 5),
        padding=VALID,
        size=(25, 5),
        channels=3,
    )
    yield _pool(
        operator, "batch_2", "two images", kernel=(2, 2), stride=(2, 2), channels=3, batch=2
    )
    for activation in (RELU, RELU6, RELU_N1_TO_1):
        label = ACTIVATION_NAMES[activation]
        yield _pool(
            operator,
            label,
            f"fused {label}",
            kernel=(2, 2),
            stride=(2, 2),
            channels=3,
            activation=activation,
            scale=0.06,
            zero_point=-20,
        )


def _pool(
    operator,
    label,
    special,
    *,
    kernel,
    stride=(1, 1),
    padding=SAME,
    size=(6, 6),
    channels,
    batch=1,
    activation=NONE,
    scale=0.05,
    zero_point=4,
    vectors=None,
):
    name = f"{operator.lower()}_{label}"
    extents = [
        -(-n // s) if padding == SAME else (n - k) // s + 1 for n, k, s in zip(size, kernel, stride)
    ]
    model = Model()
    source = model.tensor((batch, *size, channels), scale, zero_point, name="input")
    result = model.tensor((batch, *extents, channels), scale, zero_point, name="output")
    model.operator(
        operator,
        [source],
        [result],
        "Pool2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        filterHeight=kernel[0],
        filterWidth=kernel[1],
        fusedActivationFunction=activation,
    )
    return case(
        name, special, model, [source], [result], vectors or standard_vectors(name, [source])
    )
