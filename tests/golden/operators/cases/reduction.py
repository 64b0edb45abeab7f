"""MEAN, SUM, REDUCE_MAX and ARG_MAX."""

import numpy as np

from case import case, generator
from model import Model, schema

IMAGE = (2, 5, 4, 3)
EQUAL = ((0.05, 9), (0.05, 9))
DIFFERING = ((0.05, 9), (0.02, -30))

# Labels, shapes, axes and keep_dims.
AXES = (
    ("height_width_kept", IMAGE, (1, 2), True),
    ("height_width", IMAGE, (1, 2), False),
    ("width_height_reversed", IMAGE, (2, 1), True),
    ("axis_1", IMAGE, (1,), False),
    ("axis_2_kept", IMAGE, (2,), True),
    ("axis_3", IMAGE, (3,), False),
    ("axis_0", IMAGE, (0,), False),
    ("negative_axis", IMAGE, (-1,), True),
    ("negative_axes", IMAGE, (-3, -2), False),
    ("duplicate_axis", IMAGE, (2, -2), False),
    ("rank_2", (6, 11), (1,), False),
    ("rank_3", (2, 13, 5), (1,), False),
)
SOME_AXES = ("height_width_kept", "height_width", "axis_3", "negative_axis", "axis_0", "rank_3")


def mean():
    for label, shape, axes, keep_dims in AXES:
        yield _reduce("MEAN", label, shape, axes, keep_dims, EQUAL)
        if label in SOME_AXES:
            yield _reduce("MEAN", f"{label}_rescaled", shape, axes, keep_dims, DIFFERING)
    yield _reduce("MEAN", "all_axes", IMAGE, (0, 1, 2, 3), True, DIFFERING)
    yield _reduce("MEAN", "one_element", (1, 1, 1, 8), (1, 2), True, EQUAL)
    yield _reduce("MEAN", "coarser", (1, 7, 7, 8), (1, 2), True, ((0.05, -128), (0.4, 100)))
    yield _reduce("MEAN", "finer", (1, 7, 7, 8), (1, 2), True, ((0.05, 0), (0.012, 20)))
    yield _reduce("MEAN", "large_area", (1, 25, 20, 2), (1, 2), True, ((0.05, -128), (0.03, 3)))
    yield _small_sums()


def sum_():
    for label, shape, axes, keep_dims in AXES:
        if label in SOME_AXES:
            yield _reduce("SUM", label, shape, axes, keep_dims, ((0.05, 9), (0.35, -6)))


def reduce_max():
    for label, shape, axes, keep_dims in AXES:
        if label in SOME_AXES:
            yield _reduce("REDUCE_MAX", label, shape, axes, keep_dims, EQUAL)


def arg_max():
    for label, shape, axis in (
        ("last_axis", (2, 3, 7), 2),
        ("axis_1", (2, 6, 5), 1),
        ("axis_0", (5, 4), 0),
        ("negative_axis", (2, 3, 7), -1),
        ("rank_1", (19,), 0),
        ("rank_4", (1, 3, 2, 5), 3),
    ):
        name = f"arg_max_{label}"
        rng = generator(name, "inputs")
        model = Model()
        source = model.tensor(shape, 0.05, 3, name="input")
        rank = len(shape)
        remaining = [n for i, n in enumerate(shape) if i != axis % rank]
        result = model.tensor(remaining, dtype="int32", name="output")
        model.operator(
            "ARG_MAX",
            [source, model.indices(axis)],
            [result],
            "ArgMaxOptions",
            outputType=schema.TensorType.INT32,
        )
        vectors = [
            [rng.integers(low, high, shape).astype(np.int8)]
            for low, high in ((-128, 128), (-2, 3), (-128, -126), (5, 6))
        ]
        yield case(
            name,
            f"axis {axis} of {shape}; among equals the first wins",
            model,
            [source],
            [result],
            vectors,
        )


def _reduce(operator, label, shape, axes, keep_dims, quantization, vectors=None):
    name = f"{operator.lower()}_{label}"
    reduced = {axis % len(shape) for axis in axes}
    remaining = [
        1 if index in reduced else extent
        for index, extent in enumerate(shape)
        if keep_dims or index not in reduced
    ]
    model = Model()
    source = model.tensor(shape, *quantization[0], name="input")
    result = model.tensor(remaining, *quantization[1], name="output")
    model.operator(
        operator, [source, model.indices(axes)], [result], "ReducerOptions", keepDims=keep_dims
    )
    special = f"axes {list(axes)} of {shape}, {'kept' if keep_dims else 'removed'}"
    return case(name, special, model, [source], [result], vectors)


def _small_sums():
    """Sums around zero, where rounding and truncation part."""
    rng = generator("mean_small_sums", "inputs")
    shape = (1, 4, 4, 16)
    vectors = [
        [rng.integers(low, high, shape).astype(np.int8)] for low, high in ((-4, 5), (-3, 1), (0, 4))
    ]
    case_ = _reduce("MEAN", "small_sums", shape, (1, 2), True, ((0.05, 0), (0.05, 0)), vectors)
    case_.special = (
        "means around zero on ties: equal quantizations are rescaled and rounded all the same"
    )
    return case_
