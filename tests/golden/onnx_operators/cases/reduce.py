"""Reductions, ArgMax and ArgMin."""

import numpy as np
from case import Case, integers, node, random

IMAGE = (2, 3, 4, 5)
OPERATORS = ["Mean", "Sum", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]


def reduce(operator, name, axes=None, opset=17, inputs=IMAGE, **attributes):
    first = 13 if operator == "Sum" else 18
    nodes, constants = [f"Reduce{operator}", ["x"]], {}
    if axes is not None and opset < first:
        attributes["axes"] = axes
    elif axes is not None:
        nodes[1].append("a")
        constants["a"] = integers(*axes)
    values = np.abs(random(*inputs)) + 0.1 if operator == "LogSum" else inputs
    return Case(f"{operator.lower()}_{name}", [node(*nodes, **attributes)], {"x": values}, constants, opset=opset)


def cases():
    for operator in OPERATORS:
        yield reduce(operator, "image", [2, 3])
        yield reduce(operator, "dropped", [-1, 1], keepdims=0)
        yield reduce(operator, "opset_11", [1], opset=11)
        yield reduce(operator, "opset_18", [2, 3], opset=18, keepdims=0)
    yield reduce("Mean", "all", opset=18)
    yield reduce("Mean", "all_dropped", opset=18, keepdims=0)
    yield reduce("Sum", "opset_13", [0], opset=13)
    yield reduce("Sum", "noop", opset=13, noop_with_empty_axes=1)
    yield reduce("Max", "rank_1", [0], inputs=(7,))
    yield Case("logsumexp_large", [node("ReduceLogSumExp", ["x"], axes=[1])], {"x": random(2, 5, scale=90.0)})
    for operator in ("ArgMax", "ArgMin"):
        lower = operator.lower()
        yield Case(f"{lower}_default", [node(operator, ["x"])], {"x": (3, 4)})
        yield Case(f"{lower}_kept", [node(operator, ["x"], axis=1)], {"x": IMAGE})
        yield Case(f"{lower}_dropped", [node(operator, ["x"], axis=-1, keepdims=0)], {"x": (2, 6)}, opset=11)
        ties = np.array([[1, 3, 3, 0, 0]], np.float32)
        yield Case(f"{lower}_first_of_equals", [node(operator, ["x"], axis=1)], {"x": ties})
        yield Case(f"{lower}_last", [node(operator, ["x"], axis=1, select_last_index=1)], {"x": ties},
                   refused="select_last_index = 1 is not supported")
