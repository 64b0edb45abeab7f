"""Slice, Split and Gather."""

import numpy as np
from case import Case, integers, node

IMAGE = (1, 4, 5, 6)
LAST = np.iinfo(np.int64).max
FIRST = np.iinfo(np.int64).min


def cut(name, inputs, starts, ends, axes=None, steps=None, opset=17, refused=""):
    constants = {"starts": integers(*starts), "ends": integers(*ends)}
    names = ["x", "starts", "ends"]
    if axes is not None:
        constants["axes"] = integers(*axes)
    if steps is not None:
        constants["steps"] = integers(*steps)
    names += ["axes" if axes is not None else "", "steps" if steps is not None else ""]
    while names[-1] == "":
        names.pop()
    return Case(name, [node("Slice", names)], {"x": inputs}, constants, opset=opset, refused=refused)


def split(name, sizes=None, parts=2, axis=1, opset=17, as_attribute=False, inputs=IMAGE, **attributes):
    outputs = [f"y{index}" for index in range(parts)]
    constants, names = {}, ["x"]
    if sizes is not None and as_attribute:
        attributes["split"] = sizes
    elif sizes is not None:
        constants["sizes"] = integers(*sizes)
        names.append("sizes")
    nodes = [node("Split", names, outputs, axis=axis, **attributes)]
    return Case(name, nodes, {"x": inputs}, constants, tuple(outputs), opset=opset)


def gather(name, indices, axis, inputs=IMAGE, refused=""):
    return Case(name, [node("Gather", ["x", "i"], axis=axis)], {"x": inputs}, {"i": indices}, refused=refused)


def cases():
    yield cut("slice_all_axes", IMAGE, [0, 1, 1, 2], [1, 3, 4, 6])
    yield cut("slice_axes", IMAGE, [1, -3], [-1, LAST], axes=[2, -1])
    yield cut("slice_steps", IMAGE, [0, 1], [LAST, LAST], axes=[2, 3], steps=[2, 3])
    yield cut("slice_reversed", IMAGE, [-1], [FIRST], axes=[3], steps=[-1])
    yield cut("slice_reversed_steps", IMAGE, [4, 100], [0, -100], axes=[2, 3], steps=[-2, -4])
    yield cut("slice_out_of_range", IMAGE, [-100, 2], [100, 50], axes=[1, 2])
    yield cut("slice_opset_11", IMAGE, [1], [3], axes=[1], opset=11)
    yield cut("slice_whole", IMAGE, [0], [LAST], axes=[1])
    yield cut("slice_one_long_step", IMAGE, [2], [3], axes=[2], steps=[LAST])
    yield cut("slice_nothing", IMAGE, [3], [3], axes=[1], refused="count = 0")
    yield split("split_even")
    yield split("split_sizes", [1, 3])
    yield split("split_three", [1, 2, 3], parts=3, axis=-1)
    yield split("split_opset_11", [3, 1], opset=11, as_attribute=True)
    yield split("split_opset_11_even", parts=3, axis=3, opset=11)
    yield split("split_num_outputs", parts=3, axis=2, opset=18, num_outputs=3)
    yield split("split_default_axis", parts=2, axis=0, inputs=(4, 3))
    yield gather("gather_scalar", np.int64(2), 1)
    yield gather("gather_scalar_negative", np.int64(-1), 3)
    yield gather("gather_vector", integers(3, 0, -2), 1)
    yield gather("gather_one", integers(1), 2)
    yield gather("gather_matrix", np.array([[0, 2], [1, 1]], np.int32), 2)
    yield gather("gather_first_axis", integers(1, 0), 0, inputs=(3, 4))
    yield gather("gather_outside", integers(4), 1, refused="indices = 4")
    yield Case("gather_embedding", [node("Gather", ["w", "i"])], {"i": integers(2, 0, 2, 1)},
               {"w": np.arange(12, dtype=np.float32).reshape(4, 3)})
