//! 2-D convolution of each channel for itself.

use super::activation::clamp;
use super::convolution::fill_rows;
use super::{Array, ArrayMut, Threads};
use crate::ir::attributes::DepthwiseConv2d;

/// Input NHWC, filter `[1, H, W, C * multiplier]`, bias `[C * multiplier]`, output NHWC; shapes are as
/// [`crate::ir::infer`] demands.
pub fn depthwise_conv2d(
    attributes: &DepthwiseConv2d,
    input: Array<'_>,
    filter: Array<'_>,
    bias: Option<&[f32]>,
    output: ArrayMut<'_>,
    threads: Threads,
) {
    let [_, height, width, channels] = input.dims();
    let [_, filter_height, filter_width, outputs] = filter.dims();
    let [_, out_height, out_width, _] = output.dims();
    let DepthwiseConv2d { stride, dilation, padding, multiplier, activation } = *attributes;
    if channels == 0 || multiplier == 0 {
        return;
    }
    threads.for_each_chunk(output.values, out_width * outputs, |row, sums| {
        let (image, y) = (row / out_height, row % out_height);
        fill_rows(sums, bias, outputs);
        for tap_y in 0..filter_height {
            let in_y = (y * stride.height + tap_y * dilation.height).checked_sub(padding.top);
            let Some(in_y) = in_y.filter(|&in_y| in_y < height) else { continue };
            let in_row = &input.values[(image * height + in_y) * width * channels..][..width * channels];
            for tap_x in 0..filter_width {
                let taps = &filter.values[(tap_y * filter_width + tap_x) * outputs..][..outputs];
                let inside = positions(tap_x * dilation.width, padding.left, stride.width, width, out_width);
                for x in inside {
                    let in_x = x * stride.width + tap_x * dilation.width - padding.left;
                    let pixel = &in_row[in_x * channels..][..channels];
                    add_products(&mut sums[x * outputs..][..outputs], pixel, taps, multiplier);
                }
            }
        }
        clamp(activation, sums);
    });
}

/// The positions of the window at which a tap is within the input.
fn positions(
    offset: usize,
    padding: usize,
    stride: usize,
    size: usize,
    positions: usize,
) -> std::ops::Range<usize> {
    let begin = padding.saturating_sub(offset).div_ceil(stride);
    let end = (size + padding).saturating_sub(offset).div_ceil(stride);
    begin..end.min(positions)
}

/// `sums[c * multiplier + m] += pixel[c] * taps[c * multiplier + m]`
#[inline]
fn add_products(sums: &mut [f32], pixel: &[f32], taps: &[f32], multiplier: usize) {
    if multiplier == 1 {
        for ((sum, &value), &tap) in sums.iter_mut().zip(pixel).zip(taps) {
            *sum += value * tap;
        }
        return;
    }
    for ((sums, &value), taps) in
        sums.chunks_exact_mut(multiplier).zip(pixel).zip(taps.chunks_exact(multiplier))
    {
        for (sum, &tap) in sums.iter_mut().zip(taps) {
            *sum += value * tap;
        }
    }
}
