"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR."""

from case import case
from model import Model

# Labels, input and output sizes.
SIZES = (
    ("double", "twofold up", (3, 4), (6, 8)),
    ("triple", "threefold up", (3, 2), (9, 6)),
    ("half", "twofold down", (8, 6), (4, 3)),
    ("5x7_to_8x5", "up and down by fractions", (5, 7), (8, 5)),
    ("7x6_to_3x11", "down and up by fractions", (7, 6), (3, 11)),
    ("to_1x1", "down to one pixel", (4, 5), (1, 1)),
    ("from_1x1", "up from one pixel", (1, 1), (3, 4)),
    ("same_size", "a copy", (4, 3), (4, 3)),
)

# Labels of the coordinate modes, align_corners and half_pixel_centers.
MODES = (("", False, False), ("_align_corners", True, False), ("_half_pixel", False, True))


def nearest_neighbor():
    yield from _all("RESIZE_NEAREST_NEIGHBOR", "ResizeNearestNeighborOptions")


def bilinear():
    yield from _all("RESIZE_BILINEAR", "ResizeBilinearOptions")


def _all(operator, options):
    for mode, align_corners, half_pixel_centers in MODES:
        for label, special, size, target in SIZES:
            if mode and label in ("triple", "from_1x1", "same_size"):
                continue
            name = f"{operator.lower()}_{label}{mode}"
            model = Model()
            source = model.tensor((1, *size, 3), 0.05, -7, name="input")
            result = model.tensor((1, *target, 3), 0.05, -7, name="output")
            model.operator(
                operator,
                [source, model.indices(target)],
                [result],
                options,
                alignCorners=align_corners,
                halfPixelCenters=half_pixel_centers,
            )
            yield case(name, f"{special}{mode.replace('_', ' ')}", model, [source], [result])
