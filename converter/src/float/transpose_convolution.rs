//! 2-D transposed convolution.

use super::activation::clamp;
use super::convolution::fill_rows;
use super::matmul::{Matrix, MatrixMut, multiply_add};
use super::{Array, ArrayMut, Threads};
use crate::ir::attributes::TransposeConv2d;

/// Input NHWC, filter OHWI, bias `[O]`, output NHWC; shapes are as [`crate::ir::infer`] demands.
///
/// Images are shared among threads.
pub fn transpose_conv2d(
    attributes: &TransposeConv2d,
    input: Array<'_>,
    filter: Array<'_>,
    bias: Option<&[f32]>,
    output: ArrayMut<'_>,
    threads: Threads,
) {
    let [_, height, width, channels] = input.dims();
    let [outputs, filter_height, filter_width, _] = filter.dims();
    let [_, out_height, out_width, _] = output.dims();
    let TransposeConv2d { stride, padding, activation, .. } = *attributes;
    let window = filter_height * filter_width;
    threads.for_each_chunk(output.values, out_height * out_width * outputs, |image, sums| {
        fill_rows(sums, bias, outputs);
        let mut products = vec![0.0; width * outputs * window];
        for y in 0..height {
            let pixels = &input.values[(image * height + y) * width * channels..][..width * channels];
            products.fill(0.0);
            multiply_add(
                Matrix::new(pixels, channels),
                Matrix::new(filter.values, channels).transposed(),
                MatrixMut::new(&mut products, outputs * window),
            );
            for tap_y in 0..filter_height {
                let out_y = (y * stride.height + tap_y).checked_sub(padding.top);
                let Some(out_y) = out_y.filter(|&out_y| out_y < out_height) else { continue };
                let out_row = &mut sums[out_y * out_width * outputs..][..out_width * outputs];
                for x in 0..width {
                    for tap_x in 0..filter_width {
                        let out_x = (x * stride.width + tap_x).checked_sub(padding.left);
                        let Some(out_x) = out_x.filter(|&out_x| out_x < out_width) else { continue };
                        let first = x * outputs * window + tap_y * filter_width + tap_x;
                        let own = products[first..].iter().step_by(window);
                        for (sum, &product) in out_row[out_x * outputs..][..outputs].iter_mut().zip(own) {
                            *sum += product;
                        }
                    }
                }
            }
        }
        clamp(activation, sums);
    });
}
