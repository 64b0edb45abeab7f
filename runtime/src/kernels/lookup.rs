//! Any function of one int8 value, by table: activations, and requantization from int8 to int8.
//!
//! `out[i] = table[in[i] + 128]`. The converter fills the table with the reference arithmetic of the function it stands
//! for (ReLU and its relatives, HardSwish, Logistic, Tanh, Quantize, ...), so one kernel serves them all at the speed of a
//! load. The output may stand in the input's place.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::kernels::call::overlap;
use crate::kernels::{Call, Element, NodeError, Operator, Unary, require};

/// Entries of a table.
pub const TABLE_LEN: usize = 256;

/// Parameters in the file, 4 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the table, 256 int8 values for inputs -128 to 127, in the constant section.
    pub table: u32,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Lookup, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let record = node.record();
    require(record.inputs == 1 && record.outputs == 1, NodeError::OperandCount)?;
    let (input, output) = node.input(0).zip(node.output(0)).ok_or(NodeError::OperandCount)?;
    require(input.dtype() == Some(i8::DTYPE) && output.dtype() == Some(i8::DTYPE), NodeError::DType)?;
    require(input.in_arena(), NodeError::Place)?;
    require(input.shape.elements() == output.shape.elements(), NodeError::Shape)?;
    let (from, to) = (input.range(), output.range());
    require(from == to || !overlap(&from, &to), NodeError::Overlap)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    node.constants::<i8>(params.table, TABLE_LEN).ok_or(NodeError::Constants)?;
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let table = node.constants::<i8>(params.table, TABLE_LEN);
    let Some(table) = table.and_then(|table| <&[i8; TABLE_LEN]>::try_from(table).ok()) else { return };
    if let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() {
        for (out, &value) in output.data.iter_mut().zip(input.data) {
            *out = entry(table, value);
        }
    } else if let Some(output) = call.output::<i8>() {
        for value in output.data {
            *value = entry(table, *value);
        }
    }
}

/// The table's value for `input`.
#[inline(always)]
pub(super) fn entry(table: &[i8; TABLE_LEN], input: i8) -> i8 {
    table[usize::from(input as u8 ^ 0x80)]
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::{OneNode, Random, shapes, values};

    fn node(table: &[i8]) -> OneNode {
        let mut node = OneNode::new(OpCode::Lookup);
        let table = node.constants(table);
        node.params(&Params { table })
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = node(&[3; TABLE_LEN]).input(&[2, 3], &[-1i8; 6]);
        node.clone().output_in_place::<i8>(0, &[6]).assert_mutants_stay_within_bounds();
        node.output::<i8>(&[6]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn every_value_is_looked_up(
            (dims, values) in shapes().prop_flat_map(|dims| {
                let values = values(&dims);
                (Just(dims), values)
            }),
            seed: u64,
        ) {
            let table = Random(seed).values(TABLE_LEN);
            let expected: Vec<i8> =
                values.iter().map(|&value| table[(i32::from(value) + 128) as usize]).collect();
            let node = node(&table).input(&dims, &values);
            prop_assert_eq!(node.clone().output::<i8>(&dims).run::<i8>(), &expected[..]);
            prop_assert_eq!(node.output_in_place::<i8>(0, &dims).run::<i8>(), expected);
        }
    }

    #[test]
    fn a_short_table_is_refused() {
        let check = |len| node(&[0; TABLE_LEN][..len]).input(&[1], &[0i8]).output::<i8>(&[1]).check();
        assert_eq!(check(TABLE_LEN), Ok(1));
        assert_eq!(check(TABLE_LEN - 4), Err(NodeError::Constants));
    }
}
