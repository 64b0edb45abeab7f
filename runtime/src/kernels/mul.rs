//! Element-wise product of two int8 tensors, with broadcasting.
//!
//! `out = stage(multiplier x ((a - z_a) x (b - z_b)))`. The product has 18 bits. The output may stand in an operand's
//! place.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{OpCode, Packing};
use crate::kernels::Operator;
use crate::kernels::elementwise::{self, Binary};
use crate::quant::{Multiplier, OutputStage};

/// Parameters in the file, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Product of the operands' scales over the output scale.
    pub multiplier: Multiplier,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Zero points of the operands.
    pub zero_points: [i8; 2],
    /// Zero.
    pub reserved: [u8; 2],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::Mul,
    packing: Packing::Plain,
    check: elementwise::check::<Mul>,
    run: elementwise::run::<Mul>,
};

/// The operator.
#[derive(Debug)]
pub enum Mul {}

impl Binary for Mul {
    type Params = Params;

    fn is_valid(params: &Params) -> bool {
        params.multiplier.is_valid() && params.stage.is_valid() && params.reserved == [0; 2]
    }

    fn block(params: &Params, a: &[i8], b: &[i8], output: &mut [i8]) {
        let [z_a, z_b] = params.zero_points.map(i32::from);
        for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
            let product = (i32::from(a) - z_a) * (i32::from(b) - z_b);
            *out = params.stage.finish(params.multiplier.apply(product));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::definitions::requantize;
    use crate::kernels::testing::{OneNode, binary_cases, multipliers, stages};

    #[test]
    fn mutants_stay_within_bounds() {
        let multiplier = Multiplier { mantissa: 1 << 30, shift: -2 };
        let stage = OutputStage::new(4);
        let params = Params { multiplier, stage, zero_points: [-128, 127], reserved: [0; 2] };
        let node = OneNode::new(OpCode::Mul).params(&params).input(&[2, 2, 2], &[127i8; 8]);
        node.input(&[2], &[-128i8; 2])
            .output_in_place::<i8>(0, &[2, 2, 2])
            .assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn products_equal_the_formula(
            case in binary_cases(),
            multiplier in multipliers(-20..3),
            stage in stages(),
            zero_points: [i8; 2],
        ) {
            let params = Params { multiplier, stage, zero_points, reserved: [0; 2] };
            case.assert(OpCode::Mul, &params, |a, b| {
                let [z_a, z_b] = zero_points.map(i64::from);
                requantize((i64::from(a) - z_a) * (i64::from(b) - z_b), multiplier, &stage)
            });
        }
    }
}
