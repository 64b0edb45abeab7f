"""Arithmetic on elements."""

import numpy as np
from case import Case, node, random

SHAPES = {
    "equal": ((2, 3, 4), (2, 3, 4)),
    "channels": ((1, 3, 2, 2), (3, 1, 1)),
    "scalar": ((2, 3), ()),
    "both": ((2, 1, 4), (3, 1)),
    "longer_second": ((4,), (2, 3, 4)),
}


def cases():
    for operator in ("Add", "Sub", "Mul", "Div"):
        for name, (first, second) in SHAPES.items():
            yield Case(f"{operator.lower()}_{name}", [node(operator, ["a", "b"])], {"a": first, "b": second})
        yield Case(f"{operator.lower()}_constant", [node(operator, ["a", "c"])], {"a": (1, 3, 2, 2)},
                   {"c": random(1, 3, 1, 1) + 3})
        yield Case(f"{operator.lower()}_constant_first", [node(operator, ["c", "a"])], {"a": (1, 3, 2, 2)},
                   {"c": random(3, 1, 1)}, opset=13)
    for operator in ("Min", "Max", "Sum", "Mean"):
        lower = operator.lower()
        yield Case(f"{lower}_one", [node(operator, ["a"])], {"a": (2, 3)})
        yield Case(f"{lower}_two", [node(operator, ["a", "b"])], {"a": (2, 3), "b": (3,)})
        yield Case(f"{lower}_three", [node(operator, ["a", "b", "c"])], {"a": (2, 3), "b": (2, 1)}, {"c": random(2, 3)})
    for exponent in (1.0, 2.0, 3.0, 4.0, 0.5, -1.0, -0.5):
        yield Case(f"pow_{exponent}", [node("Pow", ["a", "e"])], {"a": np.abs(random(2, 3)) + 0.5},
                   {"e": np.float32(exponent)})
    yield Case("pow_integer_exponent", [node("Pow", ["a", "e"])], {"a": (2, 3)}, {"e": np.int64(2)})
    yield Case("pow_odd", [node("Pow", ["a", "e"])], {"a": (2, 3)}, {"e": np.float32(1.7)}, refused="exponent = 1.7")
    yield Case("pow_computed", [node("Pow", ["a", "e"])], {"a": (2, 3), "e": ()}, refused="the exponent is computed")
    for operator in ("Exp", "Neg", "Abs", "Erf"):
        yield Case(operator.lower(), [node(operator, ["a"])], {"a": (2, 3, 5)})
    for operator in ("Log", "Sqrt", "Reciprocal"):
        yield Case(operator.lower(), [node(operator, ["a"])], {"a": np.abs(random(2, 3, 5)) + 0.1})
