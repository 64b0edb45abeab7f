//! Real factors as fixed-point multipliers, activations as clamps.
//!
//! Scales are binary32 and are widened first; products and quotients of scales are binary64, as in TensorFlow Lite
//! Micro. Rounding is to nearest, halves away from zero.

use secateur::quant::{Multiplier, OutputStage};

use super::{Affine, narrow, unsupported};
use crate::ir::{Activation, Fault};

/// `real` as a Q31 mantissa and a shift: TensorFlow Lite's `QuantizeMultiplier`. 0 and factors below 2^-32 give zero.
pub fn quantize_multiplier(real: f64) -> (i64, i32) {
    if real == 0.0 || !real.is_finite() {
        return (0, 0);
    }
    let (fraction, mut exponent) = frexp(real);
    let mut mantissa = (fraction * f64::from(1u32 << 31)).round() as i64;
    if mantissa == 1 << 31 {
        mantissa /= 2;
        exponent += 1;
    }
    if exponent < -31 { (0, 0) } else { (mantissa, exponent) }
}

/// `real`, which must not be negative, as the runtime's multiplier.
///
/// # Errors
/// If the factor is 2^30 or more: no sane pair of scales has that.
pub fn multiplier(real: f64) -> Result<Multiplier, Fault> {
    let (mantissa, shift) = quantize_multiplier(real);
    // A factor of zero with a right shift is one that every packing takes.
    let shift = if mantissa == 0 { -1 } else { shift };
    let mantissa = i32::try_from(mantissa).ok();
    let multiplier = mantissa.map(|mantissa| Multiplier { mantissa, shift }).filter(Multiplier::is_valid);
    multiplier
        .ok_or_else(|| unsupported(format!("the scales demand a factor of {real}; check the quantization")))
}

/// `value` as `fraction x 2^exponent` with a fraction in `[1/2, 1)`.
pub fn frexp(value: f64) -> (f64, i32) {
    const FRACTION_BITS: u64 = (1 << 52) - 1;
    let bits = value.to_bits();
    let biased = (bits >> 52 & 0x7ff) as i32;
    if value == 0.0 || !value.is_finite() {
        (value, 0)
    } else if biased == 0 {
        let (fraction, exponent) = frexp(value * f64::from(1u32 << 30) * f64::from(1u32 << 30));
        (fraction, exponent - 60)
    } else {
        (f64::from_bits(bits & FRACTION_BITS | bits & 1 << 63 | 1022 << 52), biased - 1022)
    }
}

/// Zero point and clamp of an operator's output.
pub fn stage(output: Affine, activation: Activation) -> OutputStage {
    let bound = |real: f32, unbounded: i8| {
        if real.is_finite() { narrow(quantize(real, output)) } else { unbounded }
    };
    let (low, high) = activation.bounds();
    OutputStage {
        min: bound(low, i8::MIN),
        max: bound(high, i8::MAX),
        ..OutputStage::new(narrow(output.zero_point))
    }
}

/// The quantized value nearest to `real`, not yet clamped. The quotient is binary32.
pub fn quantize(real: f32, to: Affine) -> i32 {
    to.zero_point.saturating_add((real / to.scale).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two_have_the_smallest_mantissa() {
        assert_eq!(quantize_multiplier(1.0), (1 << 30, 1));
        assert_eq!(quantize_multiplier(0.5), (1 << 30, 0));
        assert_eq!(quantize_multiplier(-0.25), (-(1 << 30), -1));
        assert_eq!(quantize_multiplier(0.0), (0, 0));
        assert_eq!(quantize_multiplier(1e-12), (0, 0));
        assert_eq!(quantize_multiplier(1.0 - 1e-12), (1 << 30, 1));
    }

    #[test]
    fn frexp_takes_apart_what_it_gives() {
        for value in [1.0, -3.75, 1e-300, 5e-324, 1e300, 0.1] {
            let (fraction, exponent) = frexp(value);
            assert!((0.5..1.0).contains(&fraction.abs()), "{value}");
            let half = f64::from(exponent) / 2.0;
            assert_eq!(fraction * half.floor().exp2() * half.ceil().exp2(), value);
        }
    }

    #[test]
    fn clamps_follow_the_activation() {
        let output = Affine { scale: 0.05, zero_point: -10 };
        let bounds = |activation| {
            let stage = stage(output, activation);
            (stage.min, stage.max)
        };
        assert_eq!(bounds(Activation::None), (-128, 127));
        assert_eq!(bounds(Activation::Relu), (-10, 127));
        assert_eq!(bounds(Activation::Relu6), (-10, 110));
        assert_eq!(bounds(Activation::ReluN1To1), (-30, 10));
    }

    #[test]
    fn absurd_factors_are_refused() {
        assert!(multiplier(1e20).is_err());
        assert!(multiplier(2f64.powi(29)).is_ok());
    }
}
