//! Int8 to float: the edge at which a model gives real numbers.
//!
//! `out[i] = scale x (in[i] - zero_point)` with the input's scale and zero point, one binary32 multiplication. No
//! parameters.

use crate::format::{Node, OpCode, Packing};
use crate::kernels::{Call, NodeError, Operator, Unary, require};

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Dequantize, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let (input, output) = node.check_unary::<i8, f32>(0)?;
    require(input.shape.elements() == output.shape.elements(), NodeError::Shape)?;
    require(input.scale > 0.0, NodeError::Quantization)?;
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(record) = call.node.input(0) else { return };
    if let Some(Unary { input, output, .. }) = call.unary::<i8, f32>() {
        dequantize(record.scale, record.zero_point, input.data, output.data);
    }
}

/// The kernel, up to the shorter slice; `zero_point` in -128..=127.
pub fn dequantize(scale: f32, zero_point: i32, input: &[i8], output: &mut [f32]) {
    for (out, &value) in output.iter_mut().zip(input) {
        *out = scale * i32::from(value).wrapping_sub(zero_point) as f32;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::OneNode;

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::Dequantize).input(&[3, 2], &[1i8; 6]).quantization(0.5, -3);
        node.output::<f32>(&[3, 2]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_formula_in_double_precision(scale in 1e-6f32..10.0, zero_point in -128..=127) {
            let input: Vec<i8> = (i8::MIN..=i8::MAX).collect();
            let node = OneNode::new(OpCode::Dequantize).input(&[256], &input).quantization(scale, zero_point);
            let naive = |&x: &i8| (f64::from(scale) * f64::from(i32::from(x) - zero_point)) as f32;
            let expected: Vec<f32> = input.iter().map(naive).collect();
            prop_assert_eq!(node.output::<f32>(&[16, 16]).run::<f32>(), expected);
        }
    }

    #[test]
    fn other_types_and_shapes_are_refused() {
        let node = OneNode::new(OpCode::Dequantize).input(&[2], &[1i8, 2]).quantization(0.5, 0);
        assert_eq!(node.clone().output::<f32>(&[3]).check(), Err(NodeError::Shape));
        assert_eq!(node.output::<i8>(&[2]).check(), Err(NodeError::DType));
    }
}
