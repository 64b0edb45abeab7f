//! Weights of a layer as integers with a scale per output channel.

use super::layers::channel_step;
use super::recipe::Width;
use crate::ir::{Quantization, Shape, Tensor};

/// Integers that stand for a layer's weights.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerWeights {
    /// Bits of each.
    pub width: Width,
    /// Shape of the filter.
    pub shape: Shape,
    /// Axis of the output channels.
    pub axis: usize,
    /// One per output channel, positive.
    pub scales: Vec<f32>,
    /// The weights in the order of the filter, one per byte, within [`Width::bounds`].
    pub values: Vec<i8>,
}

impl LayerWeights {
    /// The weights of an int8 constant, as they are.
    pub fn given(filter: &Tensor, axis: usize) -> Self {
        let channels = filter.shape.get(axis).copied().unwrap_or_default();
        let scales = match filter.quantization.as_ref().map(|quantization| quantization.scales.as_slice()) {
            Some(&[scale]) => vec![scale; channels],
            Some(scales) => scales.to_vec(),
            None => vec![1.0; channels],
        };
        let values = filter.weight_values().unwrap_or_default();
        LayerWeights { width: Width::Int8, shape: filter.shape.clone(), axis, scales, values }
    }

    /// The output channel of the weight at a position.
    pub fn channel(&self, index: usize) -> usize {
        let (inner, channels) = channel_step(&self.shape, self.axis);
        index / inner % channels
    }

    /// The real numbers that the integers stand for.
    pub fn dequantized(&self) -> Vec<f32> {
        let real = |(index, &value): (usize, &i8)| self.scales[self.channel(index)] * f32::from(value);
        self.values.iter().enumerate().map(real).collect()
    }

    /// The filter as a constant of a quantized graph.
    pub fn tensor(&self, name: &str) -> Tensor {
        Tensor::new(name, self.width.dtype(), self.shape.clone())
            .with_quantization(Quantization::per_channel(self.scales.clone(), self.axis))
            .with_data(self.values.iter().map(|value| value.cast_unsigned()))
    }

    /// Bytes that the weights take when packed.
    pub fn packed_bytes(&self) -> usize {
        (self.values.len() * self.width.bits()).div_ceil(8)
    }

    /// Signal-to-error ratio of the weights in decibels; `None` where there is no error or no signal.
    pub fn sqnr_db(&self, real: &[f32]) -> Option<f64> {
        let (mut signal, mut error) = (0.0, 0.0);
        for (&real, stored) in real.iter().zip(self.dequantized()) {
            signal += f64::from(real).powi(2);
            error += (f64::from(real) - f64::from(stored)).powi(2);
        }
        (signal > 0.0 && error > 0.0).then(|| 10.0 * (signal / error).log10())
    }
}

/// Rounds weights to a width, each output channel at the scale that suits it best:
///
/// - int8: the largest magnitude becomes 127;
/// - int4: the scale of the least squared error;
/// - 1bit: the mean magnitude, which is the scale of the least squared error for signs.
///
/// No channel's scale is below its entry in `least`, if there are entries. A channel of zeros takes the largest scale of
/// the others.
pub fn quantize_weights(
    weights: &[f32],
    shape: &Shape,
    axis: usize,
    width: Width,
    least: &[f32],
) -> LayerWeights {
    let (inner, channels) = channel_step(shape, axis);
    let mut rows: Vec<Vec<f32>> = vec![Vec::new(); channels];
    for (index, &weight) in weights.iter().enumerate() {
        rows[index / inner % channels].push(weight);
    }
    let mut scales: Vec<f32> = rows.iter().map(|row| scale(row, width)).collect();
    for (scale, &least) in scales.iter_mut().zip(least) {
        *scale = scale.max(least);
    }
    let usual = scales.iter().copied().fold(0.0, f32::max);
    for scale in scales.iter_mut().filter(|scale| **scale < f32::MIN_POSITIVE) {
        *scale = if usual < f32::MIN_POSITIVE { 1.0 } else { usual };
    }
    let round = |(index, &weight): (usize, &f32)| round(weight, scales[index / inner % channels], width);
    let values = weights.iter().enumerate().map(round).collect();
    LayerWeights { width, shape: shape.clone(), axis, scales, values }
}

/// The integer nearest to a weight.
pub fn round(weight: f32, scale: f32, width: Width) -> i8 {
    let (low, high) = width.bounds();
    match width {
        Width::OneBit => {
            if weight >= 0.0 {
                1
            } else {
                -1
            }
        }
        _ => (weight / scale).round().clamp(f32::from(low), f32::from(high)) as i8,
    }
}

