"""Activations as operators of their own, and SOFTMAX."""

import numpy as np

from case import case, disputed_tie, every_value, generator
from model import Model
from reference import TFLITE, TFLM


def relu():
    yield _unary("RELU", "equal_quantization", "nothing to rescale", (0.05, 3), (0.05, 3))
    yield _unary("RELU", "rescaled", "differing scales and zero points", (0.05, 3), (0.03, -100))
    yield _unary("RELU", "multiplier_above_1", "left shift", (0.08, 30), (0.03, -128))
    yield _unary("RELU", "zero_point_min", "zero points -128", (0.02, -128), (0.02, -128))
    yield _unary(
        "RELU", "zero_point_max", "output zero point 127: constant", (0.02, 5), (0.03, 127)
    )
    yield _tie("RELU")


def relu6():
    yield _unary("RELU6", "six_in_range", "6 inside the range", (0.05, -20), (0.05, -20))
    yield _unary("RELU6", "six_at_end", "6 at 127", (6 / 255, -128), (6 / 255, -128))
    yield _unary("RELU6", "six_above_range", "6 above 127", (0.01, 100), (0.01, 100))
    yield _unary("RELU6", "coarse", "6 a few steps above zero", (1.1, 17), (1.1, 17))


def relu_n1_to_1():
    special = "no such operator in TFLM"
    yield _unary(
        "RELU_N1_TO_1", "equal_quantization", special, (0.05, 3), (0.05, 3), reference=TFLITE
    )
    yield _unary("RELU_N1_TO_1", "rescaled", special, (0.05, 3), (0.01, -7), reference=TFLITE)
    yield _unary(
        "RELU_N1_TO_1",
        "narrow_output",
        "bounds beyond the range; no such operator in TFLM",
        (0.02, 3),
        (0.004, -90),
        reference=TFLITE,
    )


def leaky_relu():
    for label, special, alpha, source, result in (
        ("equal_quantization", "alpha 0.1", 0.1, (0.05, 3), (0.05, 3)),
        ("rescaled", "alpha 0.3, differing quantizations", 0.3, (0.05, 30), (0.03, -20)),
        (
            "alpha_above_1",
            "alpha 1.5: the negative side is the steeper",
            1.5,
            (0.05, 30),
            (0.06, 40),
        ),
        (
            "alpha_negative",
            "a negative alpha: a negative multiplier",
            -0.4,
            (0.05, 30),
            (0.06, -100),
        ),
        ("alpha_zero", "alpha 0", 0.0, (0.05, 3), (0.05, 3)),
        ("multiplier_above_1", "left shift on both sides", 0.9, (0.2, 3), (0.05, 0)),
        (
            "zero_points_extreme",
            "both zero points 127: no positive values",
            0.01,
            (0.1, 127),
            (0.001, 127),
        ),
    ):
        yield _unary(
            "LEAKY_RELU", label, special, source, result, options="LeakyReluOptions", alpha=alpha
        )
    alpha = np.float32(0.3)
    source, result = disputed_tie(generator("leaky_relu_double_multiplier"), alpha, side=1)
    special = "ties that a multiplier computed in float32 rounds the other way"
    yield _unary(
        "LEAKY_RELU",
        "double_multiplier",
        special,
        (source, 0),
        (result, 0),
        options="LeakyReluOptions",
        alpha=float(alpha),
    )


def hard_swish():
    yield _unary("HARD_SWISH", "small_scale", "inputs inside -3 to 3", (0.02, 3), (0.02, -5))
    yield _unary(
        "HARD_SWISH", "mobilenet", "inputs beyond 3 on both sides", (0.08, -7), (0.045, -119)
    )
    yield _unary(
        "HARD_SWISH", "large_scale", "left shift before the saturation at 3", (0.4, 11), (0.3, -100)
    )
    yield _unary(
        "HARD_SWISH", "tiny_scale", "right shift: inputs far inside -3 to 3", (0.002, 0), (0.002, 0)
    )
    yield _unary(
        "HARD_SWISH", "zero_point_min", "input zero point -128", (0.05, -128), (0.05, -128)
    )
    yield _unary("HARD_SWISH", "zero_point_max", "input zero point 127", (0.05, 127), (0.01, 100))


