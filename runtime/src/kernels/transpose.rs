//! Permutes the dimensions of a tensor of any element type.
//!
//! `out[i_0, i_1, ...] = in[...]` where output index `i_d` runs along input dimension `permutation[d]`. Up to 6 dimensions.
//! The input may be a constant.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{MAX_RANK, Node, OpCode, Packing, Shape};
use crate::kernels::strided::{Loop, Strided, check_operands, strides};
use crate::kernels::{Call, NodeError, Operator, require};

/// Parameters in the file, 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Input dimension that becomes output dimension `d`, for each `d` below the rank; zeros from there on.
    pub permutation: [u8; MAX_RANK],
    /// Zero.
    pub reserved: [u8; 2],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Transpose, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let (input, output) = check_operands(node)?;
    require(params.permutes(&input.shape), NodeError::Params)?;
    let from = |&d: &u8| input.shape.dims().get(usize::from(d));
    let permuted = params.permutation.iter().take(input.shape.rank()).filter_map(from);
    require(permuted.eq(output.shape.dims()), NodeError::Shape)?;
    Ok(output.shape.elements() as u64)
}

impl Params {
    /// Whether each dimension of `shape` appears once.
    fn permutes(&self, shape: &Shape) -> bool {
        let rank = shape.rank();
        let Some((used, unused)) = self.permutation.split_at_checked(rank) else { return false };
        let seen = used.iter().fold(0u32, |seen, &d| seen | 1u32.checked_shl(d.into()).unwrap_or(0));
        seen == (1 << rank) - 1 && unused.iter().all(|&d| d == 0) && self.reserved == [0; 2]
    }
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some((input, output)) = node.input(0).zip(node.output(0)) else { return };
    let (from, size) = strides(input);
    let (to, _) = strides(output);
    let mut copy = Strided::new(size);
    for ((&dim, &d), &to) in output.shape.dims().iter().zip(&params.permutation).zip(&to).rev() {
        let from = from.get(usize::from(d)).copied().unwrap_or_default();
        copy.repeat(Loop { len: dim as usize, from, to });
    }
    if let Some((source, target)) = call.bytes(0) {
        copy.copy(source, target, 0, 0);
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

    fn params(permutation: &[u8]) -> Params {
        let mut params = Params { permutation: [0; MAX_RANK], reserved: [0; 2] };
        params.permutation[..permutation.len()].copy_from_slice(permutation);
        params
    }

    #[test]
    fn a_matrix_of_each_type() {
        let node = OneNode::new(OpCode::Transpose).params(&params(&[1, 0]));
        let bytes = node.clone().input(&[2, 3], &[1i8, 2, 3, 4, 5, 6]).output::<i8>(&[3, 2]);
        assert_eq!(bytes.run::<i8>(), [1, 4, 2, 5, 3, 6]);
        let floats = node.clone().input(&[2, 2], &[1f32, 2.0, 3.0, 4.0]).output::<f32>(&[2, 2]);
        assert_eq!(floats.run::<f32>(), [1.0, 3.0, 2.0, 4.0]);
        let constant = node.constant_input(&[2, 2], &[1i32, 2, 3, 4]).output::<i32>(&[2, 2]);
        assert_eq!(constant.run::<i32>(), [1, 3, 2, 4]);
    }

    #[test]
    fn what_is_no_permutation_is_refused() {
        let check = |permutation: &[u8], dims: &[usize]| {
            let node = OneNode::new(OpCode::Transpose).params(&params(permutation));
            node.input(&[2, 3], &[0i8; 6]).output::<i8>(dims).check()
        };
        assert_eq!(check(&[1, 0], &[3, 2]), Ok(6));
        assert_eq!(check(&[1, 0], &[2, 3]), Err(NodeError::Shape));
        assert_eq!(check(&[1, 1], &[3, 3]), Err(NodeError::Params));
        assert_eq!(check(&[1, 2], &[3, 2]), Err(NodeError::Params));
        assert_eq!(check(&[33, 0], &[3, 2]), Err(NodeError::Params));
        assert_eq!(check(&[1, 0, 1], &[3, 2]), Err(NodeError::Params));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::Transpose).params(&params(&[2, 0, 1, 3]));
        let node = node.input(&[2, 3, 4, 1], &[1i8; 24]).output::<i8>(&[4, 2, 3, 1]);
        node.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_index_by_index(
            (dims, order, values) in shapes().prop_flat_map(|dims| {
                let order: Vec<u8> = (0..dims.len() as u8).collect();
                let values = values(&dims);
                (Just(dims), Just(order).prop_shuffle(), values)
            }),
        ) {
            let out_dims: Vec<usize> = order.iter().map(|&d| dims[usize::from(d)]).collect();
            let expected: Vec<i8> = (0..values.len())
                .map(|i| {
                    let mut at = [0; MAX_RANK];
                    for (&d, p) in order.iter().zip(position(&out_dims, i)) {
                        at[usize::from(d)] = p;
                    }
                    values[flat(&dims, &at)]
                })
                .collect();
            let node = OneNode::new(OpCode::Transpose).params(&params(&order)).input(&dims, &values);
            prop_assert_eq!(node.output::<i8>(&out_dims).run::<i8>(), expected);
        }
    }
}
