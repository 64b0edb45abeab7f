"""A case: a small ONNX model, what goes in, and what onnxruntime makes of it."""

import zlib
from dataclasses import dataclass, field

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"


@dataclass
class Case:
    """One model. `refused` is part of the message with which the import must refuse it.

    `tolerance` is the largest error, as a part of the largest output, where it is not that of rounding.
    """

    name: str
    nodes: list
    inputs: dict
    constants: dict = field(default_factory=dict)
    outputs: tuple = ("y",)
    opset: int = 17
    refused: str = ""
    tolerance: float = 0.0

    def seed(self):
        return zlib.crc32(self.name.encode())

    def values(self):
        """The inputs: given arrays, or random numbers of a given shape."""
        random = np.random.default_rng(self.seed())
        return {
            name: given
            if isinstance(given, np.ndarray)
            else random.normal(size=given).astype(np.float32)
            for name, given in self.inputs.items()
        }

    def model(self):
        values = self.values()
        infos = [
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
            )
            for name, value in values.items()
        ]
        outputs = [helper.make_empty_tensor_value_info(name) for name in self.outputs]
        initializers = [
            value if isinstance(value, TensorProto) else numpy_helper.from_array(value, name)
            for name, value in self.constants.items()
        ]
        graph = helper.make_graph(self.nodes, "g", infos, outputs, initializers)
        opsets = [helper.make_opsetid("", self.opset)]
        if any(node.domain == MICROSOFT for node in self.nodes):
            opsets.append(helper.make_opsetid(MICROSOFT, 1))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        model.producer_name = ""
        return model

    def results(self):
        """The outputs of onnxruntime, without its optimizations."""
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        )
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            self.model().SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        return session.run(list(self.outputs), self.values())


def node(operator, inputs, outputs=("y",), domain="", **attributes):
    return helper.make_node(
        operator, list(inputs), list(outputs), domain=domain, **attributes
    )


def random(*shape, seed=1, scale=1.0, dtype=np.float32):
    generator = np.random.default_rng(seed)
    return (generator.normal(size=shape) * scale).astype(dtype)


def integers(*values):
    return np.array(values, dtype=np.int64)
