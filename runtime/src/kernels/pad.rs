//! Puts a tensor of any element type into a larger one filled with one value.
//!
//! `out[before_0 + i_0, before_1 + i_1, ...] = in[i_0, i_1, ...]`, every other element of the output is `value`. What is
//! padded after the input follows from the output's shape. The input may be a constant.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{MAX_RANK, Node, OpCode, Packing};
use crate::kernels::strided::{Loop, Strided, check_operands, strides};
use crate::kernels::{Call, NodeError, Operator, require};

/// Parameters in the file, 28 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Elements of padding before the input along each dimension; zeros past the rank.
    pub before: [u32; MAX_RANK],
    /// The value of padding: one element, little-endian, then zeros. Int8 padding stands for 0.0 if it is the zero point.
    pub value: [u8; 4],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Pad, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let (input, output) = check_operands(node)?;
    let (inner, outer) = (input.shape.dims(), output.shape.dims());
    require(inner.len() == outer.len(), NodeError::Shape)?;
    let (before, unused) = params.before.split_at_checked(inner.len()).ok_or(NodeError::Shape)?;
    require(unused.iter().all(|&n| n == 0), NodeError::Params)?;
    for ((&before, &inner), &outer) in before.iter().zip(inner).zip(outer) {
        require(before.checked_add(inner).is_some_and(|end| end <= outer), NodeError::Shape)?;
    }
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some((input, output)) = node.input(0).zip(node.output(0)) else { return };
    let (from, size) = strides(input);
    let (to, _) = strides(output);
    let mut copy = Strided::new(size);
    let mut start = 0;
    let axes = input.shape.dims().iter().zip(&params.before).zip(from.iter().zip(&to));
    for ((&dim, &before), (&from, &to)) in axes.rev() {
        start += before as usize * to as usize;
        copy.repeat(Loop { len: dim as usize, from, to });
    }
    if let Some((source, target)) = call.bytes(0) {
        fill(target, params.value.get(..size).unwrap_or_default());
        copy.copy(source, target, 0, start);
    }
}

/// Repeats `element` over `target`.
fn fill(target: &mut [u8], element: &[u8]) {
    if let &[byte] = element {
        target.fill(byte);
        return;
    }
    for (target, &byte) in target.iter_mut().zip(element.iter().cycle()) {
        *target = byte;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::definitions::{flat, position};
    use crate::kernels::testing::{OneNode, shapes, values};

    fn params(before: &[u32], value: [u8; 4]) -> Params {
        let mut params = Params { before: [0; MAX_RANK], value };
        params.before[..before.len()].copy_from_slice(before);
        params
    }

    #[test]
    fn a_matrix_of_each_type() {
        let node = OneNode::new(OpCode::Pad).params(&params(&[1, 0], [0xfe, 0, 0, 0]));
        let bytes = node.input(&[1, 2], &[1i8, 2]).output::<i8>(&[2, 3]);
        assert_eq!(bytes.run::<i8>(), [-2, -2, -2, 1, 2, -2]);
        let node = OneNode::new(OpCode::Pad).params(&params(&[0, 1], 1.5f32.to_le_bytes()));
        let floats = node.input(&[1, 2], &[1f32, 2.0]).output::<f32>(&[2, 3]);
        assert_eq!(floats.run::<f32>(), [1.5, 1.0, 2.0, 1.5, 1.5, 1.5]);
    }

    #[test]
    fn inputs_that_leave_the_output_are_refused() {
        let check = |before: &[u32], dims: &[usize]| {
            let node = OneNode::new(OpCode::Pad).params(&params(before, [0; 4]));
            node.input(&[2, 3], &[0i8; 6]).output::<i8>(dims).check()
        };
        assert_eq!(check(&[1, 0], &[3, 3]), Ok(9));
        assert_eq!(check(&[1, 0], &[2, 3]), Err(NodeError::Shape));
        assert_eq!(check(&[0, 0], &[2, 2]), Err(NodeError::Shape));
        assert_eq!(check(&[u32::MAX, 0], &[2, 3]), Err(NodeError::Shape));
        assert_eq!(check(&[0, 0], &[6]), Err(NodeError::Shape));
        assert_eq!(check(&[0, 0, 1], &[2, 3]), Err(NodeError::Params));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node =
            OneNode::new(OpCode::Pad).params(&params(&[1, 0, 2], [1; 4])).input(&[2, 3, 2], &[1f32; 12]);
        node.output::<f32>(&[3, 3, 5]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_index_by_index(
            (dims, pads, values) in shapes().prop_flat_map(|dims| {
                let pads = prop::collection::vec((0u32..3, 0usize..3), dims.len());
                let values = values(&dims);
                (Just(dims), pads, values)
            }),
            value: i8,
        ) {
            let before: Vec<u32> = pads.iter().map(|&(before, _)| before).collect();
            let out_dims: Vec<usize> =
                dims.iter().zip(&pads).map(|(&dim, &(before, after))| before as usize + dim + after).collect();
            let mut expected = vec![value; out_dims.iter().product::<usize>()];
            for (i, &value) in values.iter().enumerate() {
                let at: Vec<usize> =
                    position(&dims, i).iter().zip(&before).map(|(&p, &before)| p + before as usize).collect();
                expected[flat(&out_dims, &at)] = value;
            }
            let node = OneNode::new(OpCode::Pad).params(&params(&before, [value as u8, 0, 0, 0]));
            prop_assert_eq!(node.input(&dims, &values).output::<i8>(&out_dims).run::<i8>(), expected);
        }
    }
}
