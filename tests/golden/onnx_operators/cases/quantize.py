"""Integers that stand for real numbers."""

import numpy as np
from case import Case, MICROSOFT, integers, node, random
from onnx import TensorProto, helper

F = np.float32


def quantized(values, scale, zero_point=0, dtype=np.int8):
    info = np.iinfo(dtype)
    return np.clip(np.round(values / scale) + zero_point, info.min, info.max).astype(dtype)


def round_trip(name, scale, zero_point, opset=17, inputs=(2, 3, 4), refused="", **attributes):
    constants = {"s": scale, "z": zero_point}
    nodes = [node("QuantizeLinear", ["x", "s", "z"], ["q"], **attributes),
             node("DequantizeLinear", ["q", "s", "z"], **attributes)]
    return Case(name, nodes, {"x": inputs}, constants, opset=opset, refused=refused)


def cases():
    yield round_trip("int8", F(0.02), np.int8(3))
    yield round_trip("uint8", F(0.02), np.uint8(120))
    yield round_trip("uint8_opset_11", F(0.02), np.uint8(120), opset=11)
    yield round_trip("int8_opset_21", F(0.03), np.int8(-3), opset=21)
    yield round_trip("halves", F(1.0), np.int8(0), inputs=np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 200, -200], F))
    yield Case("no_zero_point", [node("QuantizeLinear", ["x", "s"], ["q"]), node("DequantizeLinear", ["q", "s"])],
               {"x": (2, 3)}, {"s": F(0.02)})
    yield round_trip("channels_of_activation", random(3) ** 2 + 0.1, np.zeros(3, np.int8), axis=1,
                     refused="only constants can have more than one")
    yield round_trip("blocks", np.ones((2, 3, 2), F), np.zeros((2, 3, 2), np.int8), opset=21, axis=2, block_size=2,
                     refused="block_size = 2 is not supported")

    weights = random(4, 3, 3, 3, seed=2, scale=0.3)
    scales = (np.abs(weights).max(axis=(1, 2, 3)) / 127).astype(F)
    integer = quantized(weights, scales.reshape(4, 1, 1, 1))
    bias_scales = (scales * 0.05).astype(F)
    bias = np.round(random(4, seed=4) / bias_scales).astype(np.int32)
    yield Case("conv_qdq", [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("DequantizeLinear", ["xq", "xs", "xz"], ["xd"]),
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        node("DequantizeLinear", ["b", "bs", "bz"], ["bd"], axis=0),
        node("Conv", ["xd", "wd", "bd"], ["c"], pads=[1, 1, 1, 1]),
        node("QuantizeLinear", ["c", "ys", "yz"], ["yq"]),
        node("DequantizeLinear", ["yq", "ys", "yz"]),
    ], {"x": (1, 3, 5, 5)}, {
        "xs": F(0.05), "xz": np.uint8(128), "w": integer, "ws": scales, "wz": np.zeros(4, np.int8), "b": bias,
        "bs": bias_scales, "bz": np.zeros(4, np.int32), "ys": F(0.07), "yz": np.uint8(90),
    })
    for name, names in (("bias", ["b"]), ("no_bias", [])):
        yield Case(f"q_linear_conv_{name}", [
            node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
            node("QLinearConv", ["xq", "xs", "xz", "w", "ws", "wz", "ys", "yz", *names], ["yq"], pads=[1, 1, 1, 1]),
            node("DequantizeLinear", ["yq", "ys", "yz"]),
        ], {"x": (1, 3, 5, 5)}, {
            "xs": F(0.05), "xz": np.uint8(128), "w": integer, "ws": scales, "wz": np.zeros(4, np.int8),
            "ys": F(0.07), "yz": np.uint8(90), **({"b": bias} if names else {}),
        })
    matrix = random(6, 4, seed=5)
    yield Case("q_linear_mat_mul", [
        node("QuantizeLinear", ["x", "xs", "xz"], ["xq"]),
        node("QLinearMatMul", ["xq", "xs", "xz", "w", "ws", "wz", "ys", "yz"], ["yq"]),
        node("DequantizeLinear", ["yq", "ys", "yz"]),
    ], {"x": (2, 6)}, {
        "xs": F(0.03), "xz": np.int8(4), "w": quantized(matrix, 0.02), "ws": F(0.02), "wz": np.int8(0),
        "ys": F(0.06), "yz": np.int8(-7),
    })
    for operator in ("QLinearAdd", "QLinearMul"):
        yield Case({"QLinearAdd": "q_linear_add", "QLinearMul": "q_linear_mul"}[operator], [
            node("QuantizeLinear", ["a", "as", "az"], ["aq"]),
            node("QuantizeLinear", ["b", "bs", "bz"], ["bq"]),
            node(operator, ["aq", "as", "az", "bq", "bs", "bz", "ys", "yz"], ["yq"], domain=MICROSOFT),
            node("DequantizeLinear", ["yq", "ys", "yz"]),
        ], {"a": (2, 3), "b": (2, 3)}, {
            "as": F(0.02), "az": np.uint8(128), "bs": F(0.03), "bz": np.uint8(120), "ys": F(0.05), "yz": np.uint8(100),
        })
    nibbles = np.clip(np.round(matrix / 0.3), -8, 7).astype(np.int8)
    packed = helper.make_tensor("w", TensorProto.INT4, nibbles.shape, nibbles.flatten())
    yield Case("int4_weights", [node("DequantizeLinear", ["w", "ws"], ["wd"]), node("MatMul", ["x", "wd"])],
               {"x": (2, 6)}, {"w": packed, "ws": F(0.3)}, opset=21)
    yield Case("weights_turned", [
        node("DequantizeLinear", ["w", "ws", "wz"], ["wd"], axis=0),
        node("Transpose", ["wd"], ["t"], perm=[1, 0]),
        node("MatMul", ["x", "t"]),
    ], {"x": (2, 6)}, {"w": quantized(matrix.T, 0.02), "ws": F([0.02, 0.01, 0.03, 0.02]), "wz": np.zeros(4, np.int8)})
    for name, shape, ws in (("one_scale", (2, 6), F(0.02)), ("rank_3", (1, 2, 6), F(0.02)),
                            ("scale_per_output", (2, 6), F([0.02, 0.01, 0.03, 0.02]))):
        yield dynamic(f"dynamic_{name}", matrix, shape, ws)
    yield dynamic("dynamic_uint8", matrix, (2, 6), F(0.02), np.uint8, 128)
    yield dynamic("dynamic_zero_point", matrix, (2, 6), F(0.02), np.int8, 3, refused="is not part of a pattern")
    yield Case("integers_read_twice", [
        node("QuantizeLinear", ["x", "s", "z"], ["q"]), node("DequantizeLinear", ["q", "t", "z"])
    ], {"x": (2, 3)}, {"s": F(0.02), "t": F(0.03), "z": np.int8(0)}, refused="have another scale or zero point")
    yield Case("conv_integer", [node("ConvInteger", ["x", "w"], ["y"])], {"x": np.ones((1, 3, 5, 5), np.uint8)},
               {"w": integer}, refused="dynamic quantization of convolutions is not supported")


def dynamic(name, matrix, shape, scales, dtype=np.int8, zero_point=0, refused=""):
    """What quantize_dynamic of onnxruntime makes of a matrix product; here its input stays real."""
    return Case(name, [
        node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
        node("Cast", ["i"], ["f"], to=1),
        node("Mul", ["s", "ws"], ["m"]),
        node("Mul", ["f", "m"], ["p"]),
        node("Add", ["p", "b"]),
    ], {"x": shape}, {
        "w": quantized(matrix, scales, zero_point, dtype), "ws": scales,
        "wz": np.full(np.shape(scales), zero_point, dtype), "b": random(4, seed=6),
    }, refused=refused, tolerance=0.01)
