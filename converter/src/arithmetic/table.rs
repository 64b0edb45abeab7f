//! Functions of one int8 value as tables of 256 results, computed with the reference's own arithmetic where it has one,
//! else as [`super::function`] says.

use secateur::kernels::lookup::TABLE_LEN;
use secateur::quant::{Multiplier, fixed_point, rounding_divide_by_power_of_two as divide};

use super::scale::{frexp, multiplier, quantize, quantize_multiplier};
use super::{Affine, function, narrow, unsupported};
use crate::ir::{Fault, Op};

/// Whether the operator is a function of one value.
pub fn applies(op: &Op) -> bool {
    matches!(
        op,
        Op::Relu
            | Op::Relu6
            | Op::ReluN1To1
            | Op::LeakyRelu(_)
            | Op::HardSwish
            | Op::Logistic
            | Op::Tanh
            | Op::Elu(_)
    ) || function::real(op).is_some()
}

/// The results of an operator that [`applies`], or of a requantization, for inputs -128 to 127.
///
/// # Errors
/// If the scales demand a factor that the arithmetic does not have, or the output's quantization is not the
/// operator's own.
pub fn table(op: &Op, from: Affine, to: Affine) -> Result<[i8; TABLE_LEN], Fault> {
    let scale = f64::from(from.scale) / f64::from(to.scale);
    Ok(match op {
        Op::Quantize => requantization(from, to)?,
        Op::Relu => rescaled(from, to, multiplier(scale)?, (0.0, f32::INFINITY)),
        Op::Relu6 => rescaled(from, to, multiplier(scale)?, (0.0, 6.0)),
        Op::ReluN1To1 => rescaled(from, to, multiplier(scale)?, (-1.0, 1.0)),
        Op::LeakyRelu(leaky) => leaky_relu(from, to, leaky.alpha)?,
        Op::HardSwish => hard_swish(from, to)?,
        Op::Logistic => {
            fixed_output(to, Affine { scale: 1.0 / 256.0, zero_point: -128 })?;
            squash(from, |x| divide(fixed_point::logistic(x, SQUASH_INTEGER_BITS), 23) - 128)
        }
        Op::Tanh => {
            fixed_output(to, Affine { scale: 1.0 / 128.0, zero_point: 0 })?;
            squash(from, |x| divide(fixed_point::tanh(x, SQUASH_INTEGER_BITS), 24))
        }
        Op::Sign => {
            fixed_output(to, Affine { scale: 1.0, zero_point: 0 })?;
            fill(|x| if x < from.zero_point { -1 } else { 1 })
        }
        Op::Elu(elu) => fill(|x| {
            let real = from.scale * (x - from.zero_point) as f32;
            let result = if real < 0.0 { elu.alpha * (real.exp() - 1.0) } else { real };
            ((result * (1.0 / to.scale)).round() + to.zero_point as f32) as i32
        }),
        op => {
            let function =
                function::real(op).ok_or_else(|| unsupported(format!("{} has no table", op.name())))?;
            let real = |x: i32| f64::from(from.scale) * f64::from(x - from.zero_point);
            fill(|x| function::stored(function(op, real(x)), to))
        }
    })
}

/// The same real numbers at another scale.
///
/// # Errors
/// If the scales demand an absurd factor.
pub fn requantization(from: Affine, to: Affine) -> Result<[i8; TABLE_LEN], Fault> {
    let factor = multiplier(f64::from(from.scale) / f64::from(to.scale))?;
    Ok(rescaled(from, to, factor, (f32::NEG_INFINITY, f32::INFINITY)))
}

fn fill(f: impl Fn(i32) -> i32) -> [i8; TABLE_LEN] {
    core::array::from_fn(|i| narrow(f(i as i32 - 128)))
}

/// Requantization with a clamp given in real numbers.
fn rescaled(from: Affine, to: Affine, factor: Multiplier, (low, high): (f32, f32)) -> [i8; TABLE_LEN] {
    let low = if low.is_finite() { quantize(low, to).max(-128) } else { -128 };
    let high = if high.is_finite() { quantize(high, to).min(127) } else { 127 };
    fill(|x| (factor.apply(x - from.zero_point).saturating_add(to.zero_point)).max(low).min(high))
}

fn leaky_relu(from: Affine, to: Affine, alpha: f32) -> Result<[i8; TABLE_LEN], Fault> {
    let identity = multiplier(f64::from(from.scale) / f64::from(to.scale))?;
    let slope = f64::from(from.scale) * f64::from(alpha) / f64::from(to.scale);
    // The mantissa of a negative slope is negative; halves then round the other way than those of the positive one.
    let (mantissa, shift) = quantize_multiplier(slope);
    let mantissa = mantissa as i32;
    if !(-31..=30).contains(&shift) {
        return Err(unsupported(format!("alpha = {alpha} and the scales demand a factor of {slope}")));
    }
    let below = Multiplier { mantissa, shift };
    Ok(fill(|x| {
        let x = x - from.zero_point;
        let factor = if x >= 0 { identity } else { below };
        factor.apply(x).saturating_add(to.zero_point)
    }))
}

