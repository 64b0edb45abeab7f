//! Constants, and operators that are only done on constants.

use rten_onnx::onnx::{DataType, TensorProto};

use crate::import::onnx::OnnxFault;
use crate::import::onnx::evaluate::{Elements, binary, broadcast};
use crate::import::onnx::operator::{Operator, Value, Values, one};
use crate::import::onnx::pattern::Pending;
use crate::import::onnx::tensor;
use crate::ir::attributes::Cast;
use crate::ir::{DType, Fault, Op, Shape, Tensor, TensorId};

pub(super) fn identity(operator: &mut Operator<'_>) -> Option<Values> {
    let value = operator.inputs.first().cloned().flatten();
    if value.is_none() {
        operator.fault(Fault::MissingInput { role: "input" });
    }
    value.map(|value| vec![value])
}

/// Nothing at inference.
pub(super) fn dropout(operator: &mut Operator<'_>) -> Option<Values> {
    operator.ignore(&["seed", "ratio"]);
    operator.one_output("the mask");
    if let Some(training) = operator.constant_integers(2, "training_mode")?
        && training.iter().any(|&value| value != 0)
    {
        return operator.unsupported(
            "training_mode",
            1,
            "export the model in evaluation mode (model.eval())",
        );
    }
    operator.input(0, "input").and_then(one)
}

/// Real numbers of all widths are one type here.
pub(super) fn cast(operator: &mut Operator<'_>) -> Option<Values> {
    operator.ignore(&["saturate", "round_mode"]);
    let number = operator.integer("to", 0)?;
    let to = operator.keep(tensor::element_type(DataType(i32::try_from(number).unwrap_or(0))))?;
    if let Some(Some(Value::Pending(Pending::Product { .. }))) = operator.inputs.first() {
        return identity(operator);
    }
    let input = operator.input(0, "input")?;
    if operator.tensor(input).dtype == to {
        return one(input);
    }
    operator.emit(Op::Cast(Cast { to }), &[input]).and_then(one)
}

pub(super) fn constant(operator: &mut Operator<'_>) -> Option<Values> {
    let value = if let Some(tensor) = operator.tensor_attribute("value")? {
        read(operator, tensor)?
    } else if let Some(value) = operator.optional_real("value_float")? {
        Tensor::constant_f32("", Shape::default(), &[value])
    } else if let Some(values) = operator.reals("value_floats")? {
        Tensor::constant_f32("", [values.len()], values)
    } else if operator.attributes.iter().any(|attribute| attribute.name.as_deref() == Some("value_int")) {
        let value = operator.integer("value_int", 0)?;
        Elements::Integers(vec![value]).into_tensor("", DType::I64, Shape::default())?
    } else if let Some(values) = operator.integers("value_ints")? {
        Elements::Integers(values.to_vec()).into_tensor("", DType::I64, [values.len()].into())?
    } else {
        operator.fault(OnnxFault::MissingAttribute { name: "value" });
        return None;
    };
    one(operator.builder.add_stored(value))
}

fn read(operator: &mut Operator<'_>, tensor: &TensorProto) -> Option<Tensor> {
    operator.keep(tensor::read(tensor.clone(), None))
}

pub(super) fn constant_of_shape(operator: &mut Operator<'_>) -> Option<Values> {
    let Some(sizes) = operator.constant_integers(0, "shape")? else {
        operator.fault(Fault::MissingInput { role: "shape" });
        return None;
    };
    let shape = sizes.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Shape>>();
    let elements = shape.as_ref().and_then(|shape| {
        shape
            .elements()
            .or_else(|| shape.contains(&0).then_some(0))
            .filter(|_| shape.rank() <= Shape::MAX_RANK)
    });
    let Some((shape, elements)) = shape.zip(elements) else {
        return operator.invalid(
            "shape",
            format!("{sizes:?}"),
            "must be dimensions of 0 or more, not too large",
        );
    };
    charge(operator, elements)?;
    let value = match operator.tensor_attribute("value")? {
        Some(tensor) => read(operator, tensor)?,
        None => Tensor::constant_f32("", [1], &[0.0]),
    };
    if value.shape.elements() != Some(1) {
        let found = value.shape.to_string();
        return operator.invalid("value", found, "must have one element");
    }
    let element = value.data.as_deref().unwrap_or_default();
    let tensor = Tensor::new("", value.dtype, shape).with_data(element.repeat(elements));
    one(operator.builder.add_tensor(tensor))
}

/// Filling is cheaper than computing: a quarter of the elements count.
fn charge(operator: &mut Operator<'_>, elements: usize) -> Option<()> {
    let result = operator.builder.charge(elements / 4);
    operator.keep(result)
}

pub(super) fn shape(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let rank = shape.rank() as i64;
    let start = operator.integer("start", 0)?;
    let end = operator.integer("end", rank)?;
    let bound =
        |value: i64| if value < 0 { value.saturating_add(rank) } else { value }.clamp(0, rank) as usize;
    let (start, end) = (bound(start), bound(end));
    let values: Vec<i64> =
        shape.get(start..end).unwrap_or_default().iter().map(|&size| size as i64).collect();
    let length = [values.len()].into();
    operator.integer_constant(values, DType::I64, length).and_then(one)
}

