//! Position of the largest value along one axis, int8 to int32.
//!
//! `out[o, i] = min { a : in[o, a, i] = max over b of in[o, b, i] }`, where `o` stands for the dimensions before the axis
//! and `i` for those after: of equal values the first counts. The output has the input's dimensions without the axis,
//! however its shape groups them.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::kernels::{Call, NodeError, Operator, Unary, require};

/// Parameters in the file, 4 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Dimension of the input that is searched.
    pub axis: u32,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::ArgMax, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i32>(0)?;
    let len = *input.shape.dims().get(params.axis as usize).ok_or(NodeError::Params)? as usize;
    require(input.shape.elements() / len.max(1) == output.shape.elements(), NodeError::Shape)?;
    Ok(input.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(params) = call.node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i32>() else { return };
    let mut dims = input.shape.dims().iter().skip(params.axis as usize).map(|&dim| dim as usize);
    let len = dims.next().unwrap_or(1);
    arg_max(input.data, len, dims.product(), output.data);
}

/// The kernel: `input` is `[O, len, inner]`, `output` `[O, inner]`.
pub fn arg_max(input: &[i8], len: usize, inner: usize, output: &mut [i32]) {
    let inner = inner.max(1);
    for (block, out) in input.chunks_exact((len * inner).max(1)).zip(output.chunks_exact_mut(inner)) {
        for (i, out) in out.iter_mut().enumerate() {
            let (mut best, mut largest) = (0, i8::MIN);
            for (&value, at) in block.iter().skip(i).step_by(inner).zip(0i32..) {
                if value > largest {
                    (best, largest) = (at, value);
                }
            }
            *out = best;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::definitions::{flat, position};
    use crate::kernels::testing::{OneNode, shapes, values};

    #[test]
    fn the_first_of_equal_values_counts() {
        let input = [3i8, 9, 9, -128, -128, -128];
        let node = OneNode::new(OpCode::ArgMax).params(&Params { axis: 1 }).input(&[2, 3], &input);
        assert_eq!(node.output::<i32>(&[2]).run::<i32>(), [1, 0]);
        let node = OneNode::new(OpCode::ArgMax).params(&Params { axis: 0 }).input(&[2, 3], &input);
        assert_eq!(node.output::<i32>(&[1, 3]).run::<i32>(), [0, 0, 0]);
    }

    #[test]
    fn an_axis_that_is_not_there_is_refused() {
        let node = |axis| OneNode::new(OpCode::ArgMax).params(&Params { axis }).input(&[2, 3], &[0i8; 6]);
        assert_eq!(node(2).output::<i32>(&[2]).check(), Err(NodeError::Params));
        assert_eq!(node(1).output::<i32>(&[3]).check(), Err(NodeError::Shape));
        assert_eq!(node(1).output::<i32>(&[2]).check(), Ok(6));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::ArgMax).params(&Params { axis: 1 }).input(&[2, 3, 2], &[1i8; 12]);
        node.output::<i32>(&[2, 2]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_index_by_index(
            (dims, axis, values) in shapes().prop_flat_map(|dims| {
                let values = values(&dims);
                (Just(dims), any::<prop::sample::Index>(), values)
            }),
        ) {
            let axis = axis.index(dims.len());
            let mut out_dims = dims.clone();
            out_dims[axis] = 1;
            let expected: Vec<i32> = (0..out_dims.iter().product::<usize>())
                .map(|i| {
                    let mut at = position(&out_dims, i);
                    let along = |p: usize| {
                        at[axis] = p;
                        values[flat(&dims, &at)]
                    };
                    let line: Vec<i8> = (0..dims[axis]).map(along).collect();
                    let largest = line.iter().max().unwrap();
                    line.iter().position(|value| value == largest).unwrap() as i32
                })
                .collect();
            let node = OneNode::new(OpCode::ArgMax).params(&Params { axis: axis as u32 });
            prop_assert_eq!(node.input(&dims, &values).output::<i32>(&out_dims).run::<i32>(), expected);
        }
    }
}
