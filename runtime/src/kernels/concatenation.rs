//! Joins tensors of one element type along one axis, each requantized by a table where it must be.
//!
//! `out[.., start_n + i, ..] = table_n[in_n[.., i, ..] + 128]` where input `n` starts at the sum of the lengths of those
//! before it; without a table, values are copied. Inputs may be constants. An int8 input whose quantization is not the
//! output's needs a table; the converter fills it with the arithmetic of Quantize.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{DType, Node, OpCode, Packing};
use crate::kernels::call::overlap;
use crate::kernels::lookup::{TABLE_LEN, entry};
use crate::kernels::{Call, NodeError, Operator, require};

/// In place of an offset: no table.
pub const NONE: u32 = u32::MAX;

/// Parameters in the file, 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Dimension along which the inputs follow each other.
    pub axis: u32,
    /// Offset in the constant section of one `u32` per input: the offset of its table, 256 int8 values for inputs -128 to
    /// 127, or [`NONE`]. [`NONE`] itself if no input has a table.
    pub tables: u32,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Concatenation, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let record = node.record();
    require(record.inputs > 0 && record.outputs == 1, NodeError::OperandCount)?;
    let output = node.output(0).ok_or(NodeError::OperandCount)?;
    let dims = output.shape.dims();
    let axis = params.axis as usize;
    let mut end = 0u64;
    for index in 0..usize::from(record.inputs) {
        let input = node.input(index).ok_or(NodeError::OperandCount)?;
        require(input.dtype() == output.dtype(), NodeError::DType)?;
        let own = input.shape.dims();
        let same = own.iter().zip(dims).enumerate().all(|(d, (a, b))| d == axis || a == b);
        require(own.len() == dims.len() && same, NodeError::Shape)?;
        end += u64::from(*own.get(axis).ok_or(NodeError::Params)?);
        let apart = !input.in_arena() || !overlap(&input.range(), &output.range());
        require(apart, NodeError::Overlap)?;
        if let Some(offset) = params.table_offset(node, index)? {
            require(input.dtype() == Some(DType::I8), NodeError::DType)?;
            node.constants::<i8>(offset, TABLE_LEN).ok_or(NodeError::Constants)?;
        }
    }
    require(dims.get(axis).is_some_and(|&dim| u64::from(dim) == end), NodeError::Shape)?;
    Ok(output.shape.elements() as u64)
}

impl Params {
    /// Where the table of input `index` is, if it has one.
    fn table_offset(&self, node: &Node<'_>, index: usize) -> Result<Option<u32>, NodeError> {
        if self.tables == NONE {
            return Ok(None);
        }
        let offsets = node.constants::<u32>(self.tables, index + 1).ok_or(NodeError::Constants)?;
        Ok(offsets.last().copied().filter(|&offset| offset != NONE))
    }
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(output) = node.output(0) else { return };
    let outer = output.shape.dims().iter().take(params.axis as usize).fold(1, |n, &dim| n * dim as usize);
    let row = output.byte_len() / outer.max(1);
    let mut start = 0;
    for index in 0..node.inputs().len() {
        let Ok(offset) = params.table_offset(node, index) else { return };
        let table = offset.and_then(|offset| node.constants::<i8>(offset, TABLE_LEN));
        let table = table.and_then(|table| <&[i8; TABLE_LEN]>::try_from(table).ok());
        let Some((source, target)) = call.bytes(index) else { return };
        let len = source.len() / outer.max(1);
        join(source, len, table, target.get_mut(start..).unwrap_or_default(), row);
        start += len;
    }
}