pub(super) fn size(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let elements = operator.shape(input).iter().product::<usize>() as i64;
    operator.integer_constant(vec![elements], DType::I64, Shape::default()).and_then(one)
}

pub(super) fn range(operator: &mut Operator<'_>) -> Option<Values> {
    let mut bounds = Vec::with_capacity(3);
    for (slot, role) in [(0, "start"), (1, "limit"), (2, "delta")] {
        let id = operator.input(slot, role)?;
        bounds.push(operator.value(id, role)?);
    }
    let dtype = bounds[0].dtype;
    let elements = bounds.iter().map(Elements::of).collect::<Option<Vec<_>>>()?;
    let count =
        |count: f64| (count.ceil().max(0.0) <= f64::from(1 << 20)).then_some(count.ceil().max(0.0) as usize);
    let values = match elements.as_slice() {
        [Elements::Integers(start), Elements::Integers(limit), Elements::Integers(delta)] => {
            match (start.as_slice(), limit.as_slice(), delta.as_slice()) {
                (&[start], &[limit], &[delta]) if delta != 0 => {
                    count((limit as f64 - start as f64) / delta as f64).map(|count| {
                        let step = |index: usize| start.wrapping_add(delta.wrapping_mul(index as i64));
                        Elements::Integers((0..count).map(step).collect())
                    })
                }
                _ => None,
            }
        }
        [Elements::Reals(start), Elements::Reals(limit), Elements::Reals(delta)] => {
            match (start.as_slice(), limit.as_slice(), delta.as_slice()) {
                (&[start], &[limit], &[delta]) if delta != 0.0 => count(f64::from((limit - start) / delta))
                    .map(|count| {
                        Elements::Reals((0..count).map(|index| start + index as f32 * delta).collect())
                    }),
                _ => None,
            }
        }
        _ => None,
    };
    let Some(values) = values else {
        return operator.invalid(
            "delta",
            format!("{:?}", elements[2]),
            "must lead from start to limit in few steps",
        );
    };
    let shape = [values.len()].into();
    operator.builder.constant(values, dtype, shape).and_then(one)
}

/// On constants; `x >= 0` on anything else is kept for [`choose`].
pub(super) fn compare(operator: &mut Operator<'_>, name: &'static str) -> Option<Values> {
    let (first, second) = (operator.input(0, "first operand")?, operator.input(1, "second operand")?);
    let Some((shape, left, right)) = constants(operator, first, second) else {
        return pending(operator, name, first, second);
    };
    let holds = |order: std::cmp::Ordering| match name {
        "Equal" => order.is_eq(),
        "Greater" => order.is_gt(),
        "GreaterOrEqual" => order.is_ge(),
        "Less" => order.is_lt(),
        _ => order.is_le(),
    };
    let logic = |a: i64, b: i64| match name {
        "And" => a != 0 && b != 0,
        "Or" => a != 0 || b != 0,
        "Xor" => (a != 0) != (b != 0),
        _ => holds(a.cmp(&b)),
    };
    let real = |a: f32, b: f32| f32::from(u8::from(a.partial_cmp(&b).is_some_and(holds)));
    let result = binary(&[&left, &right], &shape, |a, b| Some(logic(a, b).into()), real);
    let values = match result {
        Some(Elements::Reals(values)) => values.into_iter().map(|value| (value != 0.0).into()).collect(),
        Some(Elements::Integers(values)) => values,
        None => {
            let (found, expected) = (right.dtype, left.dtype.to_string());
            operator.fault(Fault::Type { role: "second operand", found, expected });
            return None;
        }
    };
    operator.integer_constant(values, DType::Bool, shape).and_then(one)
}

/// A comparison of what the network computes with 0, or one that nothing can be done about.
fn pending(
    operator: &mut Operator<'_>,
    name: &'static str,
    first: TensorId,
    second: TensorId,
) -> Option<Values> {
    let mut is_zero = |id: TensorId| {
        let value = operator.builder.value(id).and_then(|value| value.f32_values());
        value.is_some_and(|values| values.iter().all(|&value| value == 0.0) && !values.is_empty())
    };
    let pending = match (name, is_zero(first), is_zero(second)) {
        ("GreaterOrEqual", false, true) => Pending::Positive { input: first, negated: false },
        ("Less", false, true) => Pending::Positive { input: first, negated: true },
        ("LessOrEqual", true, false) => Pending::Positive { input: second, negated: false },
        ("Greater", true, false) => Pending::Positive { input: second, negated: true },
        _ => Pending::OnlyConstant(name),
    };
    Some(vec![Value::Pending(pending)])
}

