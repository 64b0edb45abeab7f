//! Operators that work element by element, and softmax.

use super::{Operands, Output};
use crate::ir::attributes::{Elu, LeakyRelu, Softmax};
use crate::ir::{DType, Fault};

const REAL: [DType; 4] = [DType::F32, DType::I8, DType::I16, DType::U8];

pub(super) fn arithmetic(operands: &mut Operands<'_>) -> Option<Output> {
    let (first, second) = (operands.input(0)?, operands.input(1)?);
    operands.require_type("first", first, &[REAL.as_slice(), &[DType::I32, DType::I64]].concat());
    operands.require_type("second", second, &[first.dtype]);
    let shape = first.shape.broadcast(&second.shape);
    operands.require(shape.is_some(), || Fault::Shapes {
        first: first.shape.clone(),
        second: second.shape.clone(),
        expected: "dimensions, aligned at the last axis, must be equal or 1",
    });
    Some(Output::new(first.dtype, shape?))
}

pub(super) fn activation(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_type("input", input, &REAL);
    Some(Output::new(input.dtype, input.shape.clone()))
}

pub(super) fn leaky_relu(attributes: &LeakyRelu, operands: &mut Operands<'_>) -> Option<Output> {
    let alpha = attributes.alpha;
    operands.require_attribute(alpha.is_finite(), "alpha", alpha, "must be finite");
    activation(operands)
}

pub(super) fn elu(attributes: &Elu, operands: &mut Operands<'_>) -> Option<Output> {
    let alpha = attributes.alpha;
    operands.require_attribute(alpha.is_finite(), "alpha", alpha, "must be finite");
    activation(operands)
}

pub(super) fn softmax(attributes: &Softmax, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let beta = attributes.beta;
    operands.require_attribute(beta.is_finite() && beta > 0.0, "beta", beta, "must be positive and finite");
    operands.require(input.shape.rank() > 0, || Fault::Rank {
        role: "input",
        shape: input.shape.clone(),
        expected: "1 or more",
    });
    operands.require_type("input", input, &REAL);
    let types = if input.dtype == DType::I8 { vec![DType::I8, DType::I16] } else { vec![input.dtype] };
    Some(Output { shape: input.shape.clone(), types })
}

pub(super) fn quantize(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_type("input", input, &[REAL.as_slice(), &[DType::I32]].concat());
    let types = vec![DType::I8, DType::I16, DType::U8, DType::I32];
    Some(Output { shape: input.shape.clone(), types })
}

pub(super) fn dequantize(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_type("input", input, &[DType::I8, DType::I16, DType::U8, DType::I32, DType::F16]);
    Some(Output::new(DType::F32, input.shape.clone()))
}
