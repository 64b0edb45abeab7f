//! Arithmetic on elements.

use crate::import::onnx::operator::{Operator, Value, Values, one};
use crate::import::onnx::pattern::Pending;
use crate::ir::attributes::Arithmetic;
use crate::ir::{Fault, Op, Shape, TensorId};

pub(super) fn binary(operator: &mut Operator<'_>, op: Op) -> Option<Values> {
    let (first, second) = (operator.input(0, "first operand")?, operator.input(1, "second operand")?);
    operator.emit(op, &[first, second]).and_then(one)
}

/// Also the last steps of dynamic quantization, which bring a product of integers back.
pub(super) fn mul(operator: &mut Operator<'_>) -> Option<Values> {
    let pending =
        |value: &Option<Value>| matches!(value, Some(Value::Pending(pending)) if pending.is_dynamic());
    if operator.inputs.iter().any(pending) {
        return super::quantize::scaled(operator);
    }
    binary(operator, Op::Mul(Arithmetic::default()))
}

/// Any number of operands, one after another.
pub(super) fn variadic(operator: &mut Operator<'_>, op: &Op) -> Option<Values> {
    let mut result = operator.input(0, "first operand")?;
    for slot in 1..operator.inputs.len() {
        let next = operator.input(slot, "next operand")?;
        result = operator.emit(op.clone(), &[result, next])?;
    }
    one(result)
}

pub(super) fn mean(operator: &mut Operator<'_>) -> Option<Values> {
    let sum = variadic(operator, &Op::Add(Arithmetic::default()))?;
    let Some(&Value::Tensor(sum)) = sum.first() else { return None };
    let part = operator.scalar(1.0 / operator.inputs.len() as f32);
    operator.emit(Op::Mul(Arithmetic::default()), &[sum, part]).and_then(one)
}

/// Exponents that other operators stand for.
pub(super) fn pow(operator: &mut Operator<'_>) -> Option<Values> {
    let base = operator.input(0, "base")?;
    let Some(exponent) = operator.constant_real(1, "exponent")? else {
        operator.fault(Fault::MissingInput { role: "exponent" });
        return None;
    };
    let product = |operator: &mut Operator<'_>, first, second| {
        operator.emit(Op::Mul(Arithmetic::default()), &[first, second])
    };
    match exponent {
        1.0 => one(base),
        2.0 => product(operator, base, base).and_then(one),
        3.0 | 4.0 => {
            let square = product(operator, base, base)?;
            let other = if exponent == 3.0 { base } else { square };
            product(operator, square, other).and_then(one)
        }
        0.5 => operator.emit(Op::Sqrt, &[base]).and_then(one),
        -1.0 => operator.emit(Op::Reciprocal, &[base]).and_then(one),
        -0.5 => {
            let root = operator.emit(Op::Sqrt, &[base])?;
            operator.emit(Op::Reciprocal, &[root]).and_then(one)
        }
        _ => operator.unsupported(
            "exponent",
            exponent,
            "only 1, 2, 3, 4, 0.5, -1 and -0.5 are; write it with Exp and Log",
        ),
    }
}

pub(super) fn neg(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    if operator.tensor(input).dtype.is_float() {
        return operator.emit(Op::Neg, &[input]).and_then(one);
    }
    negated_integers(operator, input).and_then(one)
}

pub(super) fn abs(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    if operator.tensor(input).dtype.is_float() {
        return operator.emit(Op::Abs, &[input]).and_then(one);
    }
    let negated = negated_integers(operator, input)?;
    operator.emit(Op::Maximum, &[input, negated]).and_then(one)
}

/// The operator for signs is there for real numbers only.
fn negated_integers(operator: &mut Operator<'_>, input: TensorId) -> Option<TensorId> {
    let dtype = operator.tensor(input).dtype;
    let zero = operator.integer_constant(vec![0], dtype, Shape::default())?;
    operator.emit(Op::Sub(Arithmetic::default()), &[zero, input])
}

impl Pending {
    /// Whether this is a step of dynamic quantization.
    fn is_dynamic(&self) -> bool {
        matches!(self, Pending::DynamicScale(_) | Pending::Product { .. } | Pending::ProductScale { .. })
    }
}
