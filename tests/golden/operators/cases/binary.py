"""ADD, SUB, MUL, MAXIMUM and MINIMUM."""

import numpy as np

from case import case, disputed_tie, generator, uniform
from model import ACTIVATION_NAMES, NONE, RELU, RELU6, RELU_N1_TO_1, Model

IMAGE = (1, 4, 3, 5)

# The shapes of both operands, and what their pairing is called.
BROADCASTS = {
    "scalar": (IMAGE, (1,)),
    "scalar_rank_0": (IMAGE, ()),
    "scalar_first": ((1,), IMAGE),
    "channels": (IMAGE, (1, 1, 1, 5)),
    "channels_rank_1": (IMAGE, (5,)),
    "channels_first": ((1, 1, 1, 5), IMAGE),
    "column": ((2, 4, 3, 2), (2, 1, 3, 1)),
    "column_first": ((2, 1, 3, 1), (2, 4, 3, 2)),
    "both": ((1, 4, 1, 5), (1, 1, 3, 1)),
}
SOME_BROADCASTS = ("scalar", "scalar_first", "channels", "column_first", "both")

EQUAL = ((0.05, -3),) * 3
ORDINARY = {
    "ADD": ((0.05, 3), (0.07, -9), (0.08, 12)),
    "SUB": ((0.05, 3), (0.07, -9), (0.08, 12)),
    "MUL": ((0.05, 3), (0.07, -9), (0.3, 12)),
}


def add():
    yield from _arithmetic("ADD")
    yield _tie("ADD")


def sub():
    yield from _arithmetic("SUB")
    yield _tie("SUB")


def mul():
    yield from _arithmetic("MUL")
    yield _tie("MUL")
    special = "product of the scales above the output scale: left shift"
    yield _binary(
        "MUL",
        "multiplier_above_1",
        special,
        shapes=((17,), (17,)),
        quantization=((1.5, 3), (2.0, -1), (1.2, 0)),
        vectors=small_values((17,), (17,)),
    )


def maximum():
    yield from _selection("MAXIMUM")


def minimum():
    yield from _selection("MINIMUM")


def _arithmetic(operator):
    yield _binary(operator, "equal_shapes", "equal shapes")
    yield _binary(operator, "rank_1", "rank 1", shapes=((23,), (23,)))
    yield _binary(operator, "rank_2_batch", "rank 2, several rows", shapes=((3, 7), (3, 7)))
    for label, shapes in BROADCASTS.items():
        if operator == "ADD" or label in SOME_BROADCASTS:
            yield _binary(
                operator, f"broadcast_{label}", f"{shapes[0]} with {shapes[1]}", shapes=shapes
            )
    yield _binary(operator, "constant_second", "the second operand is a constant", constant=1)
    yield _binary(operator, "constant_first", "the first operand is a constant", constant=0)
    yield _binary(
        operator,
        "constant_channels",
        "a constant per channel",
        shapes=BROADCASTS["channels_rank_1"],
        constant=1,
    )
    yield _binary(
        operator,
        "scales_far_apart",
        "operand scales 1000 apart",
        quantization=((0.5, 3), (0.0005, -8), (0.45, -4)),
    )
    yield _binary(
        operator,
        "scales_far_apart_reversed",
        "operand scales 1000 apart, smaller first",
        quantization=((0.0005, 3), (0.5, -8), (0.45, -4)),
    )
    yield _binary(operator, "equal_scales", "all quantizations equal", quantization=EQUAL)
    yield _binary(
        operator,
        "zero_points_extreme",
        "zero points at the ends of the range",
        quantization=((0.02, -128), (0.03, 127), (0.08, 127 if operator == "MUL" else -128)),
    )
    yield _binary(
        operator,
        "coarse_output",
        "output scale 100 times that of the inputs",
        quantization=((0.02, 1), (0.03, 2), (3.0, -5)),
    )
    for activation in (RELU, RELU6, RELU_N1_TO_1):
        label = ACTIVATION_NAMES[activation]
        yield _binary(
            operator,
            label,
            f"fused {label}",
            activation=activation,
            quantization=((0.05, 3), (0.04, -9), (0.06, -20)),
        )


def _selection(operator):
    yield _binary(operator, "equal_shapes", "equal shapes", quantization=EQUAL)
    for label in SOME_BROADCASTS:
        yield _binary(
            operator,
            f"broadcast_{label}",
            f"{BROADCASTS[label][0]} with {BROADCASTS[label][1]}",
            shapes=BROADCASTS[label],
            quantization=EQUAL,
        )
    yield _binary(
        operator,
        "constant",
        "a constant scalar: a clamp",
        shapes=(IMAGE, (1,)),
        constant=1,
        quantization=EQUAL,
    )


def _binary(
    operator,
    label,
    special,
    *,
    shapes=(IMAGE, IMAGE),
    constant=None,
    activation=NONE,
    quantization=None,
    vectors=None,
):
    name = f"{operator.lower()}_{label}"
    quantization = quantization or ORDINARY[operator]
    model = Model()
    operands, inputs = [], []
    for index, (shape, (scale, zero_point)) in enumerate(zip(shapes, quantization)):
        tensor = model.tensor(shape, scale, zero_point, name=f"input{index}")
        if index == constant:
            tensor.data = uniform(generator(name), tensor)
        else:
            inputs.append(tensor)
        operands.append(tensor)
    result = model.tensor(np.broadcast_shapes(*shapes), *quantization[2], name="output")
    _append(model, operator, operands, result, activation)
    return case(name, special, model, inputs, [result], vectors)


def small_values(*shapes):
    """Vectors of values near zero, for multipliers that saturate all others."""
    rng = generator(str(shapes), "inputs")
    return [[rng.integers(-9, 10, shape).astype(np.int8) for shape in shapes] for _ in range(3)]


def _tie(operator):
    """Results on ties, which a multiplier computed in float32 rounds the other way."""
    name = f"{operator.lower()}_double_multiplier"
    model = Model()
    if operator == "MUL":
        other = np.float32(0.1)
        scale, output_scale = disputed_tie(generator(name), other)
    else:
        scale, output_scale = disputed_tie(generator(name))
        other = scale
    quantization = ((scale, 0), (other, 0), (output_scale, 0))
    inputs = [model.tensor((1, 128), *q, name=f"input{i}") for i, q in enumerate(quantization[:2])]
    result = model.tensor((1, 128), *quantization[2], name="output")
    _append(model, operator, inputs, result, NONE)
    low, high = np.arange(-128, 0).astype(np.int8), np.arange(0, 128).astype(np.int8)
    second = np.full(128, 1 if operator == "MUL" else 0, np.int8)
    vectors = [[half.reshape(1, 128), second.reshape(1, 128)] for half in (low, high)]
    special = "ties that a multiplier computed in float32 rounds the other way"
    return case(name, special, model, inputs, [result], vectors)


def _append(model, operator, operands, result, activation):
    if operator in ("MAXIMUM", "MINIMUM"):
        model.operator(operator, operands, [result], "MaximumMinimumOptions")
    else:
        model.operator(
            operator,
            operands,
            [result],
            f"{operator.title()}Options",
            fusedActivationFunction=activation,
        )
