//! Element-wise difference of two int8 tensors, with broadcasting.
//!
//! As [`add`](super::add), whose parameters it shares, with the second operand taken away: `out = stage(m_out x (m_a x
//! ((a - z_a) << 20) - m_b x ((b - z_b) << 20)))`. The output may stand in an operand's place.

use crate::format::{OpCode, Packing};
use crate::kernels::Operator;
use crate::kernels::elementwise::{self, Binary};

pub use crate::kernels::add::Params;

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::Sub,
    packing: Packing::Plain,
    check: elementwise::check::<Sub>,
    run: elementwise::run::<Sub>,
};

/// The operator.
#[derive(Debug)]
pub enum Sub {}

impl Binary for Sub {
    type Params = Params;

    fn is_valid(params: &Params) -> bool {
        params.is_valid()
    }

    fn block(params: &Params, a: &[i8], b: &[i8], output: &mut [i8]) {
        for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
            let difference = params.scaled(0, a).wrapping_sub(params.scaled(1, b));
            *out = params.finish(difference);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::add::tests::{assert_mutants_of_a_sum_stay_within_bounds, naive, params};
    use crate::kernels::testing::binary_cases;

    #[test]
    fn mutants_stay_within_bounds() {
        assert_mutants_of_a_sum_stay_within_bounds(OpCode::Sub);
    }

    proptest! {
        #[test]
        fn differences_equal_the_formula(case in binary_cases(), params in params()) {
            case.assert(OpCode::Sub, &params, |a, b| naive(&params, -1, a, b));
        }
    }
}
