"""What exporters compute shapes and bounds with: all of it is known at conversion."""

import numpy as np
from case import Case, integers, node, random
from onnx import numpy_helper

IMAGE = (1, 3, 4, 5)


def shaped(name, nodes, constants, inputs=IMAGE, opset=17):
    """A reshape to what the nodes give as `s`."""
    return Case(name, [*nodes, node("Reshape", ["x", "s"])], {"x": inputs}, constants, opset=opset)


def chosen(name, nodes, constants, opset=17, length=60):
    """A slice that starts at what the nodes give as `s`: a number in a vector of one."""
    nodes = [*nodes, node("Slice", ["x", "s", "end"])]
    return Case(name, nodes, {"x": (length,)}, {**constants, "end": integers(length)}, opset=opset)


def tensor(value):
    return numpy_helper.from_array(value)


def cases():
    dims = node("Shape", ["x"], ["d"])
    yield shaped("flatten_as_pytorch_does", [
        dims,
        node("Gather", ["d", "zero"], ["n"]),
        node("Unsqueeze", ["n", "first"], ["u"]),
        node("Concat", ["u", "minus"], ["s"], axis=0),
    ], {"zero": np.int64(0), "first": integers(0), "minus": integers(-1)})
    yield shaped("flatten_as_pytorch_does_opset_11", [
        dims,
        node("Gather", ["d", "zero"], ["n"]),
        node("Unsqueeze", ["n"], ["u"], axes=[0]),
        node("Concat", ["u", "minus"], ["s"], axis=0),
    ], {"zero": np.int64(0), "minus": integers(-1)}, opset=11)
    yield shaped("shape_cut", [node("Shape", ["x"], ["a"], start=0, end=2), node("Concat", ["a", "m"], ["s"], axis=0)],
                 {"m": integers(-1)})
    yield shaped("shape_from_the_end", [node("Shape", ["x"], ["a"], start=-2), node("Concat", ["m", "a"], ["s"], axis=0)],
                 {"m": integers(-1)})
    yield shaped("product_of_sizes", [
        dims,
        node("Slice", ["d", "one", "end"], ["tail"]),
        node("ReduceProd", ["tail"], ["p"], axes=[0], keepdims=1),
        node("Concat", ["m", "p"], ["s"], axis=0),
    ], {"one": integers(1), "end": integers(4), "m": integers(1)})
    yield shaped("size", [node("Size", ["x"], ["n"]), node("Unsqueeze", ["n", "z"], ["s"])], {"z": integers(0)})
    yield shaped("reversed_pairs", [
        node("ConstantOfShape", ["four"], ["zeros"], value=tensor(integers(1))),
        node("Concat", ["head", "zeros"], ["all"], axis=0),
        node("Reshape", ["all", "pairs"], ["table"]),
        node("Slice", ["table", "last", "first", "z", "last"], ["turned"]),
        node("Transpose", ["turned"], ["t"], perm=[1, 0]),
        node("Reshape", ["t", "last"], ["flat"]),
        node("Cast", ["flat"], ["p"], to=7),
        node("Slice", ["p", "z", "four"], ["q"]),
        node("Mul", ["q", "w"], ["s"]),
    ], {"four": integers(4), "head": integers(1, 1, 1, 1), "pairs": integers(-1, 2), "last": integers(-1),
        "first": integers(np.iinfo(np.int64).min + 1), "z": integers(0), "w": integers(1, 3, 4, 5)})
    yield Case("constant_forms", [
        node("Constant", [], ["a"], value_float=2.0),
        node("Constant", [], ["b"], value_floats=[1.0, 2.0, 3.0]),
        node("Constant", [], ["c"], value=tensor(random(2, 1))),
        node("Mul", ["x", "a"], ["d"]),
        node("Add", ["d", "b"], ["e"]),
        node("Sub", ["e", "c"]),
    ], {"x": (2, 3)})
    yield chosen("constant_ints", [node("Constant", [], ["s"], value_ints=[7])], {})
    yield chosen("constant_int", [node("Constant", [], ["a"], value_int=7), node("Unsqueeze", ["a", "z"], ["s"])],
                 {"z": integers(0)})
    for operator, first, second in (("Add", 7, 9), ("Sub", 40, 9), ("Mul", 4, 5), ("Div", 47, 5), ("Mod", 47, 5), ("Min", 3, 8),
                                    ("Max", 3, 8)):
        yield chosen(f"integer_{operator.lower()}", [node(operator, ["a", "b"], ["s"])],
                     {"a": integers(first), "b": integers(second)})
    yield chosen("integer_div_negative", [node("Div", ["a", "b"], ["c"]), node("Neg", ["c"], ["s"])],
                 {"a": integers(-47), "b": integers(5)})
    yield chosen("integer_mod_negative", [node("Mod", ["a", "b"], ["s"])], {"a": integers(-47), "b": integers(5)})
    yield chosen("integer_abs", [node("Abs", ["a"], ["s"])], {"a": integers(-6)})
    for operator in ("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"):
        yield chosen(f"where_{operator.lower()}", [
            node(operator, ["a", "b"], ["c"]),
            node("Where", ["c", "yes", "no"], ["v"]),
            node("ReduceSum", ["v", "z"], ["s"]),
        ], {"a": integers(1, 2, 3), "b": integers(2), "yes": integers(1, 4, 16), "no": integers(0), "z": integers(0)})
    yield chosen("where_logic", [
        node("Greater", ["a", "b"], ["c"]),
        node("Less", ["a", "d"], ["e"]),
        node("And", ["c", "e"], ["f"]),
        node("Not", ["f"], ["g"]),
        node("Or", ["g", "f"], ["h"]),
        node("Xor", ["h", "f"], ["i"]),
        node("Where", ["i", "yes", "no"], ["v"]),
        node("ReduceSum", ["v", "z"], ["s"]),
    ], {"a": integers(1, 2, 3, 4), "b": integers(1), "d": integers(4), "yes": integers(1, 2, 4, 8), "no": integers(0),
        "z": integers(0)})
    yield chosen("range", [node("Range", ["a", "b", "c"], ["r"]), node("ReduceMax", ["r"], ["s"], axes=[0])],
                 {"a": np.int64(3), "b": np.int64(30), "c": np.int64(4)})
    yield chosen("range_down", [node("Range", ["a", "b", "c"], ["r"]), node("ReduceMin", ["r"], ["s"], axes=[0])],
                 {"a": np.int64(30), "b": np.int64(3), "c": np.int64(-4)})
    yield Case("range_of_reals", [node("Range", ["a", "b", "c"], ["r"]), node("Add", ["x", "r"])], {"x": (2, 4)},
               {"a": np.float32(0.5), "b": np.float32(2.5), "c": np.float32(0.5)})
    yield chosen("scale_as_pytorch_does", [
        node("Cast", ["a"], ["f"], to=1),
        node("Mul", ["f", "factor"], ["g"]),
        node("Floor", ["g"], ["h"]),
        node("Cast", ["h"], ["s"], to=7),
    ], {"a": integers(9), "factor": np.array([2.6], np.float32)})
    yield shaped("ceil_and_round", [
        node("Ceil", ["a"], ["b"]),
        node("Round", ["c"], ["d"]),
        node("Add", ["b", "d"], ["e"]),
        node("Cast", ["e"], ["s"], to=7),
    ], {"a": np.array([2.2, 19.1], np.float32), "c": np.array([0.5, -0.5], np.float32)}, inputs=(3, 20))
    yield Case("large_initializer_of_shape", [
        node("ConstantOfShape", ["n"], ["w"], value=tensor(np.array([0.5], np.float32))),
        node("MatMul", ["x", "w"]),
    ], {"x": (2, 30)}, {"n": integers(30, 4)})
    yield Case("constant_of_shape_default", [node("ConstantOfShape", ["n"], ["w"]), node("Add", ["x", "w"])],
               {"x": (2, 3)}, {"n": integers(2, 3)})
    yield Case("scalar_of_shape", [
        dims,
        node("Gather", ["d", "one"], ["n"]),
        node("Cast", ["n"], ["f"], to=1),
        node("Sqrt", ["f"], ["r"]),
        node("Reciprocal", ["r"], ["q"]),
        node("Mul", ["x", "q"]),
    ], {"x": IMAGE}, {"one": np.int64(1)})
    yield Case("expand_of_shape", [dims, node("Expand", ["c", "d"], ["e"]), node("Mul", ["x", "e"])], {"x": IMAGE},
               {"c": random(1, 3, 1, 1)})
    yield Case("absurd_constant_of_shape", [node("ConstantOfShape", ["n"], ["w"]), node("Add", ["x", "w"])],
               {"x": (2, 3)}, {"n": integers(1 << 15, 1 << 14)}, refused="take more memory than")
    yield Case("sign_of_binary_layers", [
        node("GreaterOrEqual", ["x", "z"], ["c"]), node("Where", ["c", "p", "m"])
    ], {"x": np.array([[-1.5, 0.0, 2.0]], np.float32)}, {"z": np.float32(0), "p": np.float32(1), "m": np.float32(-1)})
    yield Case("sign_turned_round", [
        node("Less", ["x", "z"], ["c"]), node("Where", ["c", "m", "p"])
    ], {"x": np.array([[-1.5, 0.0, 2.0]], np.float32)}, {"z": np.float32(0), "p": np.float32(1), "m": np.float32(-1)})
    yield Case("running_comparison", [node("Greater", ["x", "z"], ["c"]), node("Where", ["c", "x", "z"])],
               {"x": (2, 3)}, {"z": np.float32(0)}, refused="is only supported on constants")
    yield Case("running_floor", [node("Floor", ["x"])], {"x": (2, 3)}, refused="Floor is only supported on constants")
    yield Case("cast_to_integer", [node("Cast", ["x"], ["i"], to=6), node("Cast", ["i"], ["y"], to=1)],
               {"x": random(2, 3, scale=5.0)})
