"""What the convolutions share: weights and output sizes."""

import numpy as np

from case import generator
from model import SAME


def parameters(
    name,
    model,
    shape,
    axis,
    input_scale,
    *,
    per_channel=True,
    bias=4000,
    weights=None,
    weight_limit=127,
    multipliers=None,
    output_scale=None,
    output_zero_point=3,
):
    """The weights and the bias, and an output quantization that the results fill.

    `multipliers` fixes the requantization multiplier of each channel; `bias` is the largest
    magnitude, None for no bias at all; `weights` is a value for all weights.
    """
    rng = generator(name)
    outputs = shape[axis]
    values = rng.integers(-weight_limit, weight_limit + 1, shape)
    if weights is not None:
        values = np.full(shape, weights)
    values = values.astype(np.int8)

    taps = np.prod(shape) // outputs
    if multipliers is not None:
        output_scale = output_scale or 0.05
        scales = np.asarray(multipliers) * output_scale / input_scale
    else:
        scales = 2.0 ** rng.uniform(-9, -7, outputs if per_channel else 1)
        spread = input_scale * scales.mean() * 74 * 60 * np.sqrt(taps)
        output_scale = output_scale or spread / 50
    scales = scales.astype(np.float32)

    constants = [model.constant(values, scales, axis=axis, name="weights")]
    if bias is not None:
        offsets = rng.integers(-bias, bias + 1, outputs).astype(np.int32)
        constants.append(model.constant(offsets, np.float32(input_scale) * scales, name="bias"))
    return constants, output_scale, output_zero_point


def output_size(size, kernel, stride, dilation, padding):
    """Height and width of what a convolution writes."""
    extents = []
    for n, k, s, d in zip(size, kernel, stride, dilation):
        reach = (k - 1) * d + 1
        extents.append(-(-n // s) if padding == SAME else (n - reach) // s + 1)
    return extents