def logistic():
    for label, special, scale, zero_point in SIGMOID_SCALES:
        yield _unary(
            "LOGISTIC", label, f"input scale {scale}", (scale, zero_point), (1 / 256, -128)
        )


def tanh():
    for label, special, scale, zero_point in SIGMOID_SCALES:
        yield _unary("TANH", label, special, (scale, zero_point), (1 / 128, 0))


SIGMOID_SCALES = (
    ("tiny_scale", "input scale 0.002", 0.002, 5),
    ("small_scale", "input scale 0.0117", 0.0117, -128),
    ("power_of_two", "input scale 1/16", 1 / 16, 0),
    ("ordinary", "input scale 0.05", 0.05, 12),
    ("large_scale", "input scale 0.2", 0.2, 127),
    ("huge_scale", "input scale 20: even zero counts as far below zero", 20.0, -3),
)


def elu():
    yield _unary("ELU", "ordinary", "a table built in float32", (0.05, 3), (0.04, -100))
    yield _unary("ELU", "small_scale", "inputs inside -1 to 1", (0.006, -2), (0.006, -2))
    yield _unary("ELU", "large_scale", "saturates at -1", (0.3, 40), (0.2, -120))


def softmax():
    yield _softmax("two_classes", "rows of two", (4, 2), 0.1)
    yield _softmax("ten_classes", "the usual one", (1, 10), 0.15)
    yield _softmax("single_class", "rows of one: always 127", (3, 1), 0.1)
    yield _softmax("rank_1", "rank 1", (12,), 0.08)
    yield _softmax("rank_3", "rank 3, along the last axis", (2, 3, 7), 0.05)
    yield _softmax("rank_4", "rank 4, along the last axis", (1, 3, 2, 5), 0.3)
    yield _softmax("beta_2", "beta 2", (4, 9), 0.04, beta=2.0)
    yield _softmax("beta_half", "beta 0.5", (4, 9), 0.1, beta=0.5)
    yield _softmax("beta_tenth", "beta 0.1", (4, 9), 0.1, beta=0.1)
    yield _softmax("tiny_scale", "nearly equal results", (2, 20), 0.0005)
    yield _softmax("large_scale", "one winner: the rest is skipped", (4, 12), 4.0)
    yield _softmax("huge_scale", "the multiplier capped at 2^31 - 1", (4, 12), 60.0)
    yield _softmax(
        "long_row", "400 classes; TFLM stops when a row sums up to 512 maxima", (1, 400), 0.03
    )
    yield _softmax("power_of_two", "input scale 1/16", (4, 17), 1 / 16)


def _unary(operator, label, special, source, result, *, reference=TFLM, options=None, **attributes):
    name = f"{operator.lower()}_{label}"
    values = every_value()
    model = Model()
    before = model.tensor(values.shape, *source, name="input")
    after = model.tensor(values.shape, *result, name="output")
    model.operator(operator, [before], [after], options, **attributes)
    return case(name, special, model, [before], [after], [[values]], reference)


def _tie(operator):
    source, result = disputed_tie(generator(f"{operator.lower()}_double_multiplier"))
    special = "ties that a multiplier computed in float32 rounds the other way"
    return _unary(operator, "double_multiplier", special, (source, 0), (result, 0))


def _softmax(label, special, shape, scale, beta=1.0):
    name = f"softmax_{label}"
    model = Model()
    source = model.tensor(shape, scale, 6, name="input")
    result = model.tensor(shape, 1 / 256, -128, name="output")
    model.operator("SOFTMAX", [source], [result], "SoftmaxOptions", beta=beta)
    return case(name, special, model, [source], [result])
