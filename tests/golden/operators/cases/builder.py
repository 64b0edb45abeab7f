"""Builds graphs of several operators."""

import numpy as np

from case import case, generator
from model import NONE, SAME, VALID, Model


class Chain:
    """A model that grows operator by operator; each method returns the new tensor."""

    def __init__(self, name, special):
        self.name = name
        self.special = special
        self.model = Model()
        self.rng = generator(name)
        self.inputs = []

    def case(self, outputs, vectors=None):
        return case(self.name, self.special, self.model, self.inputs, outputs, vectors)

    def input(self, shape, scale=0.05, zero_point=-4, dtype="int8"):
        if dtype == "float32":
            scale = None
        tensor = self.model.tensor(shape, scale, zero_point, dtype, f"input{len(self.inputs)}")
        self.inputs.append(tensor)
        return tensor

    def constant(self, shape, quantization):
        values = self.rng.integers(-128, 128, shape).astype(np.int8)
        return self.model.constant(values, *quantization)

    def conv(
        self,
        source,
        channels,
        *,
        kernel=(3, 3),
        stride=1,
        padding=SAME,
        activation=NONE,
        quantization=None,
    ):
        shape = (channels, *kernel, source.shape[3])
        parameters, quantization = self._layer(source, shape, 0, quantization)
        reach = [k - 1 if padding == VALID else 0 for k in kernel]
        height, width = (-(-(n - r) // stride) for n, r in zip(source.shape[1:3], reach))
        result = self.model.tensor((source.shape[0], height, width, channels), *quantization)
        self.model.operator(
            "CONV_2D",
            [source, *parameters],
            [result],
            "Conv2DOptions",
            padding=padding,
            strideH=stride,
            strideW=stride,
            fusedActivationFunction=activation,
        )
        return result

    def depthwise(self, source, *, kernel=(3, 3), dilation=1, activation=NONE):
        parameters, quantization = self._layer(source, (1, *kernel, source.shape[3]), 3)
        result = self.model.tensor(source.shape, *quantization)
        self.model.operator(
            "DEPTHWISE_CONV_2D",
            [source, *parameters],
            [result],
            "DepthwiseConv2DOptions",
            padding=SAME,
            strideH=1,
            strideW=1,
            depthMultiplier=1,
            dilationHFactor=dilation,
            dilationWFactor=1,
            fusedActivationFunction=activation,
        )
        return result

    def dense(self, source, outputs):
        parameters, quantization = self._layer(source, (outputs, source.shape[-1]), None)
        result = self.model.tensor((source.shape[0], outputs), *quantization)
        self.model.operator(
            "FULLY_CONNECTED", [source, *parameters], [result], "FullyConnectedOptions"
        )
        return result

    def unary(self, operator, source, quantization=None, options=None, **attributes):
        quantization = quantization or (source.scale, source.zero_point)
        result = self.model.tensor(source.shape, *quantization)
        self.model.operator(operator, [source], [result], options, **attributes)
        return result

    def binary(self, operator, left, right, quantization=(0.09, 6)):
        result = self.model.tensor(np.broadcast_shapes(left.shape, right.shape), *quantization)
        self.model.operator(operator, [left, right], [result], f"{operator.title()}Options")
        return result

    def pool(self, operator, source, kernel, stride=None):
        stride = stride or kernel
        height, width = (-(-n // s) for n, s in zip(source.shape[1:3], stride))
        shape = (source.shape[0], height, width, source.shape[3])
        result = self.model.tensor(shape, source.scale, source.zero_point)
        self.model.operator(
            operator,
            [source],
            [result],
            "Pool2DOptions",
            padding=SAME,
            strideH=stride[0],
            strideW=stride[1],
            filterHeight=kernel[0],
            filterWidth=kernel[1],
        )
        return result

    def mean(self, source, axes, keep_dims=False):
        shape = [
            1 if axis in axes else n
            for axis, n in enumerate(source.shape)
            if keep_dims or axis not in axes
        ]
        result = self.model.tensor(shape, source.scale / 3, 5)
        self.model.operator(
            "MEAN",
            [source, self.model.indices(axes)],
            [result],
            "ReducerOptions",
            keepDims=keep_dims,
        )
        return result

    def reshape(self, source, shape):
        result = self.model.tensor(shape, source.scale, source.zero_point)
        self.model.operator(
            "RESHAPE",
            [source, self.model.indices(shape)],
            [result],
            "ReshapeOptions",
            newShape=list(shape),
        )
        return result

    def concatenation(self, sources, axis):
        shape = np.concatenate([np.empty(source.shape) for source in sources], axis).shape
        result = self.model.tensor(shape, sources[0].scale, sources[0].zero_point)
        self.model.operator("CONCATENATION", sources, [result], "ConcatenationOptions", axis=axis)
        return result

    def softmax(self, source):
        result = self.model.tensor(source.shape, 1 / 256, -128)
        self.model.operator("SOFTMAX", [source], [result], "SoftmaxOptions", beta=1.0)
        return result

    def _layer(self, source, shape, axis, quantization=None):
        """Weights, a bias and an output quantization that keep the values in range."""
        channels = shape[0] if axis is None else shape[axis]
        values = self.rng.integers(-127, 128, shape).astype(np.int8)
        spread = 74 * np.sqrt(np.prod(shape) / channels)
        scale, zero_point = quantization or (0.05, int(self.rng.integers(-40, 40)))
        count = 1 if axis is None else channels
        scales = self.rng.uniform(0.7, 1.4, count) * scale / source.scale / spread
        scales = scales.astype(np.float32)
        bias = self.rng.integers(-2000, 2001, channels).astype(np.int32)
        parameters = [
            self.model.constant(values, scales, axis=axis or 0),
            self.model.constant(bias, np.float32(source.scale) * scales),
        ]
        return parameters, (scale, zero_point)
