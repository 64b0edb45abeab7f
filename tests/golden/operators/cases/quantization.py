"""QUANTIZE and DEQUANTIZE."""

import numpy as np

from case import case, disputed_tie, every_value, generator
from model import Model


def quantize():
    yield _requantize("finer", "to a finer scale: saturates", (0.1, 3), (0.03, -20))
    yield _requantize("coarser", "to a coarser scale", (0.03, 3), (0.1, 40))
    yield _requantize(
        "zero_point_only", "the same scale, another zero point", (0.05, -128), (0.05, 0)
    )
    yield _requantize("identity", "nothing changes", (0.05, 7), (0.05, 7))
    yield _requantize("halves", "a ratio of one half: every other value a tie", (0.05, 0), (0.1, 0))
    yield _requantize("far_coarser", "a ratio of 1/300", (0.01, 100), (3.0, -1))
    tie = disputed_tie(generator("quantize_double_multiplier"))
    yield _requantize(
        "double_multiplier",
        "ties that a multiplier computed in float32 rounds the other way",
        (tie[0], 0),
        (tie[1], 0),
    )
    yield _requantize("uint8_to_int8", "uint8 input", (0.05, 128), (0.05, 0), source_type="uint8")
    yield _requantize("int8_to_uint8", "uint8 output", (0.05, 0), (0.06, 128), result_type="uint8")
    yield _from_float("float", "random values and values beyond the range", 0.05, 3)
    yield _from_float("float_zero_point_min", "zero point -128", 1 / 255, -128)
    yield _from_float("float_power_of_two", "scale 1/8: exact ties, away from zero", 0.125, 0)


def dequantize():
    yield _dequantize("ordinary", "all values", 0.0478, 12)
    yield _dequantize("zero_point_min", "zero point -128", 1 / 256, -128)
    yield _dequantize("large_scale", "scale above 1", 37.123, 127)


def _requantize(label, special, source, result, source_type="int8", result_type="int8"):
    values = every_value()
    if source_type == "uint8":
        values = values.view(np.uint8)
    model = Model()
    before = model.tensor(values.shape, *source, dtype=source_type, name="input")
    after = model.tensor(values.shape, *result, dtype=result_type, name="output")
    model.operator("QUANTIZE", [before], [after], "QuantizeOptions")
    return case(f"quantize_{label}", special, model, [before], [after], [[values]])


def _from_float(label, special, scale, zero_point):
    name = f"quantize_{label}"
    rng = generator(name, "inputs")
    step = np.float32(scale)
    ties = (np.arange(-160, 160) + 0.5).astype(np.float32) * step
    spread = rng.normal(0, 60 * scale, 320).astype(np.float32)
    beyond = rng.uniform(-1e4, 1e4, 320).astype(np.float32)
    beyond[:4] = [0.0, -0.0, 1e-30, -1e-30]
    model = Model()
    before = model.tensor((1, 320), dtype="float32", name="input")
    after = model.tensor((1, 320), scale, zero_point, name="output")
    model.operator("QUANTIZE", [before], [after], "QuantizeOptions")
    vectors = [[values.reshape(1, 320)] for values in (ties, spread, beyond)]
    return case(name, special, model, [before], [after], vectors)


def _dequantize(label, special, scale, zero_point):
    values = every_value()
    model = Model()
    before = model.tensor(values.shape, scale, zero_point, name="input")
    after = model.tensor(values.shape, dtype="float32", name="output")
    model.operator("DEQUANTIZE", [before], [after], "DequantizeOptions")
    return case(f"dequantize_{label}", special, model, [before], [after], [[values]])
