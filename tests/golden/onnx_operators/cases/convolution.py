"""Conv and ConvTranspose."""

from case import Case, node, random


def conv(name, inputs, weights, bias=True, opset=17, operator="Conv", refused="", **attributes):
    names = ["x", "w"] + (["b"] if bias else [])
    constants = {"w": random(*weights, seed=2, scale=0.5)}
    if bias:
        outputs = weights[0] if operator == "Conv" else weights[1] * attributes.get("group", 1)
        constants["b"] = random(outputs, seed=3)
    nodes = [node(operator, names, **attributes)]
    return Case(name, nodes, {"x": inputs}, constants, opset=opset, refused=refused)


def transposed(name, inputs, weights, **attributes):
    return conv(name, inputs, weights, operator="ConvTranspose", **attributes)


def cases():
    image = (1, 3, 8, 7)
    yield conv("conv_plain", image, (4, 3, 3, 3))
    yield conv("conv_no_bias", image, (4, 3, 3, 3), bias=False, kernel_shape=[3, 3])
    yield conv("conv_opset_11", image, (4, 3, 3, 3), opset=11, pads=[1, 1, 1, 1])
    yield conv("conv_opset_22", image, (4, 3, 3, 3), opset=22, pads=[1, 1, 1, 1])
    yield conv("conv_pads_uneven", image, (4, 3, 3, 2), pads=[1, 0, 2, 1], strides=[2, 1])
    yield conv("conv_strides_uneven", image, (2, 3, 1, 2), strides=[3, 2])
    yield conv("conv_dilated", image, (2, 3, 3, 3), dilations=[2, 1], pads=[2, 1, 2, 1])
    yield conv("conv_1x1", image, (5, 3, 1, 1))
    yield conv("conv_same_upper", image, (4, 3, 3, 2), auto_pad="SAME_UPPER", strides=[2, 2])
    yield conv("conv_same_lower", image, (4, 3, 3, 2), auto_pad="SAME_LOWER", strides=[2, 2])
    yield conv("conv_valid", image, (4, 3, 3, 2), auto_pad="VALID", strides=[2, 1])
    yield conv("conv_groups", (1, 4, 6, 6), (6, 2, 3, 3), group=2, pads=[1, 1, 1, 1])
    yield conv("conv_depthwise", (1, 4, 6, 6), (4, 1, 3, 3), group=4, pads=[1, 1, 1, 1])
    yield conv("conv_depthwise_multiplier", (1, 3, 6, 6), (6, 1, 3, 3), group=3, strides=[2, 2])
    yield conv("conv_single_channel", (1, 1, 6, 6), (3, 1, 3, 3), group=1)
    yield conv("conv_batch", (2, 3, 5, 5), (4, 3, 3, 3))
    yield conv("conv_1d", (1, 3, 12), (4, 3, 5), pads=[2, 1], strides=[2])
    yield conv("conv_1d_dilated", (1, 3, 12), (4, 3, 3), dilations=[3])
    yield conv("conv_1d_same", (1, 3, 12), (4, 3, 4), auto_pad="SAME_UPPER", strides=[3])
    yield conv("conv_1d_depthwise", (1, 4, 9), (4, 1, 3), group=4, pads=[1, 1])
    yield conv("conv_3d", (1, 2, 4, 4, 4), (2, 2, 3, 3, 3), refused="rank 3 (batch, channels, length) or 4")
    yield Case(
        "conv_weights_computed",
        [node("Relu", ["v"], ["w"]), node("Conv", ["x", "w"])],
        {"x": image, "v": (2, 3, 3, 3)},
        refused="the weights is computed by the network",
    )
    yield Case(
        "conv_weights_of_constants",
        [node("Mul", ["w", "s"], ["v"]), node("Conv", ["x", "v"], pads=[1, 1, 1, 1])],
        {"x": image},
        {"w": random(2, 3, 3, 3, seed=5), "s": random(2, 1, 1, 1, seed=6)},
    )

    small = (1, 3, 4, 5)
    yield transposed("transposed_plain", small, (3, 2, 3, 3))
    yield transposed("transposed_stride", small, (3, 2, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    yield transposed(
        "transposed_output_padding", small, (3, 2, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1], output_padding=[1, 2]
    )
    yield transposed("transposed_pads_uneven", small, (3, 2, 4, 3), strides=[2, 1], pads=[0, 1, 2, 1])
    yield transposed("transposed_output_shape", small, (3, 2, 3, 3), strides=[2, 2], output_shape=[8, 9])
    yield transposed("transposed_output_shape_larger", small, (3, 2, 2, 2), strides=[3, 3], output_shape=[11, 14])
    yield transposed("transposed_same_upper", small, (3, 2, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    yield transposed("transposed_same_lower", small, (3, 2, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER")
    yield transposed("transposed_no_bias", small, (3, 2, 2, 2), strides=[2, 2], bias=False)
    yield transposed("transposed_stride_above_kernel", small, (3, 2, 2, 2), strides=[3, 3])
    yield transposed("transposed_groups", (1, 4, 4, 3), (4, 3, 3, 3), group=2, strides=[2, 2], pads=[1, 1, 1, 1])
    yield transposed("transposed_depthwise", (1, 3, 4, 3), (3, 1, 4, 4), group=3, strides=[2, 2], pads=[1, 1, 1, 1])
    yield transposed("transposed_1d", (1, 3, 6), (3, 2, 4), strides=[2], pads=[1, 1])
    yield transposed("transposed_dilated", small, (3, 2, 3, 3), dilations=[2, 2], refused="dilations = 2x2 is not supported")
