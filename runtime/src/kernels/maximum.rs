//! Element-wise maximum of two int8 tensors, with broadcasting.
//!
//! `out = max(a, b)` on the raw values: operands and output have one quantization. No parameters. The output may stand
//! in an operand's place.

use crate::format::{OpCode, Packing};
use crate::kernels::Operator;
use crate::kernels::elementwise::{self, Binary};

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator {
    code: OpCode::Maximum,
    packing: Packing::Plain,
    check: elementwise::check::<Maximum>,
    run: elementwise::run::<Maximum>,
};

/// The operator.
#[derive(Debug)]
pub enum Maximum {}

impl Binary for Maximum {
    type Params = ();

    fn is_valid((): &()) -> bool {
        true
    }

    fn block((): &(), a: &[i8], b: &[i8], output: &mut [i8]) {
        for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
            *out = a.max(b);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::{OneNode, binary_cases};

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::Maximum).input(&[3, 1], &[5i8; 3]).input(&[4], &[-7i8; 4]);
        node.output::<i8>(&[3, 4]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn maxima_are_those_of_the_raw_values(case in binary_cases()) {
            case.assert(OpCode::Maximum, &(), core::cmp::max);
        }
    }
}
