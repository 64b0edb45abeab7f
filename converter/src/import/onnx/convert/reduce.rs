//! Operators that reduce axes.

use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{ArgExtreme, Arithmetic, Reduce};
use crate::ir::{Fault, Op, TensorId};

const SUM: fn(Reduce) -> Op = Op::Sum;

/// The axes are an attribute before `opset` and an input from then on.
pub(super) fn reduce(operator: &mut Operator<'_>, op: fn(Reduce) -> Op, opset: i64) -> Option<Values> {
    let input = operator.input(0, "input")?;
    match attributes(operator, input, opset)? {
        Some(attributes) => operator.emit(op(attributes), &[input]).and_then(one),
        None => one(input),
    }
}

/// Sum of magnitudes.
pub(super) fn l1(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let attributes = attributes(operator, input, 18)?;
    let magnitudes = operator.emit(Op::Abs, &[input])?;
    sum(operator, magnitudes, attributes).and_then(one)
}

/// Root of the sum of squares.
pub(super) fn l2(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let attributes = attributes(operator, input, 18)?;
    let squares = operator.emit(Op::Mul(Arithmetic::default()), &[input, input])?;
    let sum = sum(operator, squares, attributes)?;
    operator.emit(Op::Sqrt, &[sum]).and_then(one)
}

pub(super) fn log_sum(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let attributes = attributes(operator, input, 18)?;
    let sum = sum(operator, input, attributes)?;
    operator.emit(Op::Log, &[sum]).and_then(one)
}

/// `max + log(sum(exp(x - max)))`, which does not overflow.
pub(super) fn log_sum_exp(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let Some(attributes) = attributes(operator, input, 18)? else { return one(input) };
    let kept = Reduce { keep_dims: true, ..attributes.clone() };
    let greatest = operator.emit(Op::ReduceMax(kept.clone()), &[input])?;
    let below = operator.emit(Op::Sub(Arithmetic::default()), &[input, greatest])?;
    let exponentials = operator.emit(Op::Exp, &[below])?;
    let sum = operator.emit(SUM(kept), &[exponentials])?;
    let logarithm = operator.emit(Op::Log, &[sum])?;
    let result = operator.emit(Op::Add(Arithmetic::default()), &[logarithm, greatest])?;
    if attributes.keep_dims {
        return one(result);
    }
    let shape = operator.shape(result);
    let left = shape.iter().enumerate().filter(|(axis, _)| !attributes.axes.contains(axis));
    let left: Vec<usize> = left.map(|(_, &size)| size).collect();
    operator.reshape(result, left).and_then(one)
}

pub(super) fn sum_square(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let attributes = attributes(operator, input, 18)?;
    let squares = operator.emit(Op::Mul(Arithmetic::default()), &[input, input])?;
    sum(operator, squares, attributes).and_then(one)
}

/// Over all axes but batch and channels.
pub(super) fn global(operator: &mut Operator<'_>, op: fn(Reduce) -> Op) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let rank = operator.rank(input);
    if rank < 3 {
        let shape = operator.shape(input);
        operator.fault(Fault::Rank { role: "input", shape, expected: "3 or more" });
        return None;
    }
    operator.emit(op(Reduce { axes: (2..rank).collect(), keep_dims: true }), &[input]).and_then(one)
}

pub(super) fn arg_extreme(operator: &mut Operator<'_>, op: fn(ArgExtreme) -> Op) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let value = operator.integer("axis", 0)?;
    let keep_dims = operator.flag("keepdims", true)?;
    if operator.flag("select_last_index", false)? {
        return operator.unsupported("select_last_index", 1, "only the first of equals is found");
    }
    let shape = operator.shape(input);
    let axis = operator.axis("axis", value, shape.rank())?;
    let result = operator.emit(op(ArgExtreme { axis }), &[input])?;
    operator.builder.graph.tensor_mut(result).dtype = crate::ir::DType::I64;
    if !keep_dims {
        return one(result);
    }
    let mut kept = shape.to_vec();
    kept[axis] = 1;
    operator.reshape(result, kept).and_then(one)
}

fn sum(operator: &mut Operator<'_>, id: TensorId, attributes: Option<Reduce>) -> Option<TensorId> {
    match attributes {
        Some(attributes) => operator.emit(SUM(attributes), &[id]),
        None => Some(id),
    }
}

/// Axes and `keepdims`; `None` inside if no axis is to be reduced.
fn attributes(operator: &mut Operator<'_>, input: TensorId, opset: i64) -> Option<Option<Reduce>> {
    let keep_dims = operator.flag("keepdims", true)?;
    let none_is_none = operator.flag("noop_with_empty_axes", false)?;
    let values = if operator.opset < opset {
        operator.integers("axes")?.map(<[i64]>::to_vec)
    } else {
        operator.constant_integers(1, "axes")?
    };
    let rank = operator.rank(input);
    let axes = match values.filter(|values| !values.is_empty()) {
        Some(values) => operator.axes("axes", &values, rank)?,
        None if none_is_none => return Some(None),
        None => (0..rank).collect(),
    };
    // A scalar has no axes to reduce.
    Some((rank > 0).then_some(Reduce { axes, keep_dims }))
}
