//! Requantization: a 32-bit accumulator times a real factor, rounded twice.
//!
//! A real factor `r > 0` is `mantissa x 2^(shift - 31)` with a Q31 `mantissa` in `[2^30, 2^31)`. Applying it means a
//! doubling high multiply that rounds to nearest (ties away from zero below, up above), then a right shift that rounds
//! to nearest, ties away from zero: TensorFlow Lite's `MultiplyByQuantizedMultiplier` with double rounding.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `(a x b x 2 + 2^31) >> 32`, the one overflow (`a = b = -2^31`) saturated: gemmlowp's definition, which rounds halves
/// away from zero for positive products and truncates after a nudge of `1 - 2^30` for negative ones.
#[inline(always)]
pub fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    // For negative products the nudge and the truncating division give the same as this floor with one common nudge.
    ((i64::from(a) * i64::from(b) + (1 << 30)) >> 31) as i32
}

/// `x / 2^exponent` rounded to nearest, ties away from zero; `exponent` in 0..=31.
#[inline(always)]
pub fn rounding_divide_by_power_of_two(x: i32, exponent: u32) -> i32 {
    let exponent = exponent & 31;
    let mask = ((1u32 << exponent) - 1) as i32;
    let threshold = (mask >> 1) + i32::from(x < 0);
    (x >> exponent) + i32::from((x & mask) > threshold)
}

/// A positive real factor in fixed point, 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Multiplier {
    /// Q31, 0 or in `[2^30, 2^31)`.
    pub mantissa: i32,
    /// Power of two, -31 to 30; positive shifts left.
    pub shift: i32,
}

impl Multiplier {
    /// Whether the fields are in the ranges that stand for a factor.
    pub fn is_valid(&self) -> bool {
        self.mantissa >= 0 && (-31..=30).contains(&self.shift)
    }

    /// `x` times the factor. Bits that a left shift moves out are lost, as in the reference.
    ///
    /// Fields that are not valid give some value, never an overflow: a model's per-channel factors need no check.
    #[inline(always)]
    pub fn apply(&self, x: i32) -> i32 {
        let left = self.shift.max(0) as u32;
        let right = self.shift.wrapping_neg().max(0) as u32;
        let shifted = x.wrapping_shl(left);
        rounding_divide_by_power_of_two(saturating_rounding_doubling_high_mul(shifted, self.mantissa), right)
    }
}

/// What one output channel adds to its sum of products, 12 bytes. As weights are: any content is safe to compute with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ChannelQuant {
    /// Bias at input scale x weight scale, minus input zero point x sum of the channel's weights, modulo 2^32.
    pub bias: i32,
    /// Input scale x weight scale / output scale.
    pub multiplier: Multiplier,
}

/// Last step of every int8 operator: add the zero point, clamp, narrow. 4 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct OutputStage {
    /// Output zero point.
    pub zero_point: i8,
    /// Lower bound of the fused activation.
    pub min: i8,
    /// Upper bound of the fused activation; at least `min`.
    pub max: i8,
    /// Zero.
    pub reserved: u8,
}

impl OutputStage {
    /// A stage that clamps to the whole int8 range.
    pub const fn new(zero_point: i8) -> Self {
        Self { zero_point, min: i8::MIN, max: i8::MAX, reserved: 0 }
    }

    /// Whether the bounds are in order.
    pub fn is_valid(&self) -> bool {
        self.min <= self.max && self.reserved == 0
    }

    /// Whether the bounds are narrower than int8's own.
    pub fn clamps(&self) -> bool {
        (self.min, self.max) != (i8::MIN, i8::MAX)
    }

    /// The bounds, on values that already have the zero point and int8's own bounds.
    pub fn clamp(&self, values: &mut [i8]) {
        if self.clamps() {
            for value in values {
                *value = (*value).max(self.min).min(self.max);
            }
        }
    }

    /// `value` plus the zero point, within the bounds.
    #[inline(always)]
    pub fn finish(&self, value: i32) -> i8 {
        // `clamp` would carry a panic for bounds out of order.
        value.saturating_add(i32::from(self.zero_point)).min(i32::from(self.max)).max(i32::from(self.min))
            as i8
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition as gemmlowp states it, in wide arithmetic.
    fn high_mul_by_definition(a: i32, b: i32) -> i32 {
        let product = i128::from(a) * i128::from(b);
        let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
        ((product + nudge) / (1i128 << 31)).clamp(i128::from(i32::MIN), i128::from(i32::MAX)) as i32
    }

    /// Nearest integer to `x / 2^exponent`, ties away from zero, in wide arithmetic.
    fn divide_by_definition(x: i32, exponent: u32) -> i32 {
        let half = (1i64 << exponent) / 2;
        let magnitude = (i64::from(x).abs() + half) >> exponent;
        (magnitude * i64::from(x).signum()) as i32
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn high_mul_equals_its_definition(a: i32, b: i32) {
            prop_assert_eq!(saturating_rounding_doubling_high_mul(a, b), high_mul_by_definition(a, b));
        }

        #[test]
        fn division_equals_its_definition(x: i32, exponent in 0u32..=31) {
            prop_assert_eq!(rounding_divide_by_power_of_two(x, exponent), divide_by_definition(x, exponent));
        }

        #[test]
        fn requantization_is_monotonic(x: i32, mantissa in (1i32 << 30)..=i32::MAX, shift in -31..=0) {
            let multiplier = Multiplier { mantissa, shift };
            prop_assert!(multiplier.apply(x) <= multiplier.apply(x.saturating_add(1)));
        }
    }

    #[test]
    fn any_fields_give_a_value() {
        for mantissa in [i32::MIN, -1, 0, 1, i32::MAX] {
            for shift in [i32::MIN, -33, -32, -31, 0, 30, 31, 32, i32::MAX] {
                for x in [i32::MIN, -1, 0, 1, i32::MAX] {
                    Multiplier { mantissa, shift }.apply(x);
                }
            }
        }
    }

    #[test]
    fn extremes_and_ties() {
        let edges = [i32::MIN, i32::MIN + 1, -(1 << 30), -3, -1, 0, 1, 3, 1 << 30, i32::MAX];
        for a in edges {
            for b in edges {
                assert_eq!(
                    saturating_rounding_doubling_high_mul(a, b),
                    high_mul_by_definition(a, b),
                    "{a} {b}"
                );
            }
            for exponent in 0..=31 {
                assert_eq!(rounding_divide_by_power_of_two(a, exponent), divide_by_definition(a, exponent));
            }
        }
    }
}
