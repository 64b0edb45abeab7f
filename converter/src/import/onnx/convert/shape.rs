//! The same elements under another shape.

use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::BroadcastTo;
use crate::ir::{Fault, Op, Shape};

/// A dimension of 0 is that of the input, one of -1 what the others leave.
pub(super) fn reshape(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let Some(wanted) = operator.constant_integers(1, "shape")? else {
        operator.fault(Fault::MissingInput { role: "shape" });
        return None;
    };
    let literal = operator.flag("allowzero", false)?;
    let shape = operator.shape(input);
    let copied = wanted.iter().enumerate().map(|(axis, &size)| match size {
        0 if !literal => shape.get(axis).copied().map(Some),
        -1 => Some(None),
        size => usize::try_from(size).ok().map(Some),
    });
    let resolved = copied.collect::<Option<Vec<Option<usize>>>>().and_then(|sizes| resolve(&sizes, &shape));
    match resolved {
        Some(resolved) => operator.reshape(input, resolved).and_then(one),
        None => operator.invalid(
            "shape",
            format!("{wanted:?}"),
            format!(
                "does not suit the elements of {shape}: give the model a fixed batch of 1 and export it again"
            ),
        ),
    }
}

/// The shape, with what the others leave for a dimension that is not known.
fn resolve(sizes: &[Option<usize>], input: &Shape) -> Option<Shape> {
    let multiplied = |product: usize, size: usize| product.checked_mul(size);
    let known = sizes.iter().flatten().copied().try_fold(1, multiplied)?;
    let elements = input.iter().copied().try_fold(1, multiplied)?;
    let open = sizes.iter().filter(|size| size.is_none()).count();
    let left = match open {
        0 => 1,
        1 if known > 0 => elements / known,
        _ => return None,
    };
    (known.checked_mul(left) == Some(elements) && sizes.len() <= Shape::MAX_RANK)
        .then(|| sizes.iter().map(|size| size.unwrap_or(left)).collect())
}

pub(super) fn flatten(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let value = operator.integer("axis", 1)?;
    // The axis may be one past the last.
    let axis = if value == shape.rank() as i64 {
        shape.rank()
    } else {
        operator.axis("axis", value, shape.rank())?
    };
    let (outer, inner) = shape.split_at(axis);
    operator.reshape(input, [outer.iter().product(), inner.iter().product::<usize>()]).and_then(one)
}

/// The axes are an attribute before opset 13 and an input from then on.
pub(super) fn squeeze(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let axes = match axes(operator)? {
        Some(values) => operator.axes("axes", &values, shape.rank())?,
        None => (0..shape.rank()).filter(|&axis| shape[axis] == 1).collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&axis| shape[axis] != 1) {
        return operator.invalid("axes", axis, format!("the axis has {} elements in {shape}", shape[axis]));
    }
    let left = shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    let left: Vec<usize> = left.map(|(_, &size)| size).collect();
    operator.reshape(input, left).and_then(one)
}

pub(super) fn unsqueeze(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let Some(values) = axes(operator)? else {
        operator.fault(Fault::MissingInput { role: "axes" });
        return None;
    };
    let rank = shape.rank() + values.len();
    if rank > Shape::MAX_RANK {
        return operator.invalid("axes", format!("{values:?}"), format!("at most {} axes", Shape::MAX_RANK));
    }
    let axes = operator.axes("axes", &values, rank)?;
    let mut left = shape.iter().copied();
    let widened: Vec<usize> =
        (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { left.next().unwrap_or(1) }).collect();
    operator.reshape(input, widened).and_then(one)
}

fn axes(operator: &mut Operator<'_>) -> Option<Option<Vec<i64>>> {
    if operator.opset < 13 {
        return Some(operator.integers("axes")?.map(<[i64]>::to_vec));
    }
    operator.constant_integers(1, "axes")
}

/// Both shapes are broadcast to each other.
pub(super) fn expand(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let Some(wanted) = operator.constant_integers(1, "shape")? else {
        operator.fault(Fault::MissingInput { role: "shape" });
        return None;
    };
    let shape = operator.shape(input);
    let sizes = wanted.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Shape>>();
    let Some(result) = sizes.and_then(|sizes| shape.broadcast(&sizes)) else {
        return operator.invalid("shape", format!("{wanted:?}"), format!("{shape} does not broadcast to it"));
    };
    if result == shape {
        return one(input);
    }
    operator.emit(Op::BroadcastTo(BroadcastTo { shape: result }), &[input]).and_then(one)
}
