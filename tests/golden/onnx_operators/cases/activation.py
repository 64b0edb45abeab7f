"""Functions of single elements."""

import numpy as np
from case import Case, MICROSOFT, node, random


def unary(name, operator, opset=17, domain="", refused="", **attributes):
    values = random(2, 3, 4, scale=3.0)
    values[0, 0] = [0.0, 3.0, -3.0, 6.0]
    nodes = [node(operator, ["x"], domain=domain, **attributes)]
    return Case(name, nodes, {"x": values}, opset=opset, refused=refused)


def clip(name, low=None, high=None, opset=13):
    names = ["x", "low" if low is not None else "", "high" if high is not None else ""]
    bounds = {key: np.float32(value) for key, value in (("low", low), ("high", high)) if value is not None}
    while names[-1] == "":
        names.pop()
    return Case(name, [node("Clip", names)], {"x": random(2, 3, 4, scale=3.0)}, bounds, opset=opset)


def cases():
    yield unary("relu", "Relu")
    yield unary("relu_opset_11", "Relu", opset=11)
    yield clip("clip_relu6", 0.0, 6.0)
    yield clip("clip_opset_11", -1.0, 1.0, opset=11)
    yield clip("clip_low", low=-0.5)
    yield clip("clip_high", high=1.5)
    yield clip("clip_none")
    yield clip("clip_crossed", 1.0, -1.0)
    yield Case("clip_computed_bounds", [node("Sqrt", ["c"], ["high"]), node("Clip", ["x", "", "high"])],
               {"x": (2, 3)}, {"c": np.float32(2.0)})
    yield Case("clip_running_bound", [node("Clip", ["x", "", "z"])], {"x": (2, 3), "z": ()},
               refused="the greatest value (max) is computed by the network")
    yield unary("leaky_relu", "LeakyRelu", alpha=0.3)
    yield unary("leaky_relu_default", "LeakyRelu", opset=13)
    for name, slope in (("scalar", (1,)), ("channels", (3, 1, 1)), ("each", (3, 2, 2))):
        yield Case(f"p_relu_{name}", [node("PRelu", ["x", "s"])], {"x": (1, 3, 2, 2)}, {"s": random(*slope)})
    yield unary("elu", "Elu", alpha=1.5)
    yield unary("elu_default", "Elu")
    yield unary("selu", "Selu")
    yield unary("selu_other", "Selu", alpha=1.2, gamma=0.9)
    yield unary("celu", "Celu", alpha=2.0)
    yield unary("celu_default", "Celu")
    yield unary("hard_sigmoid", "HardSigmoid")
    yield unary("hard_sigmoid_other", "HardSigmoid", alpha=1 / 6, beta=0.5)
    yield unary("hard_swish", "HardSwish")
    yield unary("sigmoid", "Sigmoid")
    yield unary("tanh", "Tanh")
    yield unary("softplus", "Softplus")
    yield unary("softsign", "Softsign")
    yield unary("mish", "Mish", opset=18)
    yield unary("gelu", "Gelu", opset=20)
    yield unary("gelu_tanh", "Gelu", opset=20, approximate="tanh")
    yield unary("gelu_of_onnxruntime", "Gelu", domain=MICROSOFT)
    yield unary("mish_too_new", "Mish", opset=17, refused="of opset 18 or newer, but the file states opset 17")
    yield unary("sign", "Sign", refused="it gives 0 for 0")
    large = np.array([[-200.0, -90.0, 0.0, 90.0, 200.0]], np.float32)
    yield Case("softplus_large", [node("Softplus", ["x"])], {"x": large})
    yield Case("silu", [node("Sigmoid", ["x"], ["s"]), node("Mul", ["x", "s"])], {"x": (2, 5)})
