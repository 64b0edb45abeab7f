//! The types that an operator is computed on.

use super::error::OperatorFault;
use crate::ir::{Op, Tensor};

/// Checks that the operator can be computed on operands of these types, beyond what [`crate::ir::infer`] demands.
///
/// # Errors
/// The first operand that it cannot be computed on.
pub(super) fn check_operands(
    op: &Op,
    inputs: &[Option<&Tensor>],
    outputs: &[&Tensor],
) -> Result<(), OperatorFault> {
    let all = || inputs.iter().flatten().copied();
    match op {
        Op::Reshape(_)
        | Op::Transpose(_)
        | Op::StridedSlice(_)
        | Op::BroadcastTo(_)
        | Op::Tile(_)
        | Op::Pad(_)
        | Op::Gather(_)
        | Op::Concatenation(_)
        | Op::Pack(_)
        | Op::Split(_)
        | Op::Unpack(_)
        | Op::Cast(_)
        | Op::ArgMax(_)
        | Op::ArgMin(_)
        | Op::ReduceMax(_)
        | Op::ReduceMin(_) => Ok(()),
        Op::Add(_)
        | Op::Sub(_)
        | Op::Mul(_)
        | Op::Div(_)
        | Op::Maximum
        | Op::Minimum
        | Op::Mean(_)
        | Op::Sum(_)
        | Op::ReduceProd(_) => {
            all().filter(|tensor| tensor.quantization.is_some()).try_for_each(|tensor| real(tensor, "input"))
        }
        Op::Quantize => {
            all().try_for_each(|tensor| meaningful(tensor, "input"))?;
            outputs.iter().try_for_each(|tensor| meaningful(tensor, "output"))
        }
        Op::Dequantize => all().try_for_each(|tensor| meaningful(tensor, "input")),
        Op::FullyConnected(_) => {
            all().take(1).chain(all().skip(2)).try_for_each(|tensor| real(tensor, "input"))
        }
        _ => all().try_for_each(|tensor| real(tensor, "input")),
    }
}

fn real(tensor: &Tensor, role: &'static str) -> Result<(), OperatorFault> {
    if tensor.dtype.is_float() { Ok(()) } else { Err(OperatorFault::Integers { role, dtype: tensor.dtype }) }
}

fn meaningful(tensor: &Tensor, role: &'static str) -> Result<(), OperatorFault> {
    if tensor.dtype.is_float() || tensor.quantization.is_some() {
        Ok(())
    } else {
        Err(OperatorFault::NotQuantized { role })
    }
}
