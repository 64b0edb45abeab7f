"""Operators that move bytes: RESHAPE, PAD, CONCATENATION, TRANSPOSE and their like."""

import numpy as np

from case import case
from model import Model, schema

QUANTIZATION = (0.05, -3)


def reshape():
    for label, special, shape, target in (
        ("flatten", "an image to a row", (1, 3, 4, 2), (1, 24)),
        ("wildcard", "-1 in the new shape", (2, 3, 4), (2, -1)),
        ("add_axes", "a row to an image", (1, 24), (1, 2, 4, 3)),
        ("rank_5", "up to rank 5", (6, 4), (1, 2, 3, 2, 2)),
    ):
        result_shape = np.empty(shape).reshape(target).shape
        yield _move(
            "RESHAPE",
            label,
            special,
            shape,
            result_shape,
            [target],
            "ReshapeOptions",
            newShape=list(target),
        )
    yield _move(
        "RESHAPE",
        "options_only",
        "the new shape only in the options",
        (2, 6),
        (3, 4),
        [],
        "ReshapeOptions",
        newShape=[3, 4],
    )


def squeeze():
    yield _move(
        "SQUEEZE",
        "all",
        "all axes of size 1",
        (1, 3, 1, 4),
        (3, 4),
        [],
        "SqueezeOptions",
        squeezeDims=[],
    )
    yield _move(
        "SQUEEZE",
        "some",
        "axes 1 and 2 of four",
        (1, 1, 1, 7),
        (1, 7),
        [],
        "SqueezeOptions",
        squeezeDims=[1, 2],
    )
    yield _move(
        "SQUEEZE",
        "negative",
        "axis -2",
        (2, 3, 1, 5),
        (2, 3, 5),
        [],
        "SqueezeOptions",
        squeezeDims=[-2],
    )


def expand_dims():
    for label, axis, shape in (
        ("first", 0, (1, 3, 5)),
        ("middle", 1, (3, 1, 5)),
        ("last", -1, (3, 5, 1)),
    ):
        yield _move(
            "EXPAND_DIMS", label, f"axis {axis}", (3, 5), shape, [axis], "ExpandDimsOptions"
        )


def pad():
    for label, special, shape, paddings in (
        (
            "image",
            "unequal rows and columns of zeros",
            (1, 3, 4, 2),
            ((0, 0), (1, 2), (0, 3), (0, 0)),
        ),
        ("channels", "channels added at the end", (1, 3, 2, 3), ((0, 0), (0, 0), (0, 0), (0, 5))),
        ("every_axis", "rank 4, all sides", (1, 2, 3, 2), ((1, 0), (0, 1), (2, 1), (1, 1))),
        ("rank_3", "rank 3", (2, 3, 4), ((0, 1), (1, 1), (2, 0))),
        ("rank_2", "rank 2", (3, 5), ((1, 0), (2, 3))),
        ("rank_1", "rank 1", (6,), ((4, 1),)),
        ("none", "no padding at all", (2, 3), ((0, 0), (0, 0))),
    ):
        target = [n + before + after for n, (before, after) in zip(shape, paddings)]
        yield _move("PAD", label, special, shape, target, [paddings], "PadOptions")
        for value in (-128, 77):
            yield _padv2(
                f"{label}_{'minus_' if value < 0 else ''}{abs(value)}",
                f"{special}, filled with {value}",
                shape,
                target,
                paddings,
                value,
            )
            if label not in ("image", "rank_2"):
                break


def mirror_pad():
    reflect, symmetric = schema.MirrorPadMode.REFLECT, schema.MirrorPadMode.SYMMETRIC
    paddings = ((0, 0), (1, 2), (2, 1), (0, 0))
    yield _move(
        "MIRROR_PAD",
        "reflect",
        "the border is not repeated",
        (1, 3, 4, 2),
        (1, 6, 7, 2),
        [paddings],
        "MirrorPadOptions",
        mode=reflect,
    )
    yield _move(
        "MIRROR_PAD",
        "symmetric",
        "the border is repeated",
        (1, 3, 4, 2),
        (1, 6, 7, 2),
        [paddings],
        "MirrorPadOptions",
        mode=symmetric,
    )


