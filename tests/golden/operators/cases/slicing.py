"""STRIDED_SLICE, SLICE, SPLIT and SPLIT_V."""

import numpy as np

from case import case
from model import Model
from reference import TFLITE, TFLM

QUANTIZATION = (0.05, -3)


def strided_slice():
    yield _strided(
        "inner_box",
        (1, 5, 6, 3),
        (0, 1, 2, 0),
        (1, 4, 5, 3),
        (1, 1, 1, 1),
        special="a box, stride 1",
    )
    yield _strided(
        "strides", (1, 7, 8, 3), (0, 0, 1, 0), (1, 7, 8, 3), (1, 2, 3, 1), special="strides 2 and 3"
    )
    yield _strided(
        "channel_stride",
        (2, 3, 8),
        (0, 0, 1),
        (2, 3, 8),
        (1, 1, 2),
        special="a stride in the last axis",
    )
    yield _strided(
        "negative_indices", (3, 8), (0, -6), (3, -1), (1, 1), special="negative begin and end"
    )
    yield _strided(
        "out_of_range", (3, 8), (-9, 2), (9, 100), (1, 1), special="begin and end beyond the axis"
    )
    yield _strided(
        "begin_mask", (4, 6), (2, 3), (4, 5), (1, 1), begin_mask=0b10, special="begin mask"
    )
    yield _strided("end_mask", (4, 6), (1, 3), (2, 4), (1, 1), end_mask=0b11, special="end mask")
    yield _strided("reversed", (4, 6), (-1, -1), (-5, -7), (-1, -1), special="both axes reversed")
    yield _strided(
        "reversed_masks",
        (4, 6),
        (0, 0),
        (0, 0),
        (1, -1),
        begin_mask=0b11,
        end_mask=0b11,
        special="an axis reversed through masks",
    )
    yield _strided(
        "negative_stride_2", (1, 9, 2), (0, 7, 0), (1, 0, 2), (1, -2, 1), special="stride -2"
    )
    yield _strided(
        "shrink_axis",
        (4, 5, 3),
        (0, 2, 0),
        (4, 3, 3),
        (1, 1, 1),
        shrink_axis_mask=0b010,
        special="an axis shrunk away",
    )
    yield _strided(
        "shrink_negative",
        (4, 5, 3),
        (-1, 0, 0),
        (0, 5, 3),
        (1, 1, 1),
        shrink_axis_mask=0b001,
        special="the last index shrunk away: its end means nothing",
    )
    yield _strided("rank_1", (17,), (3,), (15,), (4,), special="rank 1")
    special = "ellipsis mask, which TFLM ignores"
    yield _strided(
        "ellipsis",
        (2, 4, 5, 3),
        (0, 1),
        (0, 3),
        (1, 1),
        ellipsis_mask=0b01,
        shape=(2, 4, 5, 2),
        special=special,
        reference=TFLITE,
    )
    special = "new axis mask, which TFLM ignores"
    yield _strided(
        "new_axis",
        (4, 6),
        (0, 0, 1),
        (4, 0, 5),
        (1, 1, 2),
        new_axis_mask=0b010,
        shape=(4, 1, 2),
        special=special,
        reference=TFLITE,
    )


def slice_():
    for label, special, shape, begin, size in (
        ("box", "a box", (1, 5, 6, 3), (0, 1, 2, 0), (1, 3, 3, 3)),
        ("rest", "size -1: all that follows", (2, 6, 5), (0, 2, 1), (-1, -1, 3)),
        ("channels", "part of the channels", (2, 3, 9), (0, 0, 4), (2, 3, 4)),
        ("rank_1", "rank 1", (20,), (7,), (11,)),
        ("whole", "a copy", (3, 4), (0, 0), (3, 4)),
    ):
        sizes = [n - b if s == -1 else s for n, b, s in zip(shape, begin, size)]
        model = Model()
        source = model.tensor(shape, *QUANTIZATION, name="input")
        result = model.tensor(sizes, *QUANTIZATION, name="output")
        inputs = [source, model.indices(begin), model.indices(size)]
        model.operator("SLICE", inputs, [result], "SliceOptions")
        yield case(f"slice_{label}", special, model, [source], [result])


def split():
    for label, special, shape, axis, parts in (
        ("channels", "three parts along the last axis", (1, 3, 2, 6), 3, 3),
        ("axis_0", "along the first axis", (4, 5), 0, 2),
        ("negative_axis", "axis -2", (2, 6, 3), -2, 2),
    ):
        model = Model()
        source = model.tensor(shape, *QUANTIZATION, name="input")
        sizes = [shape[axis] // parts] * parts
        results = _parts(model, shape, axis, sizes)
        model.operator(
            "SPLIT", [model.indices(axis), source], results, "SplitOptions", numSplits=parts
        )
        yield case(f"split_{label}", special, model, [source], results)


def split_v():
    for label, special, shape, axis, sizes in (
        ("uneven", "parts of 1, 4 and 2", (2, 7, 3), 1, (1, 4, 2)),
        ("channels", "uneven along the last axis", (1, 2, 2, 8), -1, (5, 3)),
    ):
        model = Model()
        source = model.tensor(shape, *QUANTIZATION, name="input")
        results = _parts(model, shape, axis, sizes)
        inputs = [source, model.indices(sizes), model.indices(axis)]
        model.operator("SPLIT_V", inputs, results, "SplitVOptions", numSplits=len(sizes))
        yield case(f"split_v_{label}", special, model, [source], results)


def _parts(model, shape, axis, sizes):
    shapes = []
    for size in sizes:
        part = list(shape)
        part[axis] = size
        shapes.append(part)
    return [model.tensor(s, *QUANTIZATION, name=f"output{i}") for i, s in enumerate(shapes)]


def _strided(
    label,
    source_shape,
    begin,
    end,
    strides,
    *,
    special,
    shape=None,
    reference=TFLM,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
):
    if shape is None:
        shape = _strided_shape(
            source_shape, begin, end, strides, begin_mask, end_mask, shrink_axis_mask
        )
    model = Model()
    source = model.tensor(source_shape, *QUANTIZATION, name="input")
    result = model.tensor(shape, *QUANTIZATION, name="output")
    inputs = [source, *(model.indices(values) for values in (begin, end, strides))]
    model.operator(
        "STRIDED_SLICE",
        inputs,
        [result],
        "StridedSliceOptions",
        beginMask=begin_mask,
        endMask=end_mask,
        ellipsisMask=ellipsis_mask,
        newAxisMask=new_axis_mask,
        shrinkAxisMask=shrink_axis_mask,
    )
    return case(f"strided_slice_{label}", special, model, [source], [result], reference=reference)


def _strided_shape(source_shape, begin, end, strides, begin_mask, end_mask, shrink_axis_mask):
    index = []
    for axis, (first, last, stride) in enumerate(zip(begin, end, strides)):
        bit = 1 << axis
        if shrink_axis_mask & bit:
            index.append(first)
        else:
            index.append(
                slice(None if begin_mask & bit else first, None if end_mask & bit else last, stride)
            )
    return np.empty(source_shape)[tuple(index)].shape
