//! Operators that work element by element, and softmax.

use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{
    self, OptionsKind, arithmetic_options, leaky_relu_options, softmax_options,
};
use crate::ir::Op;
use crate::ir::attributes::{Arithmetic, Elu, LeakyRelu, Softmax};

pub(super) fn arithmetic(
    operator: &mut Operator<'_>,
    kind: OptionsKind,
    op: fn(Arithmetic) -> Op,
) -> Option<Converted> {
    operator.expect_options(kind)?;
    let activation = operator.activation(arithmetic_options::ACTIVATION)?;
    Converted::new(op(Arithmetic { activation }), [0, 1])
}

pub(super) fn leaky_relu(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::LEAKY_RELU)?;
    let alpha = operator.scalar(leaky_relu_options::ALPHA, 0.0)?;
    Converted::unary(Op::LeakyRelu(LeakyRelu { alpha }))
}

pub(super) fn elu() -> Option<Converted> {
    Converted::unary(Op::Elu(Elu { alpha: 1.0 }))
}

/// The real numbers at once, if the integers are constants.
pub(super) fn dequantize(operator: &mut Operator<'_>) -> Option<Converted> {
    let input = operator.input(0, "input")?;
    operator.charge(input.data.as_ref().map_or(0, |data| data.len().saturating_mul(4)))?;
    match input.dequantized() {
        Some(values) => Some(Converted::Constant(values.into_iter().flat_map(f32::to_le_bytes).collect())),
        None => Converted::unary(Op::Dequantize),
    }
}

pub(super) fn softmax(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::SOFTMAX)?;
    let beta = operator.scalar(softmax_options::BETA, 0.0)?;
    Converted::unary(Op::Softmax(Softmax { beta }))
}
