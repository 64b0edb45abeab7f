//! Float to int8: the edge at which a model takes real numbers.
//!
//! `out[i] = clamp(round(in[i] / scale) + zero_point, -128, 127)` with the output's scale and zero point; the division is
//! one of binary32, halves are rounded away from zero. Infinities give the bounds, NaN gives the zero point. No parameters.

use crate::format::{Node, OpCode, Packing};
use crate::kernels::{Call, NodeError, Operator, Unary, require};

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Quantize, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let (input, output) = node.check_unary::<f32, i8>(0)?;
    require(input.shape.elements() == output.shape.elements(), NodeError::Shape)?;
    require(output.scale > 0.0, NodeError::Quantization)?;
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(record) = call.node.output(0) else { return };
    if let Some(Unary { input, output, .. }) = call.unary::<f32, i8>() {
        quantize(record.scale, record.zero_point, input.data, output.data);
    }
}

/// The kernel, up to the shorter slice.
pub fn quantize(scale: f32, zero_point: i32, input: &[f32], output: &mut [i8]) {
    for (out, &value) in output.iter_mut().zip(input) {
        let steps = round(value / scale).saturating_add(zero_point);
        *out = steps.clamp(i8::MIN.into(), i8::MAX.into()) as i8;
    }
}

/// The nearest integer, halves away from zero, saturated; 0 for NaN. `core` has no `f32::round`.
pub(super) fn round(value: f32) -> i32 {
    let whole = value as i32;
    // Exact: a number with a fraction is below 2^23.
    let fraction = value - whole as f32;
    whole.saturating_add(i32::from(fraction >= 0.5)).saturating_sub(i32::from(fraction <= -0.5))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::OneNode;

    fn run(scale: f32, zero_point: i32, input: &[f32]) -> Vec<i8> {
        let dims = [input.len()];
        let node = OneNode::new(OpCode::Quantize).input(&dims, input);
        node.output::<i8>(&dims).quantization(scale, zero_point).run()
    }

    #[test]
    fn halves_go_away_from_zero_and_the_rest_is_clamped() {
        let input = [0.25, -0.25, 0.24, 0.75, -1.25, 1e9, -1e30, f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        assert_eq!(run(0.5, 3, &input), [4, 2, 3, 5, 0, 127, -128, 127, -128, 3]);
    }

    #[test]
    fn an_output_without_scale_is_refused() {
        let node = OneNode::new(OpCode::Quantize).input(&[1], &[1f32]).output::<i8>(&[1]);
        assert_eq!(node.clone().quantization(0.0, 0).check(), Err(NodeError::Quantization));
        assert_eq!(node.quantization(1e-45, 0).check(), Ok(1));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::Quantize).input(&[3, 2], &[1f32, f32::NAN, 1e30, -1e-40, 0.5, -7.0]);
        node.output::<i8>(&[3, 2]).quantization(0.5, -3).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn rounding_is_that_of_the_standard_library(value in any::<f32>(), near in -1000i32..1000, ulps in -2i32..3) {
            let half = f32::from_bits((near as f32 / 2.0).to_bits().wrapping_add_signed(ulps));
            for value in [value, half, value % 1e3] {
                prop_assert_eq!(round(value), value.round() as i32, "{}", value);
            }
        }

        #[test]
        fn equals_the_formula(
            scale in 1e-6f32..10.0,
            zero_point in -128i32..128,
            input in prop::collection::vec(-200f32..200.0, 1..40),
        ) {
            let input: Vec<f32> = input.iter().map(|x| x * scale).collect();
            let naive = |&x: &f32| ((x / scale).round() as i32 + zero_point).clamp(-128, 127) as i8;
            let expected: Vec<i8> = input.iter().map(naive).collect();
            prop_assert_eq!(run(scale, zero_point, &input), expected);
        }
    }
}
