//! Takes every `stride`-th element along each dimension, forwards or backwards. Any element type.
//!
//! `out[i_0, i_1, ...] = in[begin_0 + i_0 x stride_0, begin_1 + i_1 x stride_1, ...]` with `i_d < len_d`. Masks, negative
//! indices and ends are resolved by the converter. The output has the elements in that order, however its shape groups
//! them, so a dimension of length 1 may be left out. The input may be a constant.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{MAX_RANK, Node, OpCode, Packing, TensorRecord};
use crate::kernels::strided::{Loop, Strided, check_operands, strides};
use crate::kernels::{Call, NodeError, Operator, require};

/// Parameters in the file, 72 bytes. Entries past the rank of the input are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// First position along each dimension.
    pub begin: [u32; MAX_RANK],
    /// Distance to the next position; not 0.
    pub stride: [i32; MAX_RANK],
    /// Positions taken, at least 1.
    pub len: [u32; MAX_RANK],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::StridedSlice, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let (input, output) = check_operands(node)?;
    require(params.fits(input), NodeError::Params)?;
    let elements = params.len.iter().take(input.shape.rank()).fold(1u64, |n, &len| n * u64::from(len));
    require(elements == output.shape.elements() as u64, NodeError::Shape)?;
    Ok(elements)
}

impl Params {
    /// Whether every position is one of `input`. Then the product of the lengths is at most its number of elements.
    fn fits(&self, input: &TensorRecord) -> bool {
        let axes = self.begin.iter().zip(&self.stride).zip(&self.len).enumerate();
        axes.fold(true, |fits, (axis, ((&begin, &stride), &len))| {
            let own = match input.shape.dims().get(axis) {
                Some(&dim) => {
                    let last = i64::from(begin) + (i64::from(len) - 1) * i64::from(stride);
                    stride != 0 && len > 0 && len <= dim && begin < dim && (0..i64::from(dim)).contains(&last)
                }
                None => begin == 0 && stride == 0 && len == 0,
            };
            fits && own
        })
    }
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(input) = node.input(0) else { return };
    let (input_strides, size) = strides(input);
    let mut copy = Strided::new(size);
    let (mut from, mut to) = (0usize, size as isize);
    let axes = params.begin.iter().zip(&params.stride).zip(&params.len).zip(&input_strides);
    for (((&begin, &stride), &len), &step) in axes.take(input.shape.rank()).rev() {
        from += begin as usize * step as usize;
        // A dimension of one position is not stepped along: only then may its stride be any number.
        copy.repeat(Loop { len: len as usize, from: step.wrapping_mul(stride as isize), to });
        to *= len as isize;
    }
    if let Some((source, target)) = call.bytes(0) {
        copy.copy(source, target, from, 0);
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

    fn params(axes: &[(u32, i32, u32)]) -> Params {
        let mut params = Params { begin: [0; 6], stride: [0; 6], len: [0; 6] };
        for (axis, &(begin, stride, len)) in axes.iter().enumerate() {
            (params.begin[axis], params.stride[axis], params.len[axis]) = (begin, stride, len);
        }
        params
    }

    #[test]
    fn forwards_backwards_and_a_dimension_left_out() {
        let node = OneNode::new(OpCode::StridedSlice).input(&[2, 4], &[1i8, 2, 3, 4, 5, 6, 7, 8]);
        let part = node.clone().params(&params(&[(0, 1, 2), (3, -2, 2)])).output::<i8>(&[2, 2]);
        assert_eq!(part.run::<i8>(), [4, 2, 8, 6]);
        let row = node.clone().params(&params(&[(1, i32::MIN, 1), (0, 1, 4)])).output::<i8>(&[4]);
        assert_eq!(row.run::<i8>(), [5, 6, 7, 8]);
        let floats = OneNode::new(OpCode::StridedSlice).params(&params(&[(2, -1, 3)]));
        let floats = floats.input(&[4], &[1f32, 2.0, 3.0, 4.0]).output::<f32>(&[3]);
        assert_eq!(floats.run::<f32>(), [3.0, 2.0, 1.0]);
    }

    #[test]
    fn positions_outside_the_input_are_refused() {
        let check = |axes: &[(u32, i32, u32)], len| {
            let node = OneNode::new(OpCode::StridedSlice).params(&params(axes));
            node.input(&[5], &[0i8; 5]).output::<i8>(&[len]).check()
        };
        assert_eq!(check(&[(1, 2, 2)], 2), Ok(2));
        assert_eq!(check(&[(1, 2, 2)], 3), Err(NodeError::Shape));
        assert_eq!(check(&[(1, 2, 3)], 3), Err(NodeError::Params));
        assert_eq!(check(&[(1, -1, 3)], 3), Err(NodeError::Params));
        assert_eq!(check(&[(5, 1, 1)], 1), Err(NodeError::Params));
        assert_eq!(check(&[(0, 0, 5)], 5), Err(NodeError::Params));
        assert_eq!(check(&[(0, 1, 0)], 1), Err(NodeError::Params));
        assert_eq!(check(&[(0, 1, 5), (0, 1, 1)], 5), Err(NodeError::Params));
    }

    /// First position, stride and length along a dimension of `dim`.
    fn axis(dim: usize) -> impl Strategy<Value = (u32, i32, u32)> {
        (0..dim as u32, prop_oneof![-3..=-1, 1..=3], any::<prop::sample::Index>()).prop_map(
            move |(begin, stride, len): (u32, i32, _)| {
                let room = if stride > 0 { dim as u32 - 1 - begin } else { begin };
                (begin, stride, 1 + len.index((room / stride.unsigned_abs()) as usize + 1) as u32)
            },
        )
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::StridedSlice).params(&params(&[(1, 1, 1), (4, -2, 3), (0, 3, 2)]));
        let node = node.input(&[2, 5, 4], &[1i8; 40]).output::<i8>(&[3, 2]);
        node.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_index_by_index(
            (dims, axes, values) in shapes().prop_flat_map(|dims| {
                let axes: Vec<_> = dims.iter().map(|&dim| axis(dim)).collect();
                let values = values(&dims);
                (Just(dims), axes, values)
            }),
        ) {
            let out_dims: Vec<usize> = axes.iter().map(|&(_, _, len)| len as usize).collect();
            let expected: Vec<i8> = (0..out_dims.iter().product::<usize>())
                .map(|i| {
                    let out = position(&out_dims, i);
                    let at: Vec<usize> = axes
                        .iter()
                        .zip(out)
                        .map(|(&(begin, stride, _), p)| (begin as i32 + p as i32 * stride) as usize)
                        .collect();
                    values[flat(&dims, &at)]
                })
                .collect();
            let node = OneNode::new(OpCode::StridedSlice).params(&params(&axes)).input(&dims, &values);
            prop_assert_eq!(node.output::<i8>(&out_dims).run::<i8>(), expected);
        }
    }
}
