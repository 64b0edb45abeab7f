//! Layers that multiply by weights: what they add to the sum of each output channel.

use secateur::quant::ChannelQuant;

use super::scale::multiplier;
use super::{Affine, unsupported};
use crate::ir::{DType, Fault, Tensor};

/// Bias and multiplier of each output channel, the input zero point folded into the bias.
///
/// `sums` are the sums of each output channel's weights, in order.
///
/// # Errors
/// If filter or bias are not as the runtime needs them: symmetric, constant, of the right types.
pub fn channels(
    filter: &Tensor,
    bias: Option<&Tensor>,
    sums: &[i32],
    from: Affine,
    to: Affine,
) -> Result<Vec<ChannelQuant>, Fault> {
    let scales = scales(filter, sums.len())?;
    let bias = biases(bias, sums.len())?;
    sums.iter()
        .zip(&bias)
        .zip(scales)
        .map(|((&sum, &bias), scale)| {
            let factor = f64::from(from.scale) * f64::from(scale) / f64::from(to.scale);
            Ok(ChannelQuant {
                bias: bias.wrapping_sub(from.zero_point.wrapping_mul(sum)),
                multiplier: multiplier(factor)?,
            })
        })
        .collect()
}

/// The scales of a filter's `count` output channels.
///
/// # Errors
/// If the filter is not quantized, or not symmetric.
pub fn scales(filter: &Tensor, count: usize) -> Result<Vec<f32>, Fault> {
    let quantization = filter.quantization.as_ref().ok_or(Fault::NotQuantized { dtype: filter.dtype })?;
    if let Some(&zero_point) = quantization.zero_points.iter().find(|&&z| z != 0) {
        return Err(unsupported(format!(
            "the filter's zero point is {zero_point}: weights must be symmetric (zero point 0)"
        )));
    }
    let scale = |channel: usize| match quantization.scales.as_slice() {
        &[scale] => scale,
        scales => scales.get(channel).copied().unwrap_or(f32::NAN),
    };
    Ok((0..count).map(scale).collect())
}

/// The biases of `count` output channels; 0 where there are none.
///
/// # Errors
/// If they are no constants of type i32, or not one per channel.
pub fn biases(bias: Option<&Tensor>, count: usize) -> Result<Vec<i32>, Fault> {
    let Some(bias) = bias else { return Ok(vec![0; count]) };
    if bias.dtype != DType::I32 {
        return Err(Fault::Type { role: "bias", found: bias.dtype, expected: "i32".to_owned() });
    }
    let values = bias.i32_values();
    let values =
        values.ok_or_else(|| unsupported("the bias is not a constant: export it as one".to_owned()))?;
    if values.len() != count {
        return Err(unsupported(format!("{} biases for {count} output channels", values.len())));
    }
    Ok(values)
}

/// The weights of a constant filter of 8, 4 or 1 bits.
///
/// # Errors
/// If it is something else.
pub fn values(filter: &Tensor) -> Result<Vec<i8>, Fault> {
    if !matches!(filter.dtype, DType::I8 | DType::I4 | DType::B1) {
        let expected = "i8, i4 or b1".to_owned();
        return Err(Fault::Type { role: "filter", found: filter.dtype, expected });
    }
    filter
        .weight_values()
        .ok_or_else(|| unsupported("the filter is not a constant: export it as one".to_owned()))
}

/// The sums of `rows` equal parts of the weights, modulo 2^32 as those of the runtime.
pub fn row_sums(weights: &[i8], rows: usize) -> Vec<i32> {
    let depth = weights.len() / rows.max(1);
    let sum = |row: &[i8]| row.iter().fold(0i32, |sum, &weight| sum.wrapping_add(weight.into()));
    (0..rows).map(|row| sum(&weights[row * depth..(row + 1) * depth])).collect()
}

/// Weights whose innermost axis has `channels` entries, with that axis outermost.
pub fn transposed(weights: &[i8], channels: usize) -> Vec<i8> {
    (0..channels).flat_map(|channel| weights.iter().skip(channel).step_by(channels.max(1)).copied()).collect()
}
