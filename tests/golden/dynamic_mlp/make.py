"""Makes a perceptron of two layers, quantizes it with onnxruntime's quantize_dynamic, and runs it on 8 inputs.
usage: make.py OUT"""
import os, sys
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

out = sys.argv[1]
rng = np.random.default_rng(0)
weights = {"W1": (20, 32), "b1": (32,), "W2": (32, 5), "b2": (5,)}
weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in weights.items()}
nodes = [
    helper.make_node("MatMul", ["x", "W1"], ["a"], name="m1"),
    helper.make_node("Add", ["a", "b1"], ["b"]),
    helper.make_node("Relu", ["b"], ["c"]),
    helper.make_node("MatMul", ["c", "W2"], ["d"], name="m2"),
    helper.make_node("Add", ["d", "b2"], ["y"]),
]
port = lambda name, size: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
graph = helper.make_graph(nodes, "mlp", [port("x", 20)], [port("y", 5)], [numpy_helper.from_array(a, n) for n, a in weights.items()])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, f"{out}/float.onnx")
quantize_dynamic(f"{out}/float.onnx", f"{out}/mlp_dynamic.onnx", weight_type=QuantType.QInt8)
os.remove(f"{out}/float.onnx")
x = rng.normal(size=(8, 20)).astype(np.float32)
session = onnxruntime.InferenceSession(f"{out}/mlp_dynamic.onnx")
# One vector at a time: the range of the inputs is found anew for each.
y = np.concatenate([session.run(None, {"x": x[i : i + 1]})[0] for i in range(8)])
x.tofile(f"{out}/inputs.bin")
y.tofile(f"{out}/outputs.bin")
