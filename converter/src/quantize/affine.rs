//! From ranges to scales and zero points.

use crate::arithmetic::Affine;
use crate::arithmetic::scale::quantize;
use crate::calibrate::Range;
use crate::ir::{Quantization, Shape, Tensor};

/// Least scale: what is smaller cannot be told from 0 next to anything that a network computes with.
const LEAST_SCALE: f32 = 1e-12;

/// The int8 quantization whose 256 values cover a range. 0 is one of them; a range of 0 gets the one of 0 to 1.
pub fn affine(range: Range) -> Affine {
    let range = if range.is_zero() { Range::new(0.0, 1.0) } else { range };
    let (low, high) = (f64::from(range.low()), f64::from(range.high()));
    let scale = (((high - low) / 255.0) as f32).max(LEAST_SCALE);
    let zero_point = (-128.0 - low / f64::from(scale)).round().clamp(-128.0, 127.0) as i32;
    Affine { scale, zero_point }
}

impl From<Affine> for Quantization {
    fn from(Affine { scale, zero_point }: Affine) -> Self {
        Quantization::per_tensor(scale, zero_point)
    }
}

/// The range of constants.
pub(super) fn range_of(values: &[f32]) -> Range {
    values.iter().fold(Range::default(), |range, &value| range.union(Range::new(value, value)))
}

/// A constant int8 tensor; values beyond the scale's range are clipped.
pub(super) fn constant(name: &str, shape: &Shape, values: &[f32], to: Affine) -> Tensor {
    let stored: Vec<i8> = values.iter().map(|&value| quantize(value, to).clamp(-128, 127) as i8).collect();
    Tensor::constant_i8(name, shape.clone(), &stored).with_quantization(to.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_stored_exactly_and_the_range_is_covered() {
        for (low, high) in [(0.0, 6.0), (-1.0, 1.0), (-0.1, 100.0), (-3.0, 0.0), (-1e-3, 2.5e-3)] {
            let Affine { scale, zero_point } = affine(Range::new(low, high));
            assert!((-128..=127).contains(&zero_point));
            let real = |stored: i32| scale * (stored - zero_point) as f32;
            assert!((real(-128) - low).abs() <= 0.51 * scale, "{low}");
            assert!((real(127) - high).abs() <= 0.51 * scale, "{high}");
        }
        assert_eq!(affine(Range::new(0.0, 255.0)), Affine { scale: 1.0, zero_point: -128 });
    }

    #[test]
    fn a_single_constant_is_exact() {
        let to = affine(range_of(&[0.3]));
        let tensor = constant("c", &Shape::from([1]), &[0.3], to);
        assert_eq!(tensor.i8_values(), Some(vec![127]));
        assert!((to.scale * 255.0 - 0.3).abs() < 1e-7);
    }
}
