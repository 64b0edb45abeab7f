//! Element-wise sum of two int8 tensors, with broadcasting.
//!
//! Both operands are brought to a common scale, twice the larger of theirs, with 20 bits of headroom, added and
//! requantized: `out = stage(m_out x (m_a x ((a - z_a) << 20) + m_b x ((b - z_b) << 20)))`, the factors as in TensorFlow
//! Lite's reference `AddElementwise`. The output may stand in an operand's place.

use crate::format::{OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::Operator;
use crate::kernels::elementwise::{self, Binary};

/// Parameters in the file, 32 bytes.
pub use crate::quant::CommonScale as Params;

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::Add,
    packing: Packing::Plain,
    check: elementwise::check::<Add>,
    run: elementwise::run::<Add>,
};

/// The operator.
#[derive(Debug)]
pub enum Add {}

impl Binary for Add {
    type Params = Params;

    fn is_valid(params: &Params) -> bool {
        params.is_valid()
    }

    fn block(params: &Params, a: &[i8], b: &[i8], output: &mut [i8]) {
        Active::sum_i8(params, [a, b], output);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::NodeError;
    use crate::kernels::testing::definitions::{requantize, scale};
    use crate::kernels::testing::{OneNode, binary_cases, multipliers, stages};
    use crate::quant::{Multiplier, OutputStage};

    /// Parameters as a converter makes them, and beyond: input factors up to 1/2, output factors up to 1/8.
    pub(in crate::kernels) fn params() -> impl Strategy<Value = Params> {
        let factors = (multipliers(-20..0), multipliers(-20..0), multipliers(-25..-2));
        (factors, stages(), any::<[i8; 2]>()).prop_map(|((a, b, output), stage, zero_points)| Params {
            inputs: [a, b],
            output,
            stage,
            zero_points,
            reserved: [0; 2],
        })
    }

    /// The formula in wide arithmetic; `sign` is 1 for a sum, -1 for a difference.
    pub(in crate::kernels) fn naive(params: &Params, sign: i64, a: i8, b: i8) -> i8 {
        let scaled = |index: usize, value: i8| {
            let centred = i64::from(value) - i64::from(params.zero_points[index]);
            scale(centred << 20, params.inputs[index])
        };
        requantize(scaled(0, a) + sign * scaled(1, b), params.output, &params.stage)
    }

    /// For the operators that share [`Params`].
    pub(in crate::kernels) fn assert_mutants_of_a_sum_stay_within_bounds(op: OpCode) {
        let node = OneNode::new(op).params(&HALVES).input(&[2, 1, 3], &[5i8; 6]);
        let node = node.constant_input(&[4, 1], &[-7i8; 4]);
        node.output::<i8>(&[2, 4, 3]).assert_mutants_stay_within_bounds();
    }

    #[test]
    fn mutants_stay_within_bounds() {
        assert_mutants_of_a_sum_stay_within_bounds(OpCode::Add);
    }

    proptest! {
        #[test]
        fn sums_equal_the_formula(case in binary_cases(), params in params()) {
            case.assert(OpCode::Add, &params, |a, b| naive(&params, 1, a, b));
        }

        #[test]
        fn sums_grow_with_each_operand(params in params(), a in -128i8..127, b: i8) {
            let sum = |a, b| {
                let mut out = [0];
                Add::block(&params, &[a], &[b], &mut out);
                out[0]
            };
            prop_assert!(sum(a, b) <= sum(a + 1, b));
            prop_assert!(sum(b, a) <= sum(b, a + 1));
        }
    }

    /// Scales 0.5, 0.25 and 0.5; zero points 1, -2 and 3: twice the larger scale is 1.
    const HALVES: Params = Params {
        inputs: [Multiplier { mantissa: 1 << 30, shift: 0 }, Multiplier { mantissa: 1 << 30, shift: -1 }],
        output: Multiplier { mantissa: 1 << 30, shift: -18 },
        stage: OutputStage { zero_point: 3, min: -100, max: 100, reserved: 0 },
        zero_points: [1, -2],
        reserved: [0; 2],
    };

    #[test]
    fn a_sum_by_hand() {
        // 0.5 x (5 - 1) + 0.25 x (3 + 2) = 3.25 = 0.5 x 6.5; rounded away from zero, 7 + 3.
        let node = OneNode::new(OpCode::Add).params(&HALVES);
        let node = node.input(&[3], &[5i8, 127, -128]).input(&[3], &[3i8, 127, -128]).output::<i8>(&[3]);
        assert_eq!(node.run::<i8>(), [10, 100, -100]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let node = |params: &Params, dims: &[usize]| {
            let node = OneNode::new(OpCode::Add).params(params).input(&[2, 3], &[0i8; 6]);
            node.input(&[3], &[0i8; 3]).output::<i8>(dims).check()
        };
        assert_eq!(node(&HALVES, &[2, 3]), Ok(6));
        assert_eq!(node(&HALVES, &[3, 2]), Err(NodeError::Shape));
        assert_eq!(node(&HALVES, &[2, 2, 3]), Err(NodeError::Shape));
        assert_eq!(node(&Params { reserved: [0, 1], ..HALVES }, &[2, 3]), Err(NodeError::Params));
        let shift = Multiplier { mantissa: 1 << 30, shift: 31 };
        assert_eq!(node(&Params { output: shift, ..HALVES }, &[2, 3]), Err(NodeError::Params));
        let overlapping = OneNode::new(OpCode::Add).params(&HALVES).input(&[2, 3], &[0i8; 6]);
        let overlapping = overlapping.input(&[3], &[0i8; 3]).output_in_place::<i8>(1, &[2, 3]);
        assert_eq!(overlapping.check(), Err(NodeError::Overlap));
    }
}
