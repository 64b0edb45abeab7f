//! Parameters of sums and means.

use secateur::kernels::mean;
use secateur::quant::Multiplier;

use super::scale::{multiplier, stage};
use super::{Affine, unsupported};
use crate::ir::attributes::Reduce;
use crate::ir::{Activation, Fault, Shape};

/// The sum over axes of an input of a shape, or the mean with the division by the count in the multiplier, as TensorFlow
/// Lite Micro folds it.
///
/// # Errors
/// If there are too many values or the scales demand an absurd factor.
pub fn sum_or_mean(
    input: &Shape,
    reduce: &Reduce,
    is_mean: bool,
    from: Affine,
    to: Affine,
) -> Result<mean::Params, Fault> {
    let count: usize = reduce.axes.iter().filter_map(|&axis| input.get(axis)).product();
    let count = i32::try_from(count.max(1)).map_err(|_| unsupported(format!("{count} values per mean")))?;
    let mut factor = multiplier(f64::from(from.scale) / f64::from(to.scale))?;
    if is_mean {
        factor = divided(factor, count);
    }
    let rank = input.rank();
    let dims = reduce.axes.iter().filter(|&&axis| axis < rank).fold(0u32, |set, axis| set | 1 << axis);
    Ok(mean::Params {
        multiplier: factor,
        bias: from.zero_point.wrapping_mul(count).wrapping_neg(),
        dims,
        stage: stage(to, Activation::None),
    })
}

/// A factor over a count, in the reference's arithmetic: the mantissa keeps as many bits as the shift allows.
fn divided(factor: Multiplier, count: i32) -> Multiplier {
    let bits = count.ilog2().min(32).min((31 + factor.shift).max(0) as u32);
    let mantissa = (i64::from(factor.mantissa) << bits) / i64::from(count);
    Multiplier { mantissa: mantissa as i32, shift: factor.shift - bits as i32 }
}
