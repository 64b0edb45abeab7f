"""AveragePool, MaxPool and the global pools."""

from case import Case, node


def pool(operator, name, inputs, opset=17, refused="", **attributes):
    name = f"{'average' if operator == 'AveragePool' else 'max'}_{name}"
    return Case(name, [node(operator, ["x"], **attributes)], {"x": inputs}, opset=opset, refused=refused)


def cases():
    image = (1, 3, 8, 7)
    for operator in ("AveragePool", "MaxPool"):
        yield pool(operator, "plain", image, kernel_shape=[2, 2], strides=[2, 2])
        yield pool(operator, "strides_default", image, kernel_shape=[3, 2])
        yield pool(operator, "pads", image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        yield pool(operator, "pads_uneven", image, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 2, 1])
        yield pool(operator, "ceil", image, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
        yield pool(operator, "ceil_pads", image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
        yield pool(operator, "ceil_last_outside", (1, 2, 5, 5), kernel_shape=[1, 1], strides=[3, 3], ceil_mode=1)
        yield pool(operator, "ceil_window_starts_in_padding", (1, 2, 4, 4), kernel_shape=[2, 2], strides=[3, 3],
                   pads=[1, 1, 1, 1], ceil_mode=1, opset=22)
        yield pool(operator, "same_upper", image, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")
        yield pool(operator, "same_lower", image, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_LOWER")
        yield pool(operator, "valid", image, kernel_shape=[3, 2], strides=[2, 2], auto_pad="VALID")
        yield pool(operator, "opset_11", image, kernel_shape=[2, 2], strides=[1, 2], opset=11)
        yield pool(operator, "opset_22", image, kernel_shape=[2, 2], strides=[1, 2], opset=22)
        yield pool(operator, "1d", (1, 3, 9), kernel_shape=[3], strides=[2], pads=[1, 0])
        yield pool(operator, "1d_ceil", (1, 3, 10), kernel_shape=[3], strides=[2], ceil_mode=1)
        yield pool(operator, "3d", (1, 1, 4, 4, 4), kernel_shape=[2, 2, 2], refused="rank 3 (batch, channels, length) or 4")
    yield pool("AveragePool", "counted", image, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    yield pool("AveragePool", "counted_no_pads_ceil", image, kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1,
               count_include_pad=1, opset=19)
    yield pool("AveragePool", "counted_uneven", image, kernel_shape=[3, 3], pads=[2, 0, 1, 1], count_include_pad=1)
    yield pool("AveragePool", "counted_1d", (1, 3, 9), kernel_shape=[3], strides=[2], pads=[1, 1], count_include_pad=1)
    yield pool("AveragePool", "counted_same_upper", image, kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER",
               count_include_pad=1)
    yield pool("AveragePool", "counted_ceil", (1, 2, 7, 7), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0],
               ceil_mode=1, count_include_pad=1, opset=19, refused="count_include_pad = 1 is not supported")
    yield pool("MaxPool", "dilated", image, kernel_shape=[2, 2], dilations=[2, 2], refused="dilations = 2x2 is not supported")
    yield Case("max_indices", [node("MaxPool", ["x"], ["y", "i"], kernel_shape=[2, 2])], {"x": image}, outputs=("y", "i"),
               refused="output 1 (the indices of the maxima) is used")
    for operator, name in (("GlobalAveragePool", "global_average"), ("GlobalMaxPool", "global_max")):
        yield Case(name, [node(operator, ["x"])], {"x": image})
        yield Case(f"{name}_1d", [node(operator, ["x"])], {"x": (2, 3, 5)})
