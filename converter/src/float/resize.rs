//! Height and width changed by interpolation, as TensorFlow Lite defines it for real numbers.

use super::{Array, ArrayMut};
use crate::ir::attributes::Resize;

/// The nearest element, NHWC.
pub fn resize_nearest(attributes: &Resize, input: Array<'_>, output: ArrayMut<'_>) {
    let [_, height, width, channels] = input.dims();
    let [_, out_height, out_width, _] = output.dims();
    let table = |size, out_size| -> Vec<usize> {
        (0..out_size).map(|at| nearest(attributes, at, size, out_size)).collect()
    };
    let (rows, columns) = (table(height, out_height), table(width, out_width));
    let mut pixels = output.values.chunks_exact_mut(channels.max(1));
    for image in input.values.chunks_exact((height * width * channels).max(1)) {
        for y in &rows {
            for (x, pixel) in columns.iter().zip(&mut pixels) {
                pixel.copy_from_slice(&image[(y * width + x) * channels..][..channels]);
            }
        }
    }
}

/// Linear interpolation on both axes, NHWC.
pub fn resize_bilinear(attributes: &Resize, input: Array<'_>, output: ArrayMut<'_>) {
    let [_, height, width, channels] = input.dims();
    let [_, out_height, out_width, _] = output.dims();
    let table = |size, out_size| -> Vec<Between> {
        (0..out_size).map(|at| Between::new(attributes, at, size, out_size)).collect()
    };
    let (rows, columns) = (table(height, out_height), table(width, out_width));
    let mut pixels = output.values.chunks_exact_mut(channels.max(1));
    for image in input.values.chunks_exact((height * width * channels).max(1)) {
        let at = |y: usize, x: usize| &image[(y * width + x) * channels..][..channels];
        for y in &rows {
            for (x, pixel) in columns.iter().zip(&mut pixels) {
                let corners = [at(y.low, x.low), at(y.low, x.high), at(y.high, x.low), at(y.high, x.high)];
                for (channel, result) in pixel.iter_mut().enumerate() {
                    let [near_low, near_high, far_low, far_high] = corners.map(|corner| corner[channel]);
                    *result = y.mix(x.mix(near_low, near_high), x.mix(far_low, far_high));
                }
            }
        }
    }
}

/// Input elements per output element.
fn scale(attributes: &Resize, size: usize, out_size: usize) -> f32 {
    if attributes.align_corners && out_size > 1 {
        (size - 1) as f32 / (out_size - 1) as f32
    } else {
        size as f32 / out_size as f32
    }
}

fn nearest(attributes: &Resize, at: usize, size: usize, out_size: usize) -> usize {
    let offset = if attributes.half_pixel_centers { 0.5 } else { 0.0 };
    let position = (at as f32 + offset) * scale(attributes, size, out_size);
    let position = if attributes.align_corners { position.round() } else { position.floor() };
    (position as usize).min(size.saturating_sub(1))
}

/// Two neighbours and how far from the lower one a position is, 0 to 1.
struct Between {
    low: usize,
    high: usize,
    fraction: f32,
}

impl Between {
    fn new(attributes: &Resize, at: usize, size: usize, out_size: usize) -> Self {
        let scale = scale(attributes, size, out_size);
        let position =
            if attributes.half_pixel_centers { (at as f32 + 0.5) * scale - 0.5 } else { at as f32 * scale };
        let last = size.saturating_sub(1);
        let low = (position.floor().max(0.0) as usize).min(last);
        let high = (position.ceil().max(0.0) as usize).clamp(low, last);
        let fraction = if low == high { 0.0 } else { position - low as f32 };
        Self { low, high, fraction }
    }

    fn mix(&self, low: f32, high: f32) -> f32 {
        low * (1.0 - self.fraction) + high * self.fraction
    }
}
