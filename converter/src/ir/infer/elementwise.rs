//! Operators that work element by element, and softmax.

use super::{Operands, Output};
use crate::ir::attributes::{BatchNormalization, Cast, Clip, Elu, HardSigmoid, LeakyRelu, Softmax};
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

pub(super) fn log_softmax(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require(input.shape.rank() > 0, || Fault::Rank {
        role: "input",
        shape: input.shape.clone(),
        expected: "1 or more",
    });
    activation(operands)
}

pub(super) fn hard_sigmoid(attributes: &HardSigmoid, operands: &mut Operands<'_>) -> Option<Output> {
    let HardSigmoid { alpha, beta } = *attributes;
    operands.require_attribute(alpha.is_finite(), "alpha", alpha, "must be finite");
    operands.require_attribute(beta.is_finite(), "beta", beta, "must be finite");
    activation(operands)
}

pub(super) fn clip(attributes: &Clip, operands: &mut Operands<'_>) -> Option<Output> {
    let Clip { low, high } = *attributes;
    operands.require_attribute(low <= high, "low", low, format!("must not exceed high = {high}"));
    activation(operands)
}

pub(super) fn p_relu(operands: &mut Operands<'_>) -> Option<Output> {
    let (input, slope) = (operands.input(0)?, operands.input(1)?);
    operands.require_type("input", input, &REAL);
    operands.require_type("slope", slope, &[input.dtype]);
    let fits = input.shape.broadcast(&slope.shape).as_ref() == Some(&input.shape);
    operands.require(fits, || Fault::Shapes {
        first: input.shape.clone(),
        second: slope.shape.clone(),
        expected: "the slope's dimensions, aligned at the last axis, must be the input's or 1",
    });
    Some(Output::new(input.dtype, input.shape.clone()))
}

pub(super) fn batch_normalization(
    attributes: &BatchNormalization,
    operands: &mut Operands<'_>,
) -> Option<Output> {
    let input = operands.input(0)?;
    let epsilon = attributes.epsilon;
    operands.require_attribute(
        epsilon.is_finite() && epsilon >= 0.0,
        "epsilon",
        epsilon,
        "must be finite and not negative",
    );
    operands.require_type("input", input, &[DType::F32]);
    operands.require(input.shape.rank() > 0, || Fault::Rank {
        role: "input",
        shape: input.shape.clone(),
        expected: "1 or more",
    })?;
    let channels = input.shape[input.shape.rank() - 1];
    for (slot, role) in [(1, "scale"), (2, "shift"), (3, "mean"), (4, "variance")] {
        let parameter = operands.input(slot)?;
        operands.require_type(role, parameter, &[DType::F32]);
        if operands.dimensions::<1>(role, parameter).is_some() {
            operands.require_dimension(role, parameter, 0, channels, "channels of the input");
        }
    }
    Some(Output::new(DType::F32, input.shape.clone()))
}

pub(super) fn cast(attributes: &Cast, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let to = attributes.to;
    operands.require_attribute(
        !matches!(to, DType::I4 | DType::B1),
        "to",
        to,
        "must be a type of whole bytes",
    );
    Some(Output::new(to, input.shape.clone()))
}

pub(super) fn quantize(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_type("input", input, &[REAL.as_slice(), &[DType::I32]].concat());
    let types = vec![DType::I8, DType::I16, DType::U8, DType::I32];
    Some(Output { shape: input.shape.clone(), types })
}

pub(super) fn dequantize(operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let integers = [DType::I8, DType::I16, DType::U8, DType::I32, DType::I4, DType::B1];
    operands.require_type("input", input, &[integers.as_slice(), &[DType::F16]].concat());
    Some(Output::new(DType::F32, input.shape.clone()))
}
