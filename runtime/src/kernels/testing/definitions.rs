//! Operators as their definitions say, one output element at a time, for comparison in tests.
//!
//! Sums are 64-bit, zero points are subtracted where they belong and padding is left out, so that nothing here relies on
//! folded biases, blocks or patches.

extern crate std;
use std::vec;
use std::vec::Vec;

use super::Layer;
use crate::kernels::{Axis, Window};
use crate::quant::{Multiplier, OutputStage};

/// An image `[n, h, w, c]`, or weights in the same manner.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub(crate) shape: [usize; 4],
    pub(crate) data: Vec<i8>,
}

impl Array {
    fn at(&self, position: [usize; 4]) -> i64 {
        i64::from(self.data[flat(&self.shape, &position)])
    }
}

/// Position of element `flat` along each dimension, the last dimension fastest.
pub(crate) fn position(dims: &[usize], flat: usize) -> Vec<usize> {
    let mut rest = flat;
    let mut position: Vec<usize> = dims
        .iter()
        .rev()
        .map(|dim| {
            let along = rest % dim;
            rest /= dim;
            along
        })
        .collect();
    position.reverse();
    position
}

/// Number of the element at `position`, the last dimension fastest.
pub(crate) fn flat(dims: &[usize], position: &[usize]) -> usize {
    dims.iter().zip(position).fold(0, |flat, (dim, along)| flat * dim + along)
}

/// Every position in an array, the last dimension fastest.
fn positions(shape: [usize; 4]) -> impl Iterator<Item = [usize; 4]> {
    (0..shape.iter().product()).map(move |i| position(&shape, i).try_into().unwrap())
}

/// Nearest integer to `x / 2^bits`, ties away from zero.
fn round_shift(x: i64, bits: u32) -> i64 {
    ((x.abs() + (1 << bits >> 1)) >> bits) * x.signum()
}

/// `value x factor`, rounded twice; a shift to the left loses what exceeds 32 bits. TensorFlow Lite's
/// `MultiplyByQuantizedMultiplier`.
pub(crate) fn scale(value: i64, factor: Multiplier) -> i64 {
    let shifted = (value << factor.shift.max(0)) as i32;
    let product = i64::from(shifted) * i64::from(factor.mantissa);
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    round_shift((product + nudge) / (1 << 31), (-factor.shift).max(0) as u32)
}

/// `sum x factor` plus zero point, clamped.
pub(crate) fn requantize(sum: i64, factor: Multiplier, stage: &OutputStage) -> i8 {
    let value = scale(sum, factor) + i64::from(stage.zero_point);
    value.clamp(i64::from(stage.min), i64::from(stage.max)) as i8
}

/// Input position under position `k` of the window at `output`, if it is on the input.
fn input_position(axis: &Axis, output: usize, k: usize, len: usize) -> Option<usize> {
    let at = output * usize::from(axis.stride) + k * usize::from(axis.dilation);
    at.checked_sub(usize::from(axis.pad)).filter(|&at| at < len)
}

/// Kernel position and input position of everything under the window at `[y, x]` that is on the input.
fn under(
    window: &Window,
    [y, x]: [usize; 2],
    [_, h, w, _]: [usize; 4],
) -> impl Iterator<Item = ([usize; 2], [usize; 2])> {
    let Window { height, width } = *window;
    let (kh, kw) = (usize::from(height.kernel), usize::from(width.kernel));
    (0..kh * kw).filter_map(move |k| {
        let (i, j) = (k / kw, k % kw);
        Some(([i, j], [input_position(&height, y, i, h)?, input_position(&width, x, j, w)?]))
    })
}

/// Convolution with OHWI weights; their `I` times the number of groups is the input's number of channels.
pub(crate) fn conv2d(layer: &Layer) -> Vec<i8> {
    let group_in = layer.weights.shape[3];
    let group_out = layer.output[3] / (layer.input.shape[3] / group_in);
    layer.each_output(|[n, y, x, o]| {
        under(&layer.window, [y, x], layer.input.shape)
            .flat_map(|pair| (0..group_in).map(move |c| (pair, c)))
            .map(|(([i, j], [in_y, in_x]), c)| {
                let value = layer.centred([n, in_y, in_x, o / group_out * group_in + c]);
                layer.weights.at([o, i, j, c]) * value
            })
            .sum()
    })
}

/// Depthwise convolution with weights `[1, kh, kw, output channels]`.
pub(crate) fn depthwise_conv2d(layer: &Layer) -> Vec<i8> {
    let multiplier = layer.output[3] / layer.input.shape[3];
    layer.each_output(|[n, y, x, o]| {
        under(&layer.window, [y, x], layer.input.shape)
            .map(|([i, j], [in_y, in_x])| {
                layer.weights.at([0, i, j, o]) * layer.centred([n, in_y, in_x, o / multiplier])
            })
            .sum()
    })
}

/// Transposed convolution with OHWI weights: every input pixel is spread over the output.
pub(crate) fn transpose_conv2d(layer: &Layer) -> Vec<i8> {
    let Window { height, width } = layer.window;
    let [_, out_h, out_w, out_c] = layer.output;
    let [_, kh, kw, _] = layer.weights.shape;
    let target = |axis: &Axis, at: usize, k: usize, len: usize| {
        (at * usize::from(axis.stride) + k).checked_sub(usize::from(axis.pad)).filter(|&at| at < len)
    };
    let mut sums = vec![0; layer.output.iter().product()];
    for [n, y, x, c] in positions(layer.input.shape) {
        for [o, i, j, _] in positions([out_c, kh, kw, 1]) {
            if let Some((out_y, out_x)) = target(&height, y, i, out_h).zip(target(&width, x, j, out_w)) {
                sums[flat(&layer.output, &[n, out_y, out_x, o])] +=
                    layer.weights.at([o, i, j, c]) * layer.centred([n, y, x, c]);
            }
        }
    }
    layer.each_output(|position| sums[flat(&layer.output, &position)])
}

impl Layer {
    /// The input at `position`, without the zero point.
    fn centred(&self, position: [usize; 4]) -> i64 {
        self.input.at(position) - i64::from(self.zero_point)
    }

    /// The output whose sums of products are `sum`, by position.
    fn each_output(&self, sum: impl Fn([usize; 4]) -> i64) -> Vec<i8> {
        positions(self.output)
            .map(|position| {
                let channel = &self.channels[position[3]];
                requantize(i64::from(channel.bias) + sum(position), channel.multiplier, &self.stage)
            })
            .collect()
    }
}

/// The values under each window, for pools.
pub(crate) fn values_under(
    window: &Window,
    input: &Array,
    output: [usize; 4],
) -> impl Iterator<Item = Vec<i64>> {
    positions(output).map(move |[n, y, x, c]| {
        under(window, [y, x], input.shape).map(|(_, [in_y, in_x])| input.at([n, in_y, in_x, c])).collect()
    })
}

/// Sums of all values that agree in the dimensions that are not in `summed`, and how many each has.
pub(crate) fn reduce(dims: &[usize], summed: u32, input: &[i8]) -> (Vec<i64>, i64) {
    let kept: Vec<usize> =
        dims.iter().enumerate().map(|(d, &dim)| if summed >> d & 1 == 1 { 1 } else { dim }).collect();
    let mut sums = vec![0; kept.iter().product()];
    for (i, &value) in input.iter().enumerate() {
        let at: Vec<usize> = position(dims, i).iter().zip(&kept).map(|(along, dim)| along % dim).collect();
        sums[flat(&kept, &at)] += i64::from(value);
    }
    let count = (input.len() / sums.len()) as i64;
    (sums, count)
}
