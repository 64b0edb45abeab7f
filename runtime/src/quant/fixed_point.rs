//! Fixed-point exponential, reciprocal, logistic and hyperbolic tangent, as gemmlowp defines them.
//!
//! A value `Qm.n` is an `i32` with `m` integer bits, `n = 31 - m` fractional bits and a sign. The constants and the
//! order of roundings are those of gemmlowp's `fixedpoint.h` (and of `SoftmaxInt8`, `Logistic` and `Tanh` in TensorFlow
//! Lite's reference kernels); results are equal to the bit.

use super::{rounding_divide_by_power_of_two as divide, saturating_rounding_doubling_high_mul as high_mul};

/// 1.0 in Q0.31, as near as it gets.
const ONE_Q0: i32 = i32::MAX;

/// `x` shifted left by `bits`, saturated.
#[inline]
fn saturating_shift_left(x: i32, bits: u32) -> i32 {
    (i64::from(x) << bits.min(31)).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// `(a + b) / 2`, rounded half away from zero.
#[inline]
fn rounding_half_sum(a: i32, b: i32) -> i32 {
    let sum = i64::from(a) + i64::from(b);
    let sign = if sum >= 0 { 1 } else { -1 };
    ((sum + sign) / 2) as i32
}

/// `exp(a)` for `a` in Q0.31 within `[-1/4, 0)`, as Q0.31: a Taylor polynomial around -1/8.
fn exp_on_interval(a: i32) -> i32 {
    /// exp(-1/8) in Q0.31.
    const EXP_MINUS_EIGHTH: i32 = 1_895_147_668;
    /// 1/3 in Q0.31.
    const THIRD: i32 = 715_827_883;
    let x = a.wrapping_add(1 << 28);
    let x2 = high_mul(x, x);
    let x3 = high_mul(x2, x);
    let x4 = high_mul(x2, x2);
    let x4_over_4 = divide(x4, 2);
    let tail = divide(high_mul(x4_over_4.wrapping_add(x3), THIRD).wrapping_add(x2), 1);
    EXP_MINUS_EIGHTH.wrapping_add(high_mul(EXP_MINUS_EIGHTH, x.wrapping_add(tail)))
}

/// `exp(a)` for `a <= 0` in `Q<integer_bits>`, as Q0.31. `integer_bits` in 0..=26; exp(0) is `i32::MAX`.
#[inline(never)]
pub fn exp_on_negative(a: i32, integer_bits: u32) -> i32 {
    /// exp(-2^k) in Q0.31 for k = -2 .. 4.
    const FACTORS: [i32; 7] =
        [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    if a == 0 {
        return ONE_Q0;
    }
    let fraction_bits = 31 - integer_bits.min(26);
    let quarter = 1i32 << (fraction_bits - 2);
    let a_mod_quarter = (a & (quarter - 1)).wrapping_sub(quarter);
    let mut result = exp_on_interval(saturating_shift_left(a_mod_quarter, 31 - fraction_bits));
    let remainder = a_mod_quarter.wrapping_sub(a);
    for (k, factor) in FACTORS.into_iter().enumerate() {
        let bit = fraction_bits + k as u32;
        // Exponent k - 2; bits above the sign bit of a short integer part do not exist.
        if bit >= 2 && bit - 2 < 31 && k < 2 + integer_bits as usize && remainder & (1 << (bit - 2)) != 0 {
            result = high_mul(result, factor);
        }
    }
    if integer_bits > 5 && a < -(1 << (fraction_bits + 5)) {
        return 0;
    }
    result
}

/// `1 / (1 + a)` for `a` in Q0.31 within `[0, 1)`, as Q0.31: three Newton steps.
pub fn one_over_one_plus(a: i32) -> i32 {
    reciprocal_of_half_denominator(a, |x| saturating_shift_left(x, 1))
}

/// `(1 - a) / (1 + a)` for `a` in Q0.31 within `[0, 1)`, as Q0.31.
fn one_minus_over_one_plus(a: i32) -> i32 {
    reciprocal_of_half_denominator(a, |x| saturating_shift_left(x.wrapping_sub(1 << 29), 2))
}

/// Newton iteration for `2 / (1 + a)` in Q2.29, then `finish`.
fn reciprocal_of_half_denominator(a: i32, finish: impl Fn(i32) -> i32) -> i32 {
    /// 48/17 and -32/17 in Q2.29.
    const START: i32 = 1_515_870_810;
    const SLOPE: i32 = -1_010_580_540;
    let half_denominator = rounding_half_sum(a, ONE_Q0);
    let mut x = START.wrapping_add(high_mul(half_denominator, SLOPE));
    for _ in 0..3 {
        let error = (1i32 << 29).wrapping_sub(high_mul(half_denominator, x));
        x = x.wrapping_add(saturating_shift_left(high_mul(x, error), 2));
    }
    finish(x)
}

/// `1 / (1 + exp(-a))` for `a` in `Q<integer_bits>`, as Q0.31.
pub fn logistic(a: i32, integer_bits: u32) -> i32 {
    if a == 0 {
        return 1 << 30;
    }
    let magnitude = if a > 0 { a } else { a.wrapping_neg() };
    let positive = one_over_one_plus(exp_on_negative(magnitude.wrapping_neg(), integer_bits));
    if a > 0 { positive } else { ONE_Q0.wrapping_sub(positive) }
}

/// `tanh(a)` for `a` in `Q<integer_bits>`, as Q0.31.
pub fn tanh(a: i32, integer_bits: u32) -> i32 {
    if a == 0 {
        return 0;
    }
    // exp(-2|a|): the same bits read with one more integer bit.
    let negative = if a > 0 { a.wrapping_neg() } else { a };
    let t = one_minus_over_one_plus(exp_on_negative(negative, integer_bits + 1));
    if a > 0 { t } else { t.wrapping_neg() }
}

/// `1 / x` for a positive `x` in `Q<integer_bits>`: the mantissa in Q0.31 and how far it is to be shifted right on top
/// of 31, as TensorFlow Lite's `GetReciprocal`.
pub fn reciprocal(x: i32, integer_bits: u32) -> (i32, i32) {
    let headroom = (x as u32).leading_zeros();
    let exponent = integer_bits as i32 - headroom as i32;
    let normalized = (x as u32).wrapping_shl(headroom).wrapping_sub(1 << 31) as i32;
    (one_over_one_plus(normalized), exponent)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn q(value: f64, integer_bits: u32) -> i32 {
        (value * f64::from(1u32 << (31 - integer_bits))).round() as i32
    }

    fn from_q0(value: i32) -> f64 {
        f64::from(value) / f64::from(1u32 << 31)
    }

    #[test]
    fn exponential_is_close_to_the_real_one() {
        for i in 0..2000 {
            let x = -f64::from(i) / 70.0;
            let got = from_q0(exp_on_negative(q(x, 5), 5));
            assert!((got - x.exp()).abs() < 1e-6, "exp({x}) = {got}");
        }
        assert_eq!(exp_on_negative(0, 5), i32::MAX);
    }

    #[test]
    fn logistic_and_tanh_are_close_and_symmetric() {
        for i in -1000..=1000 {
            let x = f64::from(i) / 130.0;
            let sigmoid = from_q0(logistic(q(x, 4), 4));
            assert!((sigmoid - 1.0 / (1.0 + (-x).exp())).abs() < 1e-6, "logistic({x}) = {sigmoid}");
            let t = from_q0(tanh(q(x, 4), 4));
            assert!((t - x.tanh()).abs() < 1e-6, "tanh({x}) = {t}");
            assert_eq!(tanh(q(x, 4), 4), -tanh(q(-x, 4), 4));
        }
    }

    #[test]
    fn reciprocal_is_close_to_the_real_one() {
        for i in 1..3000 {
            let x = f64::from(i) * 0.37;
            let (mantissa, exponent) = reciprocal(q(x, 12), 12);
            let got = from_q0(mantissa) * (-f64::from(exponent)).exp2();
            assert!((got * x - 1.0).abs() < 1e-5, "1/{x} = {got}");
        }
    }

    /// Sums over many arguments, as gemmlowp's definitions in exact integer arithmetic give them.
    #[test]
    fn every_bit_equals_gemmlowp() {
        let digest = |value: fn(i32) -> i32| {
            (0..10_000).fold(0u32, |sum, i| sum.wrapping_mul(31).wrapping_add(value(i) as u32))
        };
        assert_eq!(digest(|i| exp_on_negative(-(i * 214_747 + 3), 5)), 2_979_301_833);
        assert_eq!(digest(|i| exp_on_negative(-(i * 214_747 + 3), 4)), 3_223_593_187);
        assert_eq!(
            digest(|i| logistic(i.wrapping_mul(429_493).wrapping_sub(2_147_480_000), 4)),
            3_101_037_145
        );
        assert_eq!(digest(|i| tanh(i.wrapping_mul(429_493).wrapping_sub(2_147_480_000), 4)), 1_724_509_663);
        assert_eq!(digest(|i| one_over_one_plus(i * 214_747)), 1_778_956_709);
    }
}