/// Copies rows of `len` bytes to the starts of rows of `pitch` bytes, the last of which may be cut.
fn join(source: &[u8], len: usize, table: Option<&[i8; TABLE_LEN]>, target: &mut [u8], pitch: usize) {
    let rows = target.chunks_mut(pitch.max(1)).zip(source.chunks_exact(len.max(1)));
    match table {
        None => rows.for_each(|(to, from)| to.iter_mut().zip(from).for_each(|(to, &from)| *to = from)),
        Some(table) => rows.for_each(|(to, from)| {
            to.iter_mut().zip(from).for_each(|(to, &from)| *to = entry(table, from as i8) as u8);
        }),
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

    #[test]
    fn columns_with_a_constant_and_a_table() {
        let mut node = OneNode::new(OpCode::Concatenation);
        let half: Vec<i8> = (-128i16..128).map(|x| (x / 2) as i8).collect();
        let table = node.constants(&half);
        let tables = node.constants(&[NONE, table, NONE]);
        let node = node.params(&Params { axis: 1, tables }).input(&[2, 1], &[1i8, 2]);
        let node = node.input(&[2, 2], &[10i8, -20, 30, 127]).constant_input(&[2, 1], &[7i8, 8]);
        assert_eq!(node.output::<i8>(&[2, 4]).run::<i8>(), [1, 5, -10, 7, 2, 15, 63, 8]);
    }

    #[test]
    fn floats_along_the_last_axis() {
        let node = OneNode::new(OpCode::Concatenation).params(&Params { axis: 1, tables: NONE });
        let node = node.input(&[2, 1], &[1f32, 2.0]).input(&[2, 1], &[3f32, 4.0]);
        assert_eq!(node.output::<f32>(&[2, 2]).run::<f32>(), [1.0, 3.0, 2.0, 4.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let check = |axis, tables, dims: &[usize]| {
            let node = OneNode::new(OpCode::Concatenation).params(&Params { axis, tables });
            let node = node.input(&[2, 3], &[0i8; 6]).input(&[2, 3], &[0i8; 6]);
            node.output::<i8>(dims).check()
        };
        assert_eq!(check(0, NONE, &[4, 3]), Ok(12));
        assert_eq!(check(1, NONE, &[2, 6]), Ok(12));
        assert_eq!(check(1, NONE, &[2, 5]), Err(NodeError::Shape));
        assert_eq!(check(1, NONE, &[4, 3]), Err(NodeError::Shape));
        assert_eq!(check(2, NONE, &[2, 3]), Err(NodeError::Params));
        assert_eq!(check(0, NONE, &[12]), Err(NodeError::Shape));
        assert_eq!(check(0, 0, &[4, 3]), Err(NodeError::Constants));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let mut node = OneNode::new(OpCode::Concatenation);
        let table = node.constants(&[1i8; 256]);
        let tables = node.constants(&[NONE, table]);
        let node = node.params(&Params { axis: 1, tables }).input(&[2, 1, 3], &[1i8; 6]);
        let node = node.input(&[2, 2, 3], &[2i8; 12]).output::<i8>(&[2, 3, 3]);
        node.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_index_by_index(
            (axis, inputs) in (shapes(), any::<prop::sample::Index>(), 1usize..4).prop_flat_map(
                |(dims, axis, count)| {
                    let axis = axis.index(dims.len());
                    let input = (1usize..6).prop_flat_map(move |len| {
                        let mut dims = dims.clone();
                        dims[axis] = len;
                        let values = values(&dims);
                        (Just(dims), values)
                    });
                    (Just(axis), prop::collection::vec(input, count))
                },
            ),
        ) {
            let mut dims = inputs[0].0.clone();
            dims[axis] = inputs.iter().map(|(dims, _)| dims[axis]).sum();
            let mut expected = vec![0i8; dims.iter().product::<usize>()];
            let mut node = OneNode::new(OpCode::Concatenation).params(&Params { axis: axis as u32, tables: NONE });
            let mut start = 0;
            for (own, values) in &inputs {
                node = node.input(own, values);
                for (i, &value) in values.iter().enumerate() {
                    let mut at = position(own, i);
                    at[axis] += start;
                    expected[flat(&dims, &at)] = value;
                }
                start += own[axis];
            }
            prop_assert_eq!(node.output::<i8>(&dims).run::<i8>(), expected);
        }
    }
}