/// The scale of a channel; 0 if all its weights are 0.
fn scale(row: &[f32], width: Width) -> f32 {
    let largest = row.iter().fold(0f32, |largest, weight| largest.max(weight.abs()));
    match width {
        Width::Int8 => largest / 127.0,
        Width::Int4 => least_squares(row, largest),
        Width::OneBit => {
            let sum: f64 = row.iter().map(|&weight| f64::from(weight).abs()).sum();
            (sum / row.len().max(1) as f64) as f32
        }
    }
}

/// Scales tried for a channel of 4-bit weights.
const TRIALS: usize = 160;

/// The 4-bit scale of the least squared error among fractions of the one that clips nothing.
///
/// For the integers that the best of them gives, the scale is then the one that fits these integers best.
fn least_squares(row: &[f32], largest: f32) -> f32 {
    let widest = largest / 7.0;
    let error = |scale: f32| -> f64 {
        row.iter()
            .map(|&weight| {
                let stored = f32::from(round(weight, scale, Width::Int4)) * scale;
                (f64::from(weight) - f64::from(stored)).powi(2)
            })
            .sum()
    };
    let mut best = (f64::INFINITY, widest);
    for trial in (TRIALS / 4..=TRIALS).rev() {
        let candidate = widest * trial as f32 / TRIALS as f32;
        if candidate >= f32::MIN_POSITIVE {
            let error = error(candidate);
            if error < best.0 {
                best = (error, candidate);
            }
        }
    }
    let (mut product, mut square) = (0.0, 0.0);
    for &weight in row {
        let stored = f64::from(round(weight, best.1, Width::Int4));
        product += stored * f64::from(weight);
        square += stored * stored;
    }
    let fitted = (product / square) as f32;
    if fitted.is_finite() && fitted >= f32::MIN_POSITIVE && error(fitted) < best.0 { fitted } else { best.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantized(weights: &[f32], width: Width) -> LayerWeights {
        let half = weights.len() / 2;
        quantize_weights(weights, &Shape::from([2, half]), 0, width, &[])
    }

    #[test]
    fn int8_weights_reach_127_in_every_channel() {
        let weights = quantized(&[1.0, -2.0, 0.5, 0.25], Width::Int8);
        assert_eq!(weights.values, [64, -127, 127, 64]);
        assert_eq!(weights.scales, [2.0 / 127.0, 0.5 / 127.0]);
        assert_eq!(weights.packed_bytes(), 4);
    }

    #[test]
    fn the_last_axis_can_hold_the_channels() {
        let weights =
            quantize_weights(&[1.0, 0.1, -1.0, 0.05], &Shape::from([1, 1, 2, 2]), 3, Width::Int8, &[]);
        assert_eq!(weights.values, [127, 127, -127, 64]);
    }

    #[test]
    fn int4_weights_have_less_error_than_without_clip() {
        let mut random = fastrand::Rng::with_seed(3);
        let row: Vec<f32> = (0..128).map(|_| (0..6).map(|_| random.f32() - 0.5).sum()).collect();
        let weights = quantized(&row, Width::Int4);
        let plain: Vec<f32> = (0..2)
            .flat_map(|channel| {
                let row = &row[channel * 64..(channel + 1) * 64];
                let scale = row.iter().fold(0f32, |a, w| a.max(w.abs())) / 7.0;
                row.iter().map(move |&w| f32::from(round(w, scale, Width::Int4)) * scale).collect::<Vec<_>>()
            })
            .collect();
        let error = |found: &[f32]| row.iter().zip(found).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        assert!(error(&weights.dequantized()) < error(&plain));
        assert!(weights.values.iter().all(|value| (-8..=7).contains(value)));
        assert_eq!(weights.packed_bytes(), 64);
    }

    #[test]
    fn one_bit_weights_are_signs_of_mean_magnitude() {
        let weights = quantized(&[1.0, -3.0, 0.0, -0.5], Width::OneBit);
        assert_eq!((weights.values, weights.scales), (vec![1, -1, 1, -1], vec![2.0, 0.25]));
    }

    #[test]
    fn channels_of_zeros_have_a_scale() {
        assert_eq!(quantized(&[0.0, 0.0, 1.27, 0.0], Width::Int8).scales, [0.01, 0.01]);
        assert_eq!(quantized(&[0.0; 4], Width::Int4).scales, [1.0, 1.0]);
        let floor = quantize_weights(&[1e-30, 1.0], &Shape::from([2, 1]), 0, Width::Int8, &[0.5, 0.0]);
        assert_eq!((floor.values, floor.scales[0]), (vec![0, 127], 0.5));
    }
}