/// TensorFlow Lite's 16-bit fixed-point `HardSwish`.
fn hard_swish(from: Affine, to: Affine) -> Result<[i8; TABLE_LEN], Fault> {
    const HIGH_RESOLUTION: f64 = 128.0;
    let high_resolution_scale = f64::from(from.scale) / HIGH_RESOLUTION;
    let (output, output_exponent) = quantize_multiplier(high_resolution_scale / f64::from(to.scale));
    let (reluish, reluish_exponent) = quantize_multiplier(high_resolution_scale / (3.0 / 32768.0));
    if output_exponent > 0 {
        return Err(unsupported(format!(
            "the output scale {} is too small for the input scale {}",
            to.scale, from.scale
        )));
    }
    let (output, reluish) = (to_i16(output), to_i16(reluish));
    Ok(fill(|x| {
        let high_resolution = (x - from.zero_point) * 128;
        let preshift = high_mul_i16(high_resolution, output);
        let mut gate = high_resolution;
        if reluish_exponent > 0 {
            gate = saturate_i16(shift_left(gate, reluish_exponent - 1));
        }
        gate = high_mul_i16(gate, reluish);
        if reluish_exponent > 0 {
            gate = saturate_i16(shift_left(gate, 1));
        } else if reluish_exponent < 0 {
            gate = divide(gate, reluish_exponent.unsigned_abs().min(31));
        }
        gate = (gate + (1 << 15)) >> 1;
        let product = if gate == -32768 && preshift == -32768 { 32767 } else { gate * preshift / (1 << 15) };
        divide(product, output_exponent.unsigned_abs().min(31)).saturating_add(to.zero_point)
    }))
}

/// A Q31 mantissa as Q15, rounded, saturated.
fn to_i16(mantissa: i64) -> i32 {
    if mantissa >= i64::from(i32::MAX) - (1 << 15) { 32767 } else { ((mantissa + (1 << 15)) >> 16) as i32 }
}

fn saturate_i16(x: i64) -> i32 {
    x.clamp(i16::MIN.into(), i16::MAX.into()) as i32
}

fn shift_left(x: i32, bits: i32) -> i64 {
    i64::from(x) << bits.clamp(0, 31)
}

/// Saturating rounding doubling high multiply of 16-bit values.
fn high_mul_i16(a: i32, b: i32) -> i32 {
    if a == -32768 && b == -32768 {
        return 32767;
    }
    let product = a * b;
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    (product + nudge) / (1 << 15)
}

/// Integer bits of the argument of logistic and tanh.
const SQUASH_INTEGER_BITS: u32 = 4;

/// A function that saturates outside of what `Q4.27` holds: -128 below, 127 above.
fn squash(from: Affine, f: impl Fn(i32) -> i32) -> [i8; TABLE_LEN] {
    let (fraction, shift) = frexp(f64::from(from.scale) * f64::from(1u32 << (31 - SQUASH_INTEGER_BITS)));
    let mantissa = (fraction * f64::from(1u32 << 31)).round().min(f64::from(i32::MAX)) as i32;
    let radius = input_radius(SQUASH_INTEGER_BITS, shift);
    // Scales below 2^-58 give shifts that leave nothing of any argument.
    let factor = if shift < -31 { Multiplier::default() } else { Multiplier { mantissa, shift } };
    fill(|x| {
        let x = i64::from(x - from.zero_point);
        if x <= -radius {
            -128
        } else if x >= radius {
            127
        } else {
            f(factor.apply(x as i32))
        }
    })
}

/// The smallest quantized magnitude that a fixed-point value of `integer_bits` cannot hold after a left shift by
/// `shift`: TensorFlow Lite's `CalculateInputRadius`.
pub fn input_radius(integer_bits: u32, shift: i32) -> i64 {
    let largest = f64::from((1u32 << integer_bits) - 1) * f64::from(1u32 << (31 - integer_bits));
    (largest / f64::from(shift).exp2()).floor() as i64
}

/// Refuses another output quantization than the one that the operator's definition fixes.
///
/// # Errors
/// If they differ.
pub fn fixed_output(output: Affine, fixed: Affine) -> Result<(), Fault> {
    if output == fixed {
        Ok(())
    } else {
        Err(unsupported(format!(
            "output scale {} and zero point {}: the operator's output has scale {} and zero point {}",
            output.scale, output.zero_point, fixed.scale, fixed.zero_point
        )))
    }
}
