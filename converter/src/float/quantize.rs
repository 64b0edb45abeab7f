//! Real numbers to integers of a scale, and back.

use std::ops::RangeInclusive;

use crate::ir::{DType, Quantization};

/// The range of an integer type's values; `None` for types of real numbers.
pub fn range(dtype: DType) -> Option<RangeInclusive<i64>> {
    match dtype {
        DType::I8 => Some(i8::MIN.into()..=i8::MAX.into()),
        DType::U8 => Some(0..=u8::MAX.into()),
        DType::I16 => Some(i16::MIN.into()..=i16::MAX.into()),
        DType::I32 => Some(i32::MIN.into()..=i32::MAX.into()),
        DType::I64 => Some(i64::MIN..=i64::MAX),
        DType::Bool => Some(0..=1),
        DType::I4 => Some(-8..=7),
        DType::B1 => Some(-1..=1),
        DType::F32 | DType::F16 => None,
    }
}

/// `round(x / scale) + zero_point` for each element, halves to even, within the range.
pub fn quantize(
    quantization: &Quantization,
    range: RangeInclusive<i64>,
    shape: &[usize],
    input: &[f32],
    output: &mut [i64],
) {
    let channels = Channels::new(quantization, shape);
    for (index, (result, &value)) in output.iter_mut().zip(input).enumerate() {
        let (scale, zero_point) = channels.at(index);
        let rounded = (value / scale).round_ties_even() as i64;
        *result = rounded.saturating_add(zero_point).clamp(*range.start(), *range.end());
    }
}

/// `scale * (x - zero_point)` for each element.
pub fn dequantize(quantization: &Quantization, shape: &[usize], input: &[i64], output: &mut [f32]) {
    let channels = Channels::new(quantization, shape);
    for (index, (result, &value)) in output.iter_mut().zip(input).enumerate() {
        let (scale, zero_point) = channels.at(index);
        *result = scale * value.saturating_sub(zero_point) as f32;
    }
}

/// Which scale an element has.
struct Channels<'a> {
    quantization: &'a Quantization,
    /// Elements between neighbours along the axis.
    inner: usize,
}

impl<'a> Channels<'a> {
    fn new(quantization: &'a Quantization, shape: &[usize]) -> Self {
        let inner = shape.iter().skip(quantization.axis + 1).product::<usize>().max(1);
        Self { quantization, inner }
    }

    fn at(&self, index: usize) -> (f32, i64) {
        let Quantization { scales, zero_points, .. } = self.quantization;
        let channel = if scales.len() > 1 { index / self.inner % scales.len() } else { 0 };
        (scales[channel], zero_points[channel].into())
    }
}
