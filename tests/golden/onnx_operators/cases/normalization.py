"""BatchNormalization, Softmax and LogSoftmax."""

import numpy as np
from case import Case, node, random


def batch_normalization(name, inputs, opset=17, outputs=("y",), refused="", **attributes):
    channels = inputs[1]
    constants = {
        "scale": random(channels, seed=1),
        "shift": random(channels, seed=2),
        "mean": random(channels, seed=3),
        "variance": np.abs(random(channels, seed=4)) + 0.1,
    }
    nodes = [node("BatchNormalization", ["x", *constants], outputs, **attributes)]
    return Case(name, nodes, {"x": inputs}, constants, outputs, opset=opset, refused=refused)


def cases():
    yield batch_normalization("batch_normalization", (1, 3, 4, 5))
    yield batch_normalization("batch_normalization_epsilon", (1, 3, 4, 5), epsilon=0.01, momentum=0.5)
    yield batch_normalization("batch_normalization_opset_11", (1, 3, 4, 5), opset=11)
    yield batch_normalization("batch_normalization_rank_2", (4, 3))
    yield batch_normalization("batch_normalization_rank_3", (1, 3, 6))
    yield batch_normalization("batch_normalization_training", (1, 3, 4, 5), training_mode=1,
                              outputs=("y", "m", "v"), refused="training_mode = 1 is not supported")
    for operator in ("Softmax", "LogSoftmax"):
        lower = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[operator]
        yield Case(f"{lower}_default", [node(operator, ["x"])], {"x": (2, 5)})
        yield Case(f"{lower}_axis_1", [node(operator, ["x"], axis=1)], {"x": (1, 5, 2, 3)})
        yield Case(f"{lower}_axis_0", [node(operator, ["x"], axis=0)], {"x": (3, 5)})
        yield Case(f"{lower}_axis_negative", [node(operator, ["x"], axis=-2)], {"x": (2, 3, 4)})
        yield Case(f"{lower}_opset_11_default", [node(operator, ["x"])], {"x": (2, 3, 4)}, opset=11)
        yield Case(f"{lower}_opset_11_axis_2", [node(operator, ["x"], axis=2)], {"x": (2, 3, 4)}, opset=11)
        yield Case(f"{lower}_opset_12_axis_0", [node(operator, ["x"], axis=0)], {"x": (2, 3, 4)}, opset=12)
        yield Case(f"{lower}_large", [node(operator, ["x"])], {"x": random(2, 5, scale=80.0)})
