"""Resize."""

import numpy as np
from case import Case, integers, node


def resize(name, inputs, scales=None, sizes=None, opset=17, refused="", axes=None, **attributes):
    names, constants = ["x", "", ""], {}
    if scales is not None:
        names[2] = "scales"
        constants["scales"] = np.array(scales, np.float32)
    if sizes is not None:
        names.append("sizes")
        constants["sizes"] = integers(*sizes)
    if opset < 13:
        names[1] = "roi"
        constants["roi"] = np.zeros(0, np.float32)
        if names[2] == "":
            names[2] = "none"
            constants["none"] = np.zeros(0, np.float32)
    if axes is not None:
        attributes["axes"] = axes
    return Case(name, [node("Resize", names, **attributes)], {"x": inputs}, constants, opset=opset, refused=refused)


def cases():
    image = (1, 2, 4, 5)
    asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    yield resize("nearest_double", image, scales=[1, 1, 2, 2], **asymmetric)
    yield resize("nearest_double_opset_11", image, scales=[1, 1, 2, 2], opset=11, **asymmetric)
    yield resize("nearest_double_opset_19", image, scales=[1, 1, 2, 2], opset=19, **asymmetric)
    yield resize("nearest_to_size", image, sizes=[1, 2, 7, 9], **asymmetric)
    yield resize("nearest_down", image, sizes=[1, 2, 2, 3], **asymmetric)
    yield resize("nearest_half_pixel_double", image, scales=[1, 1, 2, 2])
    yield resize("nearest_half_pixel_floor_triple", image, scales=[1, 1, 3, 3], nearest_mode="round_prefer_ceil")
    yield resize("nearest_axes", image, scales=[2, 3], axes=[2, 3], opset=18, **asymmetric)
    yield resize("nearest_1d", (1, 2, 5), scales=[1, 1, 2], **asymmetric)
    yield resize("nearest_align_corners", image, sizes=[1, 2, 7, 9], coordinate_transformation_mode="align_corners",
                 nearest_mode="round_prefer_ceil")
    yield resize("nearest_same", image, scales=[1, 1, 1, 1])
    yield resize("linear_half_pixel_double", image, scales=[1, 1, 2, 2], mode="linear")
    yield resize("linear_half_pixel_size", image, sizes=[1, 2, 7, 3], mode="linear")
    yield resize("linear_pytorch_half_pixel", image, sizes=[1, 2, 7, 9], mode="linear",
                 coordinate_transformation_mode="pytorch_half_pixel")
    yield resize("linear_align_corners", image, sizes=[1, 2, 7, 9], mode="linear",
                 coordinate_transformation_mode="align_corners")
    yield resize("linear_asymmetric", image, sizes=[1, 2, 7, 9], mode="linear",
                 coordinate_transformation_mode="asymmetric")
    yield resize("linear_down_opset_11", image, sizes=[1, 2, 2, 3], mode="linear", opset=11)
    yield resize("linear_1d", (1, 2, 5), sizes=[1, 2, 9], mode="linear")
    yield resize("cubic", image, scales=[1, 1, 2, 2], mode="cubic", refused="mode = cubic is not supported")
    yield resize("nearest_ceil", image, sizes=[1, 2, 7, 9], coordinate_transformation_mode="asymmetric",
                 nearest_mode="ceil", refused="nearest_mode = ceil with asymmetric is not supported")
    yield resize("channels", image, scales=[1, 2, 1, 1], refused="batch and channels must stay as they are")
    yield resize("fractional_scale", image, scales=[1, 1, 1.3, 1.3], mode="linear",
                 refused="coordinate_transformation_mode = half_pixel is not supported")
    yield resize("antialias", image, sizes=[1, 2, 2, 3], mode="linear", antialias=1, opset=18,
                 refused="antialias = 1 is not supported")
