//! Parts of tensors.

use super::layout::INDEX;
use crate::import::ImportFault;
use crate::import::onnx::evaluate::Elements;
use crate::import::onnx::operator::{Operator, Value, Values, one};
use crate::ir::attributes::{Gather, SliceAxis, Split, StridedSlice};
use crate::ir::{DType, Fault, Op, Shape, TensorId};

/// Sizes are an attribute before opset 13, an input from then on, or follow from the number of outputs.
pub(super) fn split(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let value = operator.integer("axis", 0)?;
    let shape = operator.shape(input);
    let axis = operator.axis("axis", value, shape.rank())?;
    let stated = if operator.opset < 13 {
        operator.integers("split")?.map(<[i64]>::to_vec)
    } else {
        operator.constant_integers(1, "split")?
    };
    let stated_parts = operator.integer("num_outputs", operator.outputs.len() as i64)?;
    let parts = operator.outputs.len();
    if stated_parts != parts as i64 {
        return operator.invalid("num_outputs", stated_parts, format!("there are {parts} outputs"));
    }
    let sizes = match &stated {
        Some(values) => values.iter().map(|&size| usize::try_from(size).ok()).collect::<Option<Vec<_>>>(),
        None => even(shape[axis], parts),
    };
    let Some(sizes) = sizes.filter(|sizes| sizes.len() == parts) else {
        let expected = format!("must be {parts} sizes that add up to {}", shape[axis]);
        return operator.invalid("split", format!("{:?}", stated.unwrap_or_default()), expected);
    };
    if parts == 1 && sizes[0] == shape[axis] {
        return one(input);
    }
    let results = operator.emit_all(Op::Split(Split { axis, sizes }), &[Some(input)])?;
    Some(results.into_iter().map(Value::Tensor).collect())
}

/// Equal parts, the last one smaller if need be.
fn even(size: usize, parts: usize) -> Option<Vec<usize>> {
    let part = size.div_ceil(parts.max(1));
    let last = size.checked_sub(part.checked_mul(parts.checked_sub(1)?)?)?;
    let mut sizes = vec![part; parts - 1];
    sizes.push(last);
    Some(sizes)
}

/// Bounds past the ends are cut to the axis; steps may be negative.
pub(super) fn slice(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let starts = operator.constant_integers(1, "starts");
    let ends = operator.constant_integers(2, "ends");
    let axes = operator.constant_integers(3, "axes");
    let steps = operator.constant_integers(4, "steps");
    let (Some(starts), Some(ends)) = (starts?, ends?) else {
        operator.fault(Fault::MissingInput { role: "starts or ends" });
        return None;
    };
    let count = starts.len();
    let axes = axes?.unwrap_or_else(|| (0..count as i64).collect());
    let steps = steps?.unwrap_or_else(|| vec![1; count]);
    for (role, found) in [("ends", ends.len()), ("axes", axes.len()), ("steps", steps.len())] {
        if found != count {
            operator.fault(ImportFault::ConstantLength { role, found, expected: count.to_string() });
            return None;
        }
    }
    let shape = operator.shape(input);
    let mut taken: Vec<SliceAxis> =
        shape.iter().map(|&count| SliceAxis { begin: 0, count, stride: 1 }).collect();
    for (position, &axis) in axes.iter().enumerate() {
        let axis = operator.axis("axes", axis, shape.rank())?;
        let (start, end, step) = (starts[position], ends[position], steps[position]);
        if step == 0 {
            return operator.invalid("steps", step, "must not be 0");
        }
        taken[axis] = resolve(shape[axis], start, end, step);
    }
    let sizes: Shape = taken.iter().map(|axis| axis.count).collect();
    if sizes == shape && taken.iter().all(|axis| axis.stride == 1) {
        return one(input);
    }
    if sizes.contains(&0) && operator.tensor(input).is_constant() {
        let dtype = operator.tensor(input).dtype;
        return operator.integer_constant(Vec::new(), dtype, sizes).and_then(one);
    }
    operator.emit(Op::StridedSlice(StridedSlice { axes: taken, shape: sizes }), &[input]).and_then(one)
}

/// The elements from `start` to before `end`, which count from the end if negative.
fn resolve(size: usize, start: i64, end: i64, step: i64) -> SliceAxis {
    if size == 0 {
        return SliceAxis { begin: 0, count: 0, stride: 1 };
    }
    let length = size as i64;
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let bound = |value: i64, low: i64| {
        let counted = if value < 0 { value.saturating_add(length) } else { value };
        counted.clamp(low, high)
    };
    let from = bound(start, 0);
    let to = bound(end, low);
    let distance = if step > 0 { to - from } else { from - to };
    let count = u64::try_from(distance).unwrap_or(0).div_ceil(step.unsigned_abs()) as usize;
    // A step that nobody takes may be too long to be written down.
    let stride = if count <= 1 { 1 } else { step as isize };
    SliceAxis { begin: usize::try_from(from).unwrap_or(0), count, stride }
}

/// A constant index takes a slice and drops the axis; an index that counts from the end must be a constant.
pub(super) fn gather(operator: &mut Operator<'_>) -> Option<Values> {
    let (input, indices) = (operator.input(0, "data")?, operator.input(1, "indices")?);
    let value = operator.integer("axis", 0)?;
    let shape = operator.shape(input);
    let axis = operator.axis("axis", value, shape.rank())?;
    let known = operator.builder.value(indices);
    let Some(known) = known.filter(|_| operator.builder.is_fixed(indices)) else {
        return operator.emit(Op::Gather(Gather { axis }), &[input, indices]).and_then(one);
    };
    let Some(Elements::Integers(values)) = Elements::of(&known) else {
        let expected = "i64 or i32".to_string();
        operator.fault(Fault::Type { role: "indices", found: known.dtype, expected });
        return None;
    };
    let size = shape[axis] as i64;
    let counted: Vec<i64> =
        values.iter().map(|&index| if index < 0 { index.saturating_add(size) } else { index }).collect();
    if let Some(index) = counted.iter().find(|index| !(0..size).contains(*index)) {
        return operator.invalid("indices", index, format!("must be within -{size} and {}", size - 1));
    }
    match (counted.as_slice(), known.shape.rank()) {
        (&[index], 0) => single(operator, input, &shape, axis, index as usize).and_then(one),
        _ => {
            let indices = operator.integer_constant(counted, INDEX, known.shape.clone())?;
            operator.emit(Op::Gather(Gather { axis }), &[input, indices]).and_then(one)
        }
    }
}

/// One slice along an axis, without the axis.
fn single(
    operator: &mut Operator<'_>,
    input: TensorId,
    shape: &Shape,
    axis: usize,
    index: usize,
) -> Option<TensorId> {
    let mut axes: Vec<SliceAxis> =
        shape.iter().map(|&count| SliceAxis { begin: 0, count, stride: 1 }).collect();
    axes[axis] = SliceAxis { begin: index, count: 1, stride: 1 };
    let left = shape.iter().enumerate().filter(|&(other, _)| other != axis);
    let left: Shape = left.map(|(_, &size)| size).collect();
    if operator.tensor(input).dtype == DType::F32 {
        let mut kept = shape.to_vec();
        kept[axis] = 1;
        let taken = operator.emit(Op::StridedSlice(StridedSlice { axes, shape: kept.into() }), &[input])?;
        return operator.reshape(taken, left);
    }
    operator.emit(Op::StridedSlice(StridedSlice { axes, shape: left }), &[input])
}
