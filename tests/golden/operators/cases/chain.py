"""Graphs of several operators: residuals, branches, shared tensors, reshapes at the edges."""

import numpy as np

from case import generator
from model import RELU, RELU6, VALID

from .builder import Chain


def chains():
    for build in (
        residual,
        branches,
        three_readers,
        in_place,
        reshape_at_edges,
        constant_output,
        input_is_output,
        two_inputs_two_outputs,
        requantized_concatenation,
        pad_then_conv,
        separable,
        float_edges,
        squeeze_excite,
        inner_output,
        unused_result,
        upsampling,
        split_and_join,
        constant_operands,
        long_and_narrow,
    ):
        yield build(Chain(f"chain_{build.__name__}", build.__doc__))


def residual(chain):
    """conv, residual add, relu, pool, fully connected, softmax"""
    image = chain.input((1, 8, 8, 3))
    stem = chain.conv(image, 8, activation=RELU)
    inner = chain.conv(stem, 8)
    total = chain.binary("ADD", stem, inner)
    pooled = chain.pool("AVERAGE_POOL_2D", chain.unary("RELU", total), (2, 2))
    flat = chain.reshape(pooled, (1, 128))
    return chain.case([chain.softmax(chain.dense(flat, 10))])


def branches(chain):
    """three branches of one tensor, concatenated"""
    image = chain.input((1, 6, 6, 4), 0.05, -3)
    same = (0.05, -3)
    parts = [
        chain.conv(image, 3, kernel=(1, 1), quantization=same),
        chain.conv(image, 5, quantization=same),
        chain.pool("MAX_POOL_2D", image, (3, 3), (1, 1)),
    ]
    joined = chain.concatenation(parts, 3)
    return chain.case([chain.conv(joined, 2, kernel=(1, 1))])


def three_readers(chain):
    """one tensor read three times, twice by the same operator"""
    image = chain.input((1, 4, 4, 4))
    shared = chain.conv(image, 4)
    square = chain.binary("MUL", shared, shared)
    return chain.case([chain.binary("SUB", square, shared)])


def in_place(chain):
    """a row of operators that can all work in place"""
    tensor = chain.input((1, 5, 5, 3), 0.05, -10)
    tensor = chain.unary("LEAKY_RELU", tensor, (0.05, -10), options="LeakyReluOptions", alpha=0.2)
    tensor = chain.unary("QUANTIZE", tensor, (0.04, 3))
    tensor = chain.unary("HARD_SWISH", tensor, (0.04, -90))
    tensor = chain.binary("ADD", tensor, chain.constant((3,), (0.02, 5)))
    tensor = chain.reshape(tensor, (1, 75))
    tensor = chain.unary("LOGISTIC", tensor, (1 / 256, -128))
    return chain.case([chain.unary("RELU", tensor, (1 / 256, -128))])


def reshape_at_edges(chain):
    """a reshape reads the input and another writes the output"""
    row = chain.input((1, 96))
    image = chain.reshape(row, (1, 4, 8, 3))
    features = chain.conv(image, 4, activation=RELU6)
    return chain.case([chain.reshape(features, (4, 32))])


def constant_output(chain):
    """a constant is an output beside a computed tensor"""
    source = chain.input((1, 7))
    fixed = chain.constant((2, 3), (0.1, 4))
    return chain.case([chain.unary("RELU", source, (0.05, 0)), fixed])


def input_is_output(chain):
    """the graph input is an output as well"""
    source = chain.input((1, 9))
    return chain.case([source, chain.unary("QUANTIZE", source, (0.1, -4))])


def two_inputs_two_outputs(chain):
    """two inputs, two outputs, one of them read again"""
    left, right = chain.input((1, 4, 4, 2)), chain.input((1, 4, 4, 2), 0.02, 9)
    total = chain.binary("ADD", left, right)
    return chain.case([total, chain.pool("MAX_POOL_2D", total, (2, 2))])


def requantized_concatenation(chain):
    """branches of differing scales, each requantized before the concatenation"""
    image = chain.input((1, 5, 5, 3))
    common = (0.07, -11)
    parts = [
        chain.unary("QUANTIZE", chain.conv(image, 3), common),
        chain.unary("QUANTIZE", image, common),
        chain.unary("QUANTIZE", chain.conv(image, 2, kernel=(1, 1), activation=RELU), common),
    ]
    return chain.case([chain.concatenation(parts, -1)])


