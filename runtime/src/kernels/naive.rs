//! Operators as their definitions say, one output element at a time, for comparison in tests.
//!
//! Sums are 64-bit, zero points are subtracted where they belong and padding is left out, so that nothing here relies on
//! folded biases, blocks or patches.

extern crate std;
use std::vec;
use std::vec::Vec;

use super::{Axis, Window};
use crate::quant::{ChannelQuant, Multiplier, OutputStage};

/// An image `[n, h, w, c]`, or weights in the same manner.
#[derive(Clone, Copy)]
pub(super) struct Array<'a> {
    pub(super) shape: [usize; 4],
    pub(super) data: &'a [i8],
}

impl Array<'_> {
    fn at(&self, [n, y, x, c]: [usize; 4]) -> i64 {
        let [_, h, w, channels] = self.shape;
        i64::from(self.data[((n * h + y) * w + x) * channels + c])
    }
}

/// Every index of an array, the last dimension fastest.
fn indices([n, h, w, c]: [usize; 4]) -> impl Iterator<Item = [usize; 4]> {
    (0..n * h * w * c).map(move |i| [i / c / w / h, i / c / w % h, i / c % w, i % c])
}

/// Nearest integer to `x / 2^bits`, ties away from zero.
fn round_shift(x: i64, bits: u32) -> i64 {
    ((x.abs() + (1 << bits >> 1)) >> bits) * x.signum()
}

/// `value x factor`, rounded twice.
pub(super) fn scale(value: i64, factor: Multiplier) -> i64 {
    let product = (value << factor.shift.max(0)) * i64::from(factor.mantissa);
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    round_shift((product + nudge) / (1 << 31), (-factor.shift).max(0) as u32)
}

/// `sum x factor` plus zero point, clamped.
pub(super) fn requantize(sum: i64, factor: Multiplier, stage: &OutputStage) -> i8 {
    let value = scale(sum, factor) + i64::from(stage.zero_point);
    value.clamp(i64::from(stage.min), i64::from(stage.max)) as i8
}

/// Input position under position `k` of the window at `output`, if it is on the input.
fn position(axis: &Axis, output: usize, k: usize, len: usize) -> Option<usize> {
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
        Some(([i, j], [position(&height, y, i, h)?, position(&width, x, j, w)?]))
    })
}

/// Convolution with OHWI weights; their `I` times `groups` is the input's number of channels.
pub(super) fn conv2d(
    window: &Window,
    input: Array<'_>,
    zero_point: i8,
    weights: Array<'_>,
    channels: &[ChannelQuant],
    stage: &OutputStage,
    output: [usize; 4],
) -> Vec<i8> {
    let group_in = weights.shape[3];
    let group_out = output[3] / (input.shape[3] / group_in);
    indices(output)
        .map(|[n, y, x, o]| {
            let mut sum = i64::from(channels[o].bias);
            for ([i, j], [in_y, in_x]) in under(window, [y, x], input.shape) {
                for c in 0..group_in {
                    let value = input.at([n, in_y, in_x, o / group_out * group_in + c]);
                    sum += weights.at([o, i, j, c]) * (value - i64::from(zero_point));
                }
            }
            requantize(sum, channels[o].multiplier, stage)
        })
        .collect()
}

/// Depthwise convolution with weights `[1, kh, kw, output channels]`.
pub(super) fn depthwise_conv2d(
    window: &Window,
    input: Array<'_>,
    zero_point: i8,
    weights: Array<'_>,
    channels: &[ChannelQuant],
    stage: &OutputStage,
    output: [usize; 4],
) -> Vec<i8> {
    let multiplier = output[3] / input.shape[3];
    indices(output)
        .map(|[n, y, x, o]| {
            let mut sum = i64::from(channels[o].bias);
            for ([i, j], [in_y, in_x]) in under(window, [y, x], input.shape) {
                let value = input.at([n, in_y, in_x, o / multiplier]);
                sum += weights.at([0, i, j, o]) * (value - i64::from(zero_point));
            }
            requantize(sum, channels[o].multiplier, stage)
        })
        .collect()
}

/// Transposed convolution with OHWI weights: every input pixel is spread over the output.
pub(super) fn transpose_conv2d(
    window: &Window,
    input: Array<'_>,
    zero_point: i8,
    weights: Array<'_>,
    channels: &[ChannelQuant],
    stage: &OutputStage,
    output: [usize; 4],
) -> Vec<i8> {
    let [_, out_h, out_w, out_c] = output;
    let [_, kh, kw, _] = weights.shape;
    let mut sums: Vec<i64> = indices(output).map(|[.., o]| i64::from(channels[o].bias)).collect();
    for [n, y, x, c] in indices(input.shape) {
        let value = input.at([n, y, x, c]) - i64::from(zero_point);
        for [o, i, j, _] in indices([out_c, kh, kw, 1]) {
            let target = |axis: &Axis, at: usize, k: usize, len: usize| {
                (at * usize::from(axis.stride) + k).checked_sub(usize::from(axis.pad)).filter(|&at| at < len)
            };
            let (out_y, out_x) = (target(&window.height, y, i, out_h), target(&window.width, x, j, out_w));
            if let (Some(out_y), Some(out_x)) = (out_y, out_x) {
                let at = ((n * out_h + out_y) * out_w + out_x) * out_c + o;
                sums[at] += weights.at([o, i, j, c]) * value;
            }
        }
    }
    let channels = channels.iter().cycle();
    sums.iter().zip(channels).map(|(&sum, channel)| requantize(sum, channel.multiplier, stage)).collect()
}

/// The values under each window, for pools.
pub(super) fn windows(
    window: &Window,
    input: Array<'_>,
    output: [usize; 4],
) -> impl Iterator<Item = Vec<i64>> {
    indices(output).map(move |[n, y, x, c]| {
        under(window, [y, x], input.shape).map(|(_, [in_y, in_x])| input.at([n, in_y, in_x, c])).collect()
    })
}

/// Matrix `[outputs, depth]` times each row of the input.
pub(super) fn fully_connected(
    depth: usize,
    input: &[i8],
    zero_point: i8,
    weights: &[i8],
    channels: &[ChannelQuant],
    stage: &OutputStage,
) -> Vec<i8> {
    let mut output = vec![];
    for row in input.chunks(depth) {
        for (o, channel) in channels.iter().enumerate() {
            let mut sum = i64::from(channel.bias);
            for i in 0..depth {
                sum += i64::from(weights[o * depth + i]) * (i64::from(row[i]) - i64::from(zero_point));
            }
            output.push(requantize(sum, channel.multiplier, stage));
        }
    }
    output
}

/// Sums of all values that agree in the dimensions that are not in `summed`, and how many each has.
pub(super) fn reduce(shape: &[usize], summed: u32, input: &[i8]) -> (Vec<i64>, i64) {
    let kept = |d: usize| summed >> d & 1 == 0;
    let len: usize = (0..shape.len()).filter(|&d| kept(d)).map(|d| shape[d]).product();
    let mut sums = vec![0; len];
    for (flat, &value) in input.iter().enumerate() {
        let (mut rest, mut at, mut stride) = (flat, 0, 1);
        for d in (0..shape.len()).rev() {
            if kept(d) {
                at += rest % shape[d] * stride;
                stride *= shape[d];
            }
            rest /= shape[d];
        }
        sums[at] += i64::from(value);
    }
    (sums, (input.len() / len) as i64)
}
