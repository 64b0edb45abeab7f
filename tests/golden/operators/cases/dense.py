"""FULLY_CONNECTED."""

import numpy as np

from case import case, disputed_tie, generator
from model import ACTIVATION_NAMES, NONE, RELU, RELU6, RELU_N1_TO_1, Model


def fully_connected():
    yield _dense("per_tensor", "one weight scale")
    yield _dense("per_channel", "a weight scale per output", per_channel=True)
    yield _dense("single_output", "one output", shape=(1, 20))
    yield _dense("single_input", "one input", shape=(7, 1))
    yield _dense("odd_17_to_33", "sizes that no lane width divides", shape=(33, 17))
    yield _dense("no_bias", "two inputs, the bias is absent", bias=False)
    yield _dense("optional_bias", "three inputs, the third is -1", bias=None)
    yield _dense("batch_3", "three rows", rows=(3,))
    yield _dense("rank_3_flattened", "rank 3 input, rank 2 output", rows=(2, 3))
    yield _dense("keep_num_dims", "rank 3 input and output", rows=(2, 3), keep_num_dims=True)
    yield _dense(
        "keep_num_dims_rank_4", "rank 4 input and output", rows=(1, 2, 3), keep_num_dims=True
    )
    yield _dense(
        "image_input",
        "rank 4 input that is one row of the matrix",
        input_shape=(1, 2, 3, 4),
        shape=(5, 24),
    )
    yield _dense("large_depth", "2048 inputs", shape=(3, 2048))
    yield _dense(
        "zero_points_extreme",
        "input zero point -128, output zero point 127",
        zero_points=(-128, 127),
    )
    yield _dense("multiplier_above_1", "left shift", weight_limit=1, multiplier=2.75, shape=(9, 3))
    yield _dense(
        "multiplier_1", "a multiplier of exactly one", weight_limit=1, multiplier=1.0, shape=(9, 3)
    )
    for activation in (RELU, RELU6, RELU_N1_TO_1):
        label = ACTIVATION_NAMES[activation]
        yield _dense(
            label, f"fused {label}", activation=activation, zero_points=(4, -30), output_scale=0.05
        )
    yield _double_product()


def _dense(
    label,
    special,
    *,
    shape=(10, 16),
    rows=(1,),
    input_shape=None,
    keep_num_dims=False,
    per_channel=False,
    bias=True,
    activation=NONE,
    zero_points=(-3, 5),
    weight_limit=127,
    multiplier=None,
    output_scale=None,
):
    name = f"fully_connected_{label}"
    rng = generator(name)
    outputs, depth = shape
    input_scale = 0.05
    scales = 2.0 ** rng.uniform(-9, -7, outputs if per_channel else 1)
    if multiplier is not None:
        output_scale = input_scale
        scales = np.full(1, multiplier)
    output_scale = output_scale or input_scale * scales.mean() * 74 * 74 * np.sqrt(depth) / 50
    scales = scales.astype(np.float32)

    model = Model()
    source = model.tensor(input_shape or (*rows, depth), input_scale, zero_points[0], name="input")
    values = rng.integers(-weight_limit, weight_limit + 1, shape).astype(np.int8)
    inputs = [source, model.constant(values, scales, name="weights")]
    if bias:
        limit = 20 if multiplier else 4000
        offsets = rng.integers(-limit, limit + 1, outputs).astype(np.int32)
        inputs.append(model.constant(offsets, np.float32(input_scale) * scales, name="bias"))
    elif bias is None:
        inputs.append(None)
    result_shape = (*rows, outputs) if keep_num_dims else (int(np.prod(rows)), outputs)
    result = model.tensor(result_shape, output_scale, zero_points[1], name="output")
    model.operator(
        "FULLY_CONNECTED",
        inputs,
        [result],
        "FullyConnectedOptions",
        keepNumDims=keep_num_dims,
        fusedActivationFunction=activation,
    )
    return case(name, special, model, [source], [result])


def _double_product():
    name = "fully_connected_double_product"
    input_scale = np.float32(0.1)
    weight_scale, output_scale = disputed_tie(generator(name), input_scale)
    model = Model()
    source = model.tensor((128, 1), input_scale, name="input")
    weights = model.constant(np.array([[1], [-1]], np.int8), weight_scale, name="weights")
    result = model.tensor((128, 2), output_scale, name="output")
    model.operator("FULLY_CONNECTED", [source, weights], [result], "FullyConnectedOptions")
    vectors = [
        [np.arange(-128, 0).astype(np.int8).reshape(128, 1)],
        [np.arange(0, 128).astype(np.int8).reshape(128, 1)],
    ]
    return case(
        name,
        "ties that a float32 product of the scales rounds the other way",
        model,
        [source],
        [result],
        vectors,
    )