def pad_then_conv(chain):
    """an explicit pad with the zero point before a VALID convolution of stride 2"""
    image = chain.input((1, 7, 7, 3))
    padded = chain.model.tensor((1, 9, 9, 3), image.scale, image.zero_point)
    paddings = chain.model.indices([[0, 0], [1, 1], [1, 1], [0, 0]])
    chain.model.operator("PAD", [image, paddings], [padded], "PadOptions")
    return chain.case([chain.conv(padded, 5, stride=2, padding=VALID, activation=RELU)])


def separable(chain):
    """depthwise and pointwise convolutions, then a mean"""
    tensor = chain.input((1, 10, 5, 4))
    for channels in (6, 8):
        tensor = chain.depthwise(tensor, activation=RELU6)
        tensor = chain.conv(tensor, channels, kernel=(1, 1), activation=RELU)
    pooled = chain.mean(tensor, (1, 2))
    return chain.case([chain.dense(pooled, 12)])


def float_edges(chain):
    """float32 in and out: quantize, a layer, dequantize"""
    source = chain.input((1, 16), dtype="float32")
    quantized = chain.unary("QUANTIZE", source, (0.05, 7))
    result = chain.dense(quantized, 5)
    floats = chain.model.tensor((1, 5), dtype="float32")
    chain.model.operator("DEQUANTIZE", [result], [floats], "DequantizeOptions")
    rng = generator(chain.name, "inputs")
    vectors = [[rng.normal(0, 3, (1, 16)).astype(np.float32)] for _ in range(3)]
    return chain.case([floats], vectors)


def squeeze_excite(chain):
    """a mean, two layers and a logistic that scale the channels of their source"""
    image = chain.input((1, 4, 4, 8))
    pooled = chain.mean(image, (1, 2), keep_dims=True)
    narrow = chain.conv(pooled, 2, kernel=(1, 1), activation=RELU)
    gate = chain.unary("LOGISTIC", chain.conv(narrow, 8, kernel=(1, 1)), (1 / 256, -128))
    return chain.case([chain.binary("MUL", image, gate, (0.04, -3))])


def inner_output(chain):
    """an inner tensor is an output: nothing may overwrite it"""
    image = chain.input((1, 6, 6, 2))
    inner = chain.conv(image, 3)
    last = chain.conv(chain.unary("RELU", inner), 3)
    return chain.case([inner, last])


def unused_result(chain):
    """an operator whose result nobody reads"""
    image = chain.input((1, 4, 4, 3))
    chain.conv(image, 4)
    return chain.case([chain.conv(image, 2)])


def upsampling(chain):
    """down by pooling, up by transposed convolution and resize, joined"""
    image = chain.input((1, 6, 6, 3), 0.05, -3)
    down = chain.pool("AVERAGE_POOL_2D", image, (2, 2))
    up = chain.model.tensor((1, 6, 6, 3), 0.05, -3)
    size = chain.model.indices((6, 6))
    chain.model.operator(
        "RESIZE_BILINEAR", [down, size], [up], "ResizeBilinearOptions", halfPixelCenters=True
    )
    return chain.case([chain.conv(chain.concatenation([image, up], 3), 4)])


def split_and_join(chain):
    """halves of the channels, one of them convolved, joined in the other order"""
    image = chain.input((1, 4, 5, 6), 0.05, -3)
    halves = [chain.model.tensor((1, 4, 5, 3), 0.05, -3) for _ in range(2)]
    chain.model.operator(
        "SPLIT", [chain.model.indices(3), image], halves, "SplitOptions", numSplits=2
    )
    worked = chain.conv(halves[0], 3, quantization=(0.05, -3))
    return chain.case([chain.concatenation([halves[1], worked], 3)])


def constant_operands(chain):
    """an operator of constants alone"""
    left, right = chain.constant((2, 6), (0.05, 3)), chain.constant((6,), (0.02, -8))
    folded = chain.binary("ADD", left, right)
    return chain.case([chain.binary("MUL", chain.input((2, 6)), folded)])


def long_and_narrow(chain):
    """twelve layers in a row over time: a temporal network"""
    tensor = chain.input((1, 24, 1, 3))
    for layer in range(6):
        tensor = chain.depthwise(tensor, kernel=(3, 1), dilation=1 + layer % 2)
        tensor = chain.conv(tensor, 5, kernel=(1, 1), activation=RELU)
    return chain.case([tensor])
