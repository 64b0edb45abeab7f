//! 2-D convolution, also in groups: patches of the input times the filters.

use super::activation::clamp;
use super::matmul::{Matrix, MatrixMut, multiply_add};
use super::{Array, ArrayMut, Threads};
use crate::ir::attributes::Conv2d;
use crate::ir::{Hw, Padding};

/// Elements of the patches that are multiplied at once: they stay in a core's cache.
const STRIP_ELEMENTS: usize = 1 << 16;

/// Input NHWC, filter OHWI, bias `[O]`, output NHWC; shapes are as [`crate::ir::infer`] demands.
pub fn conv2d(
    attributes: &Conv2d,
    input: Array<'_>,
    filter: Array<'_>,
    bias: Option<&[f32]>,
    output: ArrayMut<'_>,
    threads: Threads,
) {
    let [outputs, height, width, depth] = filter.dims();
    let [_, out_height, out_width, _] = output.dims();
    let [_, _, _, channels] = input.dims();
    let taps = height * width * depth;
    if outputs == 0 || taps == 0 {
        return;
    }
    let per_group = outputs / attributes.groups.max(1);
    let patches = Patches {
        attributes,
        input,
        window: Hw::new(height, width),
        depth,
        output: Hw::new(out_height, out_width),
    };
    let pointwise = patches.are_pixels();
    let strip = (STRIP_ELEMENTS / taps).clamp(16, 1024);
    threads.for_each_chunk(output.values, strip * outputs, |index, chunk| {
        let (first, count) = (index * strip, chunk.len() / outputs);
        fill_rows(chunk, bias, outputs);
        let mut buffer = Vec::new();
        for group in 0..attributes.groups {
            let own = group * depth..(group + 1) * depth;
            let left = if pointwise {
                let pixels = &input.values[first * channels..(first + count) * channels];
                Matrix::new(pixels, channels).columns(own)
            } else {
                buffer.clear();
                buffer.reserve(count * taps);
                (first..first + count).for_each(|pixel| patches.append(pixel, own.start, &mut buffer));
                Matrix::new(&buffer, taps)
            };
            let filters = &filter.values[group * per_group * taps..(group + 1) * per_group * taps];
            let sums = MatrixMut::new(chunk, outputs).columns(group * per_group..(group + 1) * per_group);
            multiply_add(left, Matrix::new(filters, taps).transposed(), sums);
        }
        clamp(attributes.activation, chunk);
    });
}

/// Sets each row of `width` elements to the bias, or to 0.
pub(super) fn fill_rows(values: &mut [f32], bias: Option<&[f32]>, width: usize) {
    match bias {
        Some(bias) => values.chunks_mut(width.max(1)).for_each(|row| {
            for (value, &bias) in row.iter_mut().zip(bias) {
                *value = bias;
            }
        }),
        None => values.fill(0.0),
    }
}

/// The parts of an input that the window covers.
struct Patches<'a> {
    attributes: &'a Conv2d,
    input: Array<'a>,
    window: Hw,
    /// Channels of a patch.
    depth: usize,
    output: Hw,
}

impl Patches<'_> {
    /// Whether the patches are the input's pixels, one after another.
    fn are_pixels(&self) -> bool {
        let Conv2d { stride, padding, .. } = *self.attributes;
        self.window == Hw::square(1) && stride == Hw::square(1) && padding == Padding::NONE
    }

    /// Appends the patch of the output's `pixel` (of all images), for the channels from `channel` on.
    fn append(&self, pixel: usize, channel: usize, patch: &mut Vec<f32>) {
        let [_, height, width, channels] = self.input.dims();
        let Conv2d { stride, dilation, padding, .. } = *self.attributes;
        let (row, x) = (pixel / self.output.width, pixel % self.output.width);
        let (image, y) = (row / self.output.height, row % self.output.height);
        for tap_y in 0..self.window.height {
            let end = patch.len() + self.window.width * self.depth;
            let in_y = (y * stride.height + tap_y * dilation.height).checked_sub(padding.top);
            if let Some(in_y) = in_y.filter(|&in_y| in_y < height) {
                let row =
                    &self.input.values[(image * height + in_y) * width * channels..][..width * channels];
                let first = x * stride.width;
                if dilation.width == 1 && self.depth == channels {
                    let begin = first.saturating_sub(padding.left).min(width);
                    let stop = (first + self.window.width).saturating_sub(padding.left).clamp(begin, width);
                    let before = padding.left.saturating_sub(first).min(self.window.width) * self.depth;
                    patch.resize(patch.len() + before, 0.0);
                    patch.extend_from_slice(&row[begin * channels..stop * channels]);
                } else {
                    for tap_x in 0..self.window.width {
                        let in_x = (first + tap_x * dilation.width).checked_sub(padding.left);
                        match in_x.filter(|&in_x| in_x < width) {
                            Some(in_x) => {
                                patch.extend_from_slice(&row[in_x * channels + channel..][..self.depth]);
                            }
                            None => patch.resize(patch.len() + self.depth, 0.0),
                        }
                    }
                }
            }
            patch.resize(end, 0.0);
        }
    }
}
