//! Other element types.

use std::ops::RangeInclusive;

use super::quantize::range;
use crate::ir::DType;

/// A real number as an integer of the type: cut towards 0, and the nearest where it does not fit; NaN becomes 0.
/// A boolean tells whether the number is not 0.
pub fn real_to_integer(value: f32, to: DType) -> i64 {
    if to == DType::Bool {
        return (value != 0.0).into();
    }
    let (low, high) = range(to).map_or((i64::MIN, i64::MAX), RangeInclusive::into_inner);
    (value as i64).clamp(low, high)
}

/// An integer as another type of integers: its low bits. A boolean tells whether the number is not 0.
pub fn integer_to_integer(value: i64, to: DType) -> i64 {
    match to {
        DType::Bool => (value != 0).into(),
        DType::U8 => (value as u8).into(),
        DType::I8 | DType::I4 | DType::B1 => (value as i8).into(),
        DType::I16 => (value as i16).into(),
        DType::I32 => (value as i32).into(),
        DType::I64 | DType::F32 | DType::F16 => value,
    }
}

/// A real number rounded to what the type holds.
pub fn real_to_real(value: f32, to: DType) -> f32 {
    if to == DType::F16 { half::f16::from_f32(value).to_f32() } else { value }
}
