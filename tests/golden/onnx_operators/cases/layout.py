"""Operators that move elements or give them another shape."""

import numpy as np
from case import Case, integers, node, random

IMAGE = (1, 3, 4, 5)


def with_input(name, operator, inputs, constants, opset=17, refused="", **attributes):
    nodes = [node(operator, ["x", *constants], **attributes)]
    return Case(name, nodes, {"x": inputs}, constants, opset=opset, refused=refused)


def unary(name, operator, inputs, opset=17, refused="", **attributes):
    return with_input(name, operator, inputs, {}, opset, refused, **attributes)


def pad(name, pads, opset=17, value=None, axes=None, refused="", **attributes):
    names, constants = ["x", "p"], {"p": integers(*pads)}
    if value is not None:
        constants["v"] = np.float32(value)
    if axes is not None:
        constants["a"] = integers(*axes)
    names += ["v" if value is not None else "", "a" if axes is not None else ""]
    while names[-1] == "":
        names.pop()
    return Case(name, [node("Pad", names, **attributes)], {"x": IMAGE}, constants, opset=opset, refused=refused)


def cases():
    yield with_input("reshape", "Reshape", IMAGE, {"s": integers(3, 20)})
    yield with_input("reshape_wildcard", "Reshape", IMAGE, {"s": integers(1, -1)})
    yield with_input("reshape_copied", "Reshape", IMAGE, {"s": integers(0, 0, -1)})
    yield with_input("reshape_opset_11", "Reshape", IMAGE, {"s": integers(0, 4, -1)}, opset=11)
    yield with_input("reshape_wrong", "Reshape", IMAGE, {"s": integers(7, -1)}, refused="shape = [7, -1]")
    yield Case("reshape_running", [node("Cast", ["z"], ["s"], to=7), node("Reshape", ["x", "s"])],
               {"x": IMAGE, "z": np.array([60.0], np.float32)}, refused="the shape is computed by the network")
    for axis in (0, 1, 2, 4, -1):
        yield unary(f"flatten_{axis}", "Flatten", IMAGE, axis=axis)
    yield unary("flatten_default", "Flatten", IMAGE)
    yield unary("squeeze_all", "Squeeze", (1, 3, 1, 2))
    yield with_input("squeeze_axes", "Squeeze", (1, 3, 1, 2), {"a": integers(-2)})
    yield unary("squeeze_axes_opset_11", "Squeeze", (1, 3, 1, 2), opset=11, axes=[0, 2])
    yield with_input("unsqueeze", "Unsqueeze", (3, 2), {"a": integers(0, -1)})
    yield unary("unsqueeze_opset_11", "Unsqueeze", (3, 2), opset=11, axes=[1, 3])
    yield unary("transpose_default", "Transpose", (2, 3, 4))
    yield unary("transpose", "Transpose", IMAGE, perm=[0, 2, 3, 1])
    yield unary("transpose_rank_5", "Transpose", (1, 2, 3, 2, 2), perm=[4, 0, 2, 1, 3])
    yield Case("concat_channels", [node("Concat", ["x", "z", "c"], axis=1)], {"x": IMAGE, "z": (1, 2, 4, 5)},
               {"c": random(1, 1, 4, 5)})
    yield Case("concat_negative_axis", [node("Concat", ["x", "z"], axis=-1)], {"x": (2, 3), "z": (2, 4)})
    yield Case("concat_one", [node("Concat", ["x"], axis=0)], {"x": (2, 3)})
    yield pad("pad", [0, 0, 1, 2, 0, 0, 3, 1])
    yield pad("pad_opset_11", [0, 0, 1, 2, 0, 0, 3, 1], opset=11)
    yield pad("pad_value", [0, 1, 1, 0, 0, 2, 0, 0], value=2.5)
    yield pad("pad_axes", [1, 2, 3, 0], value=-1.0, axes=[-1, 2], opset=18)
    yield pad("pad_negative", [0, 0, -1, 2, 0, -1, 0, -2])
    yield pad("pad_reflect", [0, 0, 1, 1, 0, 0, 1, 1], mode="reflect", refused="mode = reflect is not supported")
    yield pad("pad_edge", [0, 0, 1, 1, 0, 0, 1, 1], mode="edge", refused="mode = edge is not supported")
    yield with_input("expand", "Expand", (3, 1), {"s": integers(2, 3, 4)})
    yield with_input("expand_partly", "Expand", (3, 1, 4), {"s": integers(2, 1)})
    yield with_input("expand_nothing", "Expand", (3, 4), {"s": integers(1, 1)})
    yield with_input("tile", "Tile", (2, 3), {"r": integers(2, 3)})
    yield with_input("tile_image", "Tile", IMAGE, {"r": integers(1, 2, 1, 3)})
    yield unary("depth_to_space", "DepthToSpace", (1, 8, 2, 3), blocksize=2)
    yield unary("depth_to_space_crd", "DepthToSpace", (1, 8, 2, 3), blocksize=2, mode="CRD")
    yield unary("space_to_depth", "SpaceToDepth", (1, 3, 4, 6), blocksize=2)
    yield unary("identity", "Identity", IMAGE)
    yield unary("dropout", "Dropout", IMAGE)
    yield unary("dropout_opset_11", "Dropout", IMAGE, opset=11, ratio=0.3)
    yield Case("dropout_inside", [node("Relu", ["x"], ["a"]), node("Dropout", ["a"], ["b", "mask"]), node("Neg", ["b"])],
               {"x": IMAGE})
    yield Case("dropout_mask", [node("Dropout", ["x"], ["y", "mask"])], {"x": IMAGE}, outputs=("y", "mask"),
               refused="output 1 (the mask) is used")
    yield Case("output_twice", [node("Relu", ["x"], ["y"]), node("Identity", ["y"], ["z"])], {"x": (2, 3)},
               outputs=("y", "z"))
    yield Case("output_constant", [node("Relu", ["x"], ["y"])], {"x": (2, 3)}, {"c": random(2, 2)}, outputs=("y", "c"))
    yield Case("shuffle_channels", [node("Reshape", ["x", "s"], ["a"]), node("Transpose", ["a"], ["b"], perm=[0, 2, 1, 3, 4]),
                                    node("Reshape", ["b", "t"])], {"x": (1, 6, 2, 3)},
               {"s": integers(1, 2, 3, 2, 3), "t": integers(0, -1, 2, 3)})