def concatenation():
    image = (1, 3, 4, 2)
    yield _concatenation("channels", "last axis", [image, (1, 3, 4, 5)], 3)
    yield _concatenation("negative_axis", "axis -1", [image, (1, 3, 4, 1)], -1)
    yield _concatenation("width", "axis 2", [image, (1, 3, 1, 2)], 2)
    yield _concatenation("height", "axis 1", [image, (1, 2, 4, 2)], 1)
    yield _concatenation("batch", "axis 0", [image, (2, 3, 4, 2)], 0)
    yield _concatenation("three", "three inputs", [(2, 3), (2, 1), (2, 5)], 1)
    yield _concatenation("four", "four inputs", [(1, 2, 2, n) for n in (1, 2, 3, 4)], 3)
    yield _concatenation("rank_1", "rank 1", [(5,), (8,)], 0)
    yield _concatenation("single", "one input: a copy", [(3, 4)], 1)
    yield _concatenation("twice", "the same tensor twice", [(2, 3)], 1, repeat=2)
    yield _concatenation(
        "constant", "a constant between two inputs", [(2, 3), (2, 2), (2, 1)], 1, constant=1
    )


def transpose():
    for label, shape, order in (
        ("rank_2", (4, 7), (1, 0)),
        ("rank_3_rotate", (2, 3, 5), (2, 0, 1)),
        ("rank_3_swap", (2, 3, 5), (0, 2, 1)),
        ("channels_first", (1, 4, 5, 3), (0, 3, 1, 2)),
        ("channels_last", (1, 3, 4, 5), (0, 2, 3, 1)),
        ("reverse", (2, 3, 4, 5), (3, 2, 1, 0)),
        ("identity", (2, 3, 4), (0, 1, 2)),
        ("rank_5", (2, 1, 3, 2, 4), (4, 2, 0, 3, 1)),
    ):
        target = [shape[axis] for axis in order]
        yield _move(
            "TRANSPOSE", label, f"{shape} by {order}", shape, target, [order], "TransposeOptions"
        )


def pack():
    for label, shape, axis, count in (
        ("axis_0", (3, 4), 0, 2),
        ("last_axis", (3, 4), 2, 3),
        ("negative_axis", (2, 5), -2, 2),
    ):
        model = Model()
        sources = [model.tensor(shape, *QUANTIZATION, name=f"input{i}") for i in range(count)]
        target = np.stack([np.empty(shape)] * count, axis).shape
        result = model.tensor(target, *QUANTIZATION, name="output")
        model.operator("PACK", sources, [result], "PackOptions", axis=axis, valuesCount=count)
        yield case(f"pack_{label}", f"axis {axis}", model, sources, [result])


def unpack():
    for label, shape, axis in (
        ("axis_0", (2, 3, 4), 0),
        ("axis_1", (2, 3, 4), 1),
        ("negative_axis", (2, 3), -1),
    ):
        model = Model()
        source = model.tensor(shape, *QUANTIZATION, name="input")
        target = [n for i, n in enumerate(shape) if i != axis % len(shape)]
        count = shape[axis]
        results = [model.tensor(target, *QUANTIZATION, name=f"output{i}") for i in range(count)]
        model.operator("UNPACK", [source], results, "UnpackOptions", axis=axis, num=count)
        yield case(f"unpack_{label}", f"axis {axis}", model, [source], results)


def _move(operator, label, special, shape, target, indices, options, **attributes):
    model = Model()
    source = model.tensor(shape, *QUANTIZATION, name="input")
    result = model.tensor(target, *QUANTIZATION, name="output")
    inputs = [source, *(model.indices(values) for values in indices)]
    model.operator(operator, inputs, [result], options, **attributes)
    return case(f"{operator.lower()}_{label}", special, model, [source], [result])


def _padv2(label, special, shape, target, paddings, value):
    model = Model()
    source = model.tensor(shape, *QUANTIZATION, name="input")
    result = model.tensor(target, *QUANTIZATION, name="output")
    fill = model.constant(np.array([value], np.int8), *QUANTIZATION)
    model.operator("PADV2", [source, model.indices(paddings), fill], [result], "PadV2Options")
    return case(f"padv2_{label}", special, model, [source], [result])


def _concatenation(label, special, shapes, axis, constant=None, repeat=1):
    model = Model()
    parts, inputs = [], []
    for index, shape in enumerate(shapes):
        tensor = model.tensor(shape, *QUANTIZATION, name=f"input{index}")
        if index == constant:
            tensor.data = np.arange(np.prod(shape)).astype(np.int8).reshape(shape)
        else:
            inputs.append(tensor)
        parts.append(tensor)
    parts *= repeat
    target = np.concatenate([np.empty(part.shape) for part in parts], axis).shape
    result = model.tensor(target, *QUANTIZATION, name="output")
    model.operator("CONCATENATION", parts, [result], "ConcatenationOptions", axis=axis)
    return case(f"concatenation_{label}", special, model, inputs, [result])
