//! Parameters of arithmetic on two tensors.

use secateur::kernels::{add, mul};

use super::scale::{multiplier, stage};
use super::{Affine, narrow};
use crate::ir::{Activation, Fault};

/// A sum or difference: both operands at twice the larger scale, with headroom.
///
/// # Errors
/// If the scales demand an absurd factor.
pub fn sum(
    first: Affine,
    second: Affine,
    output: Affine,
    activation: Activation,
) -> Result<add::Params, Fault> {
    let common = 2.0 * f64::from(first.scale.max(second.scale));
    Ok(add::Params {
        inputs: [multiplier(f64::from(first.scale) / common)?, multiplier(f64::from(second.scale) / common)?],
        output: multiplier(common / (f64::from(1u32 << add::Params::LEFT_SHIFT) * f64::from(output.scale)))?,
        stage: stage(output, activation),
        zero_points: [narrow(first.zero_point), narrow(second.zero_point)],
        reserved: [0; 2],
    })
}

/// A product.
///
/// # Errors
/// If the scales demand an absurd factor.
pub fn product(
    first: Affine,
    second: Affine,
    output: Affine,
    activation: Activation,
) -> Result<mul::Params, Fault> {
    let factor = f64::from(first.scale) * f64::from(second.scale) / f64::from(output.scale);
    Ok(mul::Params {
        multiplier: multiplier(factor)?,
        stage: stage(output, activation),
        zero_points: [narrow(first.zero_point), narrow(second.zero_point)],
        reserved: [0; 2],
    })
}
