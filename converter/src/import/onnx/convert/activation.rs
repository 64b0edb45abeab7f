//! Functions of single elements with parameters.

use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{Arithmetic, Clip, Elu, Gelu, HardSigmoid, LeakyRelu};
use crate::ir::{DType, Op, TensorId};

const MUL: Op = Op::Mul(Arithmetic { activation: crate::ir::Activation::None });
const ADD: Op = Op::Add(Arithmetic { activation: crate::ir::Activation::None });
const DIV: Op = Op::Div(Arithmetic { activation: crate::ir::Activation::None });

/// Bounds are inputs; integers are clipped by the operators for extremes.
pub(super) fn clip(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    if operator.tensor(input).dtype != DType::F32 {
        let mut result = input;
        for (slot, op) in [(1, Op::Maximum), (2, Op::Minimum)] {
            if let Some(bound) = operator.optional(slot)? {
                result = operator.emit(op, &[result, bound])?;
            }
        }
        return one(result);
    }
    let low = operator.constant_real(1, "least value (min)")?.unwrap_or(f32::NEG_INFINITY);
    let high = operator.constant_real(2, "greatest value (max)")?.unwrap_or(f32::INFINITY);
    // The lower bound gives way where they cross.
    operator.emit(Op::Clip(Clip { low: low.min(high), high }), &[input]).and_then(one)
}

pub(super) fn leaky_relu(operator: &mut Operator<'_>) -> Option<Values> {
    let alpha = operator.real("alpha", 0.01)?;
    operator.unary(Op::LeakyRelu(LeakyRelu { alpha }))
}

pub(super) fn p_relu(operator: &mut Operator<'_>) -> Option<Values> {
    let (input, slope) = (operator.input(0, "input")?, operator.input(1, "slope")?);
    operator.emit(Op::PRelu, &[input, slope]).and_then(one)
}

pub(super) fn elu(operator: &mut Operator<'_>) -> Option<Values> {
    let alpha = operator.real("alpha", 1.0)?;
    operator.unary(Op::Elu(Elu { alpha }))
}

pub(super) fn selu(operator: &mut Operator<'_>) -> Option<Values> {
    let alpha = operator.real("alpha", 1.673_263_2)?;
    let gamma = operator.real("gamma", 1.050_701)?;
    let input = operator.input(0, "input")?;
    let elu = operator.emit(Op::Elu(Elu { alpha }), &[input])?;
    scaled(operator, elu, gamma).and_then(one)
}

/// `alpha * elu(x / alpha)`
pub(super) fn celu(operator: &mut Operator<'_>) -> Option<Values> {
    let alpha = operator.real("alpha", 1.0)?;
    if alpha == 0.0 {
        return operator.invalid("alpha", alpha, "must not be 0");
    }
    let input = operator.input(0, "input")?;
    let divided = scaled(operator, input, 1.0 / alpha)?;
    let elu = operator.emit(Op::Elu(Elu { alpha: 1.0 }), &[divided])?;
    scaled(operator, elu, alpha).and_then(one)
}

pub(super) fn hard_sigmoid(operator: &mut Operator<'_>) -> Option<Values> {
    let alpha = operator.real("alpha", 0.2)?;
    let beta = operator.real("beta", 0.5)?;
    operator.unary(Op::HardSigmoid(HardSigmoid { alpha, beta }))
}

pub(super) fn softplus(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    softplus_of(operator, input).and_then(one)
}

/// `x / (1 + |x|)`
pub(super) fn softsign(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let magnitude = operator.emit(Op::Abs, &[input])?;
    let ones = operator.scalar(1.0);
    let below = operator.emit(ADD, &[magnitude, ones])?;
    operator.emit(DIV, &[input, below]).and_then(one)
}

/// `x * tanh(softplus(x))`
pub(super) fn mish(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let softplus = softplus_of(operator, input)?;
    let gate = operator.emit(Op::Tanh, &[softplus])?;
    operator.emit(MUL, &[input, gate]).and_then(one)
}

pub(super) fn gelu(operator: &mut Operator<'_>) -> Option<Values> {
    match operator.text("approximate", "none")? {
        "none" => operator.unary(Op::Gelu(Gelu { tanh: false })),
        "tanh" => operator.unary(Op::Gelu(Gelu { tanh: true })),
        other => {
            let other = other.to_string();
            operator.invalid("approximate", other, "must be none or tanh")
        }
    }
}

pub(super) fn gelu_erf(operator: &mut Operator<'_>) -> Option<Values> {
    operator.unary(Op::Gelu(Gelu { tanh: false }))
}

/// `max(x, 0) + log(1 + exp(-|x|))`, which does not overflow.
fn softplus_of(operator: &mut Operator<'_>, input: TensorId) -> Option<TensorId> {
    let positive = operator.emit(Op::Relu, &[input])?;
    let magnitude = operator.emit(Op::Abs, &[input])?;
    let negated = operator.emit(Op::Neg, &[magnitude])?;
    let exponential = operator.emit(Op::Exp, &[negated])?;
    let ones = operator.scalar(1.0);
    let sum = operator.emit(ADD, &[exponential, ones])?;
    let logarithm = operator.emit(Op::Log, &[sum])?;
    operator.emit(ADD, &[positive, logarithm])
}

fn scaled(operator: &mut Operator<'_>, input: TensorId, factor: f32) -> Option<TensorId> {
    if factor == 1.0 {
        return Some(input);
    }
    let factor = operator.scalar(factor);
    operator.emit(MUL, &[input, factor])
}