pub(super) fn not(operator: &mut Operator<'_>) -> Option<Values> {
    if let Some(Some(Value::Pending(Pending::Positive { input, negated }))) = operator.inputs.first() {
        return Some(vec![Value::Pending(Pending::Positive { input: *input, negated: !negated })]);
    }
    let input = operator.input(0, "input")?;
    let Some(Elements::Integers(values)) =
        operator.builder.value(input).and_then(|value| Elements::of(&value))
    else {
        return Some(vec![Value::Pending(Pending::OnlyConstant("Not"))]);
    };
    let shape = operator.shape(input);
    let turned = values.into_iter().map(|value| (value == 0).into()).collect();
    operator.integer_constant(turned, DType::Bool, shape).and_then(one)
}

/// On constants, and `x >= 0 ? 1 : -1`, which binary layers take.
pub(super) fn choose(operator: &mut Operator<'_>) -> Option<Values> {
    let condition = operator.inputs.first().cloned().flatten();
    if let Some(Value::Pending(Pending::Positive { input, negated })) = condition {
        let (mut positive, mut negative) = (operator.constant_real(1, "X")?, operator.constant_real(2, "Y")?);
        if negated {
            std::mem::swap(&mut positive, &mut negative);
        }
        if (positive, negative) == (Some(1.0), Some(-1.0)) {
            return operator.emit(Op::Sign, &[input]).and_then(one);
        }
        operator.fault(OnnxFault::OnlyConstant { what: "Where, unless it is x >= 0 ? 1 : -1," });
        return None;
    }
    let condition = operator.input(0, "condition")?;
    let (first, second) = (operator.input(1, "X")?, operator.input(2, "Y")?);
    let shape = operator.shape(condition).broadcast(&operator.shape(first));
    let shape = shape.and_then(|shape| shape.broadcast(&operator.shape(second)));
    let values = [condition, first, second].map(|id| operator.builder.value(id));
    let (Some(shape), [Some(condition), Some(first), Some(second)]) = (shape, values) else {
        operator.fault(OnnxFault::OnlyConstant { what: "Where, unless it is x >= 0 ? 1 : -1," });
        return None;
    };
    charge(operator, shape.iter().product())?;
    let [condition, positive, negative] =
        [&condition, &first, &second].map(|tensor| broadcast(tensor, &shape));
    let result = match (condition?, positive?, negative?) {
        (Elements::Integers(condition), Elements::Integers(first), Elements::Integers(second)) => {
            Elements::Integers(pick(condition, first, second))
        }
        (Elements::Integers(condition), Elements::Reals(first), Elements::Reals(second)) => {
            Elements::Reals(pick(condition, first, second))
        }
        _ => {
            let (found, expected) = (second.dtype, first.dtype.to_string());
            operator.fault(Fault::Type { role: "Y", found, expected });
            return None;
        }
    };
    operator.builder.constant(result, first.dtype, shape).and_then(one)
}

fn pick<T>(condition: Vec<i64>, first: Vec<T>, second: Vec<T>) -> Vec<T> {
    let both = first.into_iter().zip(second);
    condition
        .into_iter()
        .zip(both)
        .map(|(holds, (first, second))| if holds != 0 { first } else { second })
        .collect()
}

/// The remainder has the sign of the divisor, or of the dividend with `fmod`.
pub(super) fn modulo(operator: &mut Operator<'_>) -> Option<Values> {
    let of_dividend = operator.flag("fmod", false)?;
    let (first, second) = (operator.input(0, "dividend")?, operator.input(1, "divisor")?);
    let Some((shape, left, right)) = constants(operator, first, second) else {
        return Some(vec![Value::Pending(Pending::OnlyConstant("Mod"))]);
    };
    let integer = |a: i64, b: i64| {
        let rest = a.checked_rem(b)?;
        let turn = !of_dividend && rest != 0 && (rest < 0) != (b < 0);
        Some(if turn { rest + b } else { rest })
    };
    match binary(&[&left, &right], &shape, integer, |a, b| a % b) {
        Some(values) => operator.builder.constant(values, left.dtype, shape).and_then(one),
        None => operator.invalid("divisor", "0", "must not be 0"),
    }
}

pub(super) fn round(
    operator: &mut Operator<'_>,
    name: &'static str,
    round: fn(f32) -> f32,
) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let Some(Elements::Reals(values)) = operator.builder.value(input).and_then(|value| Elements::of(&value))
    else {
        return Some(vec![Value::Pending(Pending::OnlyConstant(name))]);
    };
    let shape = operator.shape(input);
    let rounded = Elements::Reals(values.into_iter().map(round).collect());
    operator.builder.constant(rounded, DType::F32, shape).and_then(one)
}

/// Two constants and the shape that they broadcast to.
fn constants(
    operator: &mut Operator<'_>,
    first: TensorId,
    second: TensorId,
) -> Option<(Shape, Tensor, Tensor)> {
    let shape = operator.shape(first).broadcast(&operator.shape(second))?;
    let values = operator.builder.value(first).zip(operator.builder.value(second));
    let (left, right) = values?;
    charge(operator, shape.iter().product())?;
    Some((shape, left, right))
}
