//! Operators on two tensors that broadcast, and batch normalization.

use super::walk::{Axis, Walk, broadcast_strides};
use super::{Array, ArrayMut};
use crate::ir::attributes::BatchNormalization;

/// `output = operation(first, second)` for each element, where both broadcast to the output's shape.
pub fn binary<T: Copy>(
    first: Array<'_, T>,
    second: Array<'_, T>,
    output: ArrayMut<'_, T>,
    operation: impl Fn(T, T) -> T,
) {
    let steps = broadcast_strides(first.shape, output.shape)
        .into_iter()
        .zip(broadcast_strides(second.shape, output.shape));
    let axes = output.shape.iter().zip(steps).map(|(&count, steps)| Axis { count, steps: steps.into() });
    let walk = Walk::new(axes);
    let mut rows = output.values.chunks_exact_mut(walk.row.count.max(1));
    walk.rows([0, 0], |[left, right]| {
        let Some(row) = rows.next() else { return };
        let (left, right) = (&first.values[left..], &second.values[right..]);
        match walk.row.steps {
            [0, _] => {
                for (result, &right) in row.iter_mut().zip(right) {
                    *result = operation(left[0], right);
                }
            }
            [_, 0] => {
                for (result, &left) in row.iter_mut().zip(left) {
                    *result = operation(left, right[0]);
                }
            }
            _ => {
                for ((result, &left), &right) in row.iter_mut().zip(left).zip(right) {
                    *result = operation(left, right);
                }
            }
        }
    });
}

/// The greater of two; NaN if one of them is.
pub fn maximum(first: f32, second: f32) -> f32 {
    if first > second || first.is_nan() { first } else { second }
}

/// The lesser of two; NaN if one of them is.
pub fn minimum(first: f32, second: f32) -> f32 {
    if first < second || first.is_nan() { first } else { second }
}

/// `x` if it is not negative, else `slope * x`.
pub fn leaky(x: f32, slope: f32) -> f32 {
    if x >= 0.0 { x } else { slope * x }
}

/// The parameters of a batch normalization, one element per channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelStatistics<'a> {
    /// Factor.
    pub scale: &'a [f32],
    /// Summand.
    pub shift: &'a [f32],
    /// Mean of the training data.
    pub mean: &'a [f32],
    /// Variance of the training data.
    pub variance: &'a [f32],
}

/// Normalizes each channel, the last axis, with given statistics.
pub fn batch_normalization(
    attributes: &BatchNormalization,
    statistics: ChannelStatistics<'_>,
    input: &[f32],
    output: &mut [f32],
) {
    let ChannelStatistics { scale, shift, mean, variance } = statistics;
    let factors: Vec<f32> = scale
        .iter()
        .zip(variance)
        .map(|(scale, variance)| scale / (variance + attributes.epsilon).sqrt())
        .collect();
    let channels = factors.len().max(1);
    for (row, results) in input.chunks_exact(channels).zip(output.chunks_exact_mut(channels)) {
        for (channel, (result, value)) in results.iter_mut().zip(row).enumerate() {
            *result = (value - mean[channel]) * factors[channel] + shift[channel];
        }
    }
}
