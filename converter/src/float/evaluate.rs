//! Values of operators on constants, for passes that fold them.

use super::Threads;
use super::operands::check_operands;
use super::operator::{Operand, apply};
use super::value::Value;
use crate::ir::infer::infer;
use crate::ir::{DType, Op, Tensor};

/// The outputs of an operator whose inputs are all constants, unnamed and of the usual type; `None` if an input is not
/// constant, does not suit the operator, or the operator has to be told what it writes ([`evaluate_as`]).
pub fn evaluate(op: &Op, inputs: &[Option<&Tensor>]) -> Option<Vec<Tensor>> {
    let outputs = infer(op, inputs).ok()?;
    let outputs: Vec<Tensor> = outputs
        .into_iter()
        .map(|output| Some(Tensor::new("", *output.types.first()?, output.shape)))
        .collect::<Option<_>>()?;
    evaluate_as(op, inputs, &outputs.iter().collect::<Vec<_>>())
}

/// The given outputs, which suit the operator, with their values; `None` if an input is not constant or does not suit
/// the operator.
pub fn evaluate_as(op: &Op, inputs: &[Option<&Tensor>], outputs: &[&Tensor]) -> Option<Vec<Tensor>> {
    let expected = infer(op, inputs).ok()?;
    let suits = expected.len() == outputs.len()
        && expected.iter().zip(outputs).all(|(expected, output)| {
            expected.shape == output.shape && expected.types.contains(&output.dtype)
        });
    if !suits || outputs.iter().any(|output| output.byte_len().is_none()) {
        return None;
    }
    check_operands(op, inputs, outputs).ok()?;
    let decode = |(slot, tensor): (usize, &Option<&Tensor>)| match tensor {
        None => Some(None),
        Some(tensor) if tensor.byte_len() != tensor.data.as_ref().map(|data| data.len()) => None,
        Some(tensor) if slot == 1 && matches!(op, Op::FullyConnected(_)) && tensor.dtype != DType::F32 => {
            Some(Some(Value::Real(tensor.dequantized()?)))
        }
        Some(tensor) => Some(Some(Value::of(tensor)?)),
    };
    let values: Vec<Option<Value>> = inputs.iter().enumerate().map(decode).collect::<Option<_>>()?;
    let operands: Vec<_> = inputs
        .iter()
        .zip(&values)
        .map(|(tensor, value)| Some(Operand { tensor: (*tensor)?, value: value.as_ref()? }))
        .collect();
    let values = apply(op, &operands, outputs, Threads::All).ok()?;
    let with_data = |(output, value): (&&Tensor, Value)| {
        let bytes = value.encode(output.dtype);
        (**output).clone().with_data(bytes)
    };
    Some(outputs.iter().zip(values).map(with_data).collect())
}
