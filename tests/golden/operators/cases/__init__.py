"""The golden cases: one function per operator, which yields its cases."""

from . import (
    activation,
    binary,
    chain,
    convolution,
    dense,
    depthwise,
    layout,
    pooling,
    quantization,
    reduction,
    resize,
    slicing,
    transposed,
)

OPERATORS = [
    convolution.conv_2d,
    depthwise.depthwise_conv_2d,
    transposed.transpose_conv,
    dense.fully_connected,
    pooling.average_pool_2d,
    pooling.max_pool_2d,
    binary.add,
    binary.sub,
    binary.mul,
    binary.maximum,
    binary.minimum,
    activation.relu,
    activation.relu6,
    activation.relu_n1_to_1,
    activation.leaky_relu,
    activation.hard_swish,
    activation.logistic,
    activation.tanh,
    activation.elu,
    activation.softmax,
    layout.reshape,
    layout.squeeze,
    layout.expand_dims,
    layout.pad,
    layout.mirror_pad,
    layout.concatenation,
    layout.transpose,
    layout.pack,
    layout.unpack,
    slicing.strided_slice,
    slicing.slice_,
    slicing.split,
    slicing.split_v,
    reduction.mean,
    reduction.sum_,
    reduction.reduce_max,
    reduction.arg_max,
    resize.nearest_neighbor,
    resize.bilinear,
    quantization.quantize,
    quantization.dequantize,
    chain.chains,
]


def all_cases():
    """Every case, in the order of the index."""
    for operator in OPERATORS:
        yield from operator()
