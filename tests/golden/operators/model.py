"""Builds small .tflite models, one tensor and one operator at a time.

The flatbuffer classes are those that the tflite-micro package carries.
"""

from dataclasses import dataclass, field

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

SAME, VALID = schema.Padding.SAME, schema.Padding.VALID

NONE = schema.ActivationFunctionType.NONE
RELU = schema.ActivationFunctionType.RELU
RELU6 = schema.ActivationFunctionType.RELU6
RELU_N1_TO_1 = schema.ActivationFunctionType.RELU_N1_TO_1
ACTIVATION_NAMES = {NONE: "none", RELU: "relu", RELU6: "relu6", RELU_N1_TO_1: "relu_n1_to_1"}

TENSOR_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int32": schema.TensorType.INT32,
}

# The version that a converter writes for the int8 form of an operator, where it is not 1.
OPERATOR_VERSIONS = {
    "ADD": 2,
    "ARG_MAX": 2,
    "AVERAGE_POOL_2D": 2,
    "CONCATENATION": 2,
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "DEQUANTIZE": 2,
    "FULLY_CONNECTED": 4,
    "LEAKY_RELU": 2,
    "LOGISTIC": 2,
    "MAXIMUM": 2,
    "MAX_POOL_2D": 2,
    "MEAN": 2,
    "MINIMUM": 2,
    "MUL": 2,
    "PACK": 2,
    "PAD": 2,
    "PADV2": 2,
    "QUANTIZE": 2,
    "REDUCE_MAX": 2,
    "RELU": 2,
    "RELU6": 2,
    "RESIZE_BILINEAR": 3,
    "RESIZE_NEAREST_NEIGHBOR": 3,
    "SLICE": 2,
    "SOFTMAX": 2,
    "SPLIT": 2,
    "SPLIT_V": 2,
    "STRIDED_SLICE": 2,
    "SUB": 2,
    "SUM": 2,
    "TANH": 2,
    "TRANSPOSE": 2,
    "TRANSPOSE_CONV": 3,
    "UNPACK": 2,
}


@dataclass
class Tensor:
    """A tensor of a model; `data` makes it a constant, `scale` a quantized one."""

    shape: tuple
    dtype: str = "int8"
    scale: float | np.ndarray | None = None
    zero_point: int = 0
    axis: int = 0
    data: np.ndarray | None = None
    name: str = ""
    index: int = -1


@dataclass
class Model:
    """A model under construction: a single subgraph."""

    tensors: list = field(default_factory=list)
    operators: list = field(default_factory=list)
    codes: list = field(default_factory=list)

    def tensor(self, shape, scale=None, zero_point=0, dtype="int8", name=""):
        """An activation."""
        return self._add(Tensor(tuple(shape), dtype, scale, zero_point, name=name))

    def constant(self, data, scale=None, zero_point=0, axis=0, name=""):
        """A constant; a `scale` with several elements runs along `axis`."""
        data = np.asarray(data)
        return self._add(Tensor(data.shape, str(data.dtype), scale, zero_point, axis, data, name))

    def indices(self, values):
        """A constant int32 tensor: axes, shapes, paddings, sizes."""
        return self.constant(np.asarray(values, np.int32))

    def operator(self, name, inputs, outputs, options=None, **attributes):
        """Appends an operator; None among `inputs` is an absent optional input."""
        if name not in self.codes:
            self.codes.append(name)
        operator = schema.OperatorT()
        operator.opcodeIndex = self.codes.index(name)
        operator.inputs = [-1 if t is None else t.index for t in inputs]
        operator.outputs = [t.index for t in outputs]
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(schema, options + "T")(**attributes)
        self.operators.append(operator)

    def serialize(self, inputs, outputs):
        """The bytes of the .tflite file."""
        graph = schema.SubGraphT()
        graph.name = "main"
        graph.inputs = [t.index for t in inputs]
        graph.outputs = [t.index for t in outputs]
        graph.operators = self.operators

        model = schema.ModelT()
        model.version = 3
        model.description = "operator golden vector"
        model.subgraphs = [graph]
        model.operatorCodes = [_operator_code(name) for name in self.codes]
        model.buffers = [schema.BufferT()]
        graph.tensors = [_tensor_record(t, model.buffers) for t in self.tensors]

        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _add(self, tensor):
        tensor.index = len(self.tensors)
        tensor.name = tensor.name or f"t{tensor.index}"
        self.tensors.append(tensor)
        return tensor


def _operator_code(name):
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = OPERATOR_VERSIONS.get(name, 1)
    return code


def _tensor_record(tensor, buffers):
    record = schema.TensorT()
    record.name = tensor.name
    record.shape = list(tensor.shape)
    record.type = TENSOR_TYPES[tensor.dtype]
    record.buffer = 0
    if tensor.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(tensor.data.tobytes(), np.uint8)
        record.buffer = len(buffers)
        buffers.append(buffer)
    if tensor.scale is not None:
        quantization = schema.QuantizationParametersT()
        quantization.scale = np.atleast_1d(np.asarray(tensor.scale, np.float32))
        zero_points = np.full(quantization.scale.shape, tensor.zero_point, np.int64)
        quantization.zeroPoint = zero_points
        quantization.quantizedDimension = tensor.axis
        record.quantization = quantization
    return record
