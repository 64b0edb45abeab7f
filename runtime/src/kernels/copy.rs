//! Copies a tensor of any element type: a reshape whose result must stand in a place of its own.
//!
//! `out[i] = in[i]` in the order of memory; shapes may differ. No parameters. The input may be a constant, and the output
//! may stand in its place: then there is nothing to do.

use crate::format::{Node, OpCode, Packing};
use crate::kernels::call::overlap;
use crate::kernels::{Call, NodeError, Operator, require};

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Copy, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let record = node.record();
    require(record.inputs == 1 && record.outputs == 1, NodeError::OperandCount)?;
    let (input, output) = node.input(0).zip(node.output(0)).ok_or(NodeError::OperandCount)?;
    require(input.dtype() == output.dtype(), NodeError::DType)?;
    require(input.shape.elements() == output.shape.elements(), NodeError::Shape)?;
    let (from, to) = (input.range(), output.range());
    require(!input.in_arena() || from == to || !overlap(&from, &to), NodeError::Overlap)?;
    Ok(output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    if let Some((source, target)) = call.bytes(0) {
        for (target, &source) in target.iter_mut().zip(source) {
            *target = source;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::OneNode;

    #[test]
    fn copies_from_arena_and_constants_and_leaves_what_is_in_place() {
        let node = OneNode::new(OpCode::Copy);
        let arena = node.clone().input(&[2, 2], &[1i8, 2, 3, 4]);
        assert_eq!(arena.clone().output::<i8>(&[4]).run::<i8>(), [1, 2, 3, 4]);
        assert_eq!(arena.output_in_place::<i8>(0, &[4, 1]).run::<i8>(), [1, 2, 3, 4]);
        let constant = node.constant_input(&[2], &[1.5f32, -2.0]).output::<f32>(&[1, 2]);
        assert_eq!(constant.run::<f32>(), [1.5, -2.0]);
    }

    #[test]
    fn other_lengths_and_types_are_refused() {
        let node = OneNode::new(OpCode::Copy).input(&[4], &[0i8; 4]);
        assert_eq!(node.clone().output::<i8>(&[5]).check(), Err(NodeError::Shape));
        assert_eq!(node.clone().output_in_place::<i8>(0, &[5]).check(), Err(NodeError::Shape));
        assert_eq!(node.output::<f32>(&[4]).check(), Err(NodeError::DType));
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let node = OneNode::new(OpCode::Copy).input(&[2, 3], &[1i8; 6]);
        node.output::<i8>(&[6]).assert_mutants_stay_within_bounds();
    }
}
