//! Average and maximum over windows.

use std::ops::Range;

use super::activation::clamp;
use super::{Array, ArrayMut, Threads};
use crate::ir::attributes::Pool2d;

/// Average over windows, NHWC; shapes are as [`crate::ir::infer`] demands.
pub fn average_pool2d(attributes: &Pool2d, input: Array<'_>, output: ArrayMut<'_>, threads: Threads) {
    let area = attributes.filter.height * attributes.filter.width;
    let counted = attributes.count_padding.then_some(area);
    let finish = |sums: &mut [f32], elements: usize| {
        let divisor = counted.unwrap_or(elements) as f32;
        sums.iter_mut().for_each(|sum| *sum /= divisor);
    };
    pool(attributes, input, output, threads, 0.0, |sum, value| sum + value, finish);
}

/// Maximum over windows, NHWC; shapes are as [`crate::ir::infer`] demands.
pub fn max_pool2d(attributes: &Pool2d, input: Array<'_>, output: ArrayMut<'_>, threads: Threads) {
    let greater = |most: f32, value: f32| if value > most || value.is_nan() { value } else { most };
    pool(attributes, input, output, threads, f32::NEG_INFINITY, greater, |_, _| ());
}

/// `finish` gets the pixel and the number of elements of its window that are within the input.
fn pool(
    attributes: &Pool2d,
    input: Array<'_>,
    output: ArrayMut<'_>,
    threads: Threads,
    initial: f32,
    step: impl Fn(f32, f32) -> f32 + Sync + Send,
    finish: impl Fn(&mut [f32], usize) + Sync + Send,
) {
    let [_, height, width, channels] = input.dims();
    let [_, out_height, out_width, _] = output.dims();
    let Pool2d { filter, stride, padding, activation, .. } = *attributes;
    if channels == 0 {
        return;
    }
    threads.for_each_chunk(output.values, out_width * channels, |row, pixels| {
        let (image, y) = (row / out_height, row % out_height);
        let rows = covered(y * stride.height, padding.top, filter.height, height);
        for (x, pixel) in pixels.chunks_exact_mut(channels).enumerate() {
            let columns = covered(x * stride.width, padding.left, filter.width, width);
            pixel.fill(initial);
            for in_y in rows.clone() {
                let first = (image * height + in_y) * width;
                let inputs =
                    &input.values[(first + columns.start) * channels..(first + columns.end) * channels];
                for values in inputs.chunks_exact(channels) {
                    for (result, &value) in pixel.iter_mut().zip(values) {
                        *result = step(*result, value);
                    }
                }
            }
            finish(pixel, rows.len() * columns.len());
        }
        clamp(activation, pixels);
    });
}

/// The positions of the input that a window covers.
fn covered(start: usize, padding: usize, window: usize, size: usize) -> Range<usize> {
    start.saturating_sub(padding)..(start + window).saturating_sub(padding).min(size)
}
