//! Operators that move elements without computing.

use crate::import::ImportFault;
use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{
    self, concatenation_options, reshape_options, squeeze_options, stack_options,
};
use crate::ir::attributes::{Concatenation, Pad, Reshape, Split, Stack, Transpose};
use crate::ir::{DType, Fault, Op, Shape};

/// The shape is a constant input, else an attribute, else (where the network computes it) that of the output.
pub(super) fn reshape(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::RESHAPE)?;
    let input = operator.input(0, "input")?;
    let attribute = operator.vector(reshape_options::NEW_SHAPE)?;
    let given = match operator.inputs.get(1).copied().flatten() {
        Some(shape) if shape.is_constant() => Some(operator.constant(1, "shape")?),
        Some(_) => None,
        None if attribute.is_empty() => None,
        None => Some(attribute),
    };
    let shape = match given {
        None => operator.output()?.shape.clone(),
        Some(dimensions) => resolve(operator, &dimensions, &input.shape)?,
    };
    Converted::unary(Op::Reshape(Reshape { shape }))
}

/// Replaces a dimension of -1 by what the number of elements leaves for it.
fn resolve(operator: &mut Operator<'_>, dimensions: &[i64], input: &Shape) -> Option<Shape> {
    let open = dimensions.iter().filter(|&&dimension| dimension == -1).count();
    let known = dimensions.iter().filter(|&&dimension| dimension != -1);
    let known = known.map(|&dimension| usize::try_from(dimension).ok()).collect::<Option<Shape>>();
    let left = match (&known, input.elements()) {
        (Some(known), Some(elements)) => known.elements().and_then(|known| elements.checked_div(known)),
        _ => None,
    };
    match (known, left) {
        (Some(known), Some(left)) if open <= 1 && known.rank() + open <= Shape::MAX_RANK => {
            Some(dimensions.iter().map(|&dimension| usize::try_from(dimension).unwrap_or(left)).collect())
        }
        _ => {
            operator.invalid(
                "new_shape",
                format!("{dimensions:?}"),
                format!(
                    "must be dimensions of 1 or more, at most one of them -1, for the elements of {input}"
                ),
            );
            None
        }
    }
}

/// The input's shape, which is known at conversion.
pub(super) fn shape(operator: &mut Operator<'_>) -> Option<Converted> {
    let shape = &operator.input(0, "input")?.shape;
    let output = operator.output()?;
    let bytes = match output.dtype {
        DType::I32 => shape.iter().flat_map(|&dimension| (dimension as i32).to_le_bytes()).collect(),
        DType::I64 => shape.iter().flat_map(|&dimension| (dimension as i64).to_le_bytes()).collect(),
        found => {
            operator.fault(Fault::Type { role: "output", found, expected: "i32 or i64".into() });
            return None;
        }
    };
    Some(Converted::Constant(bytes))
}

pub(super) fn squeeze(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::SQUEEZE)?;
    let input = operator.input(0, "input")?;
    let rank = input.shape.rank();
    let named = operator.vector(squeeze_options::SQUEEZE_DIMS)?;
    let mut squeezed = vec![false; rank];
    for &value in &named {
        let axis = operator.axis("squeeze_dims", value, rank)?;
        if input.shape[axis] != 1 {
            operator.invalid("squeeze_dims", value, format!("the axis has {} elements", input.shape[axis]));
        }
        squeezed[axis] = true;
    }
    let kept = input.shape.iter().enumerate().filter(|&(axis, &dimension)| match named.is_empty() {
        true => dimension != 1,
        false => !squeezed[axis],
    });
    let shape = kept.map(|(_, &dimension)| dimension).collect();
    Converted::unary(Op::Reshape(Reshape { shape }))
}

pub(super) fn expand_dims(operator: &mut Operator<'_>) -> Option<Converted> {
    let input = operator.input(0, "input")?;
    let [value] = operator.constant_of::<1>(1, "axis")?;
    let axis = operator.axis("axis", value, input.shape.rank() + 1)?;
    let mut shape = input.shape.to_vec();
    shape.insert(axis, 1);
    Converted::unary(Op::Reshape(Reshape { shape: shape.into() }))
}

pub(super) fn pad(operator: &mut Operator<'_>) -> Option<Converted> {
    pad_with(operator, 0.0)
}

/// The value to pad with is a constant of the input's type and quantization.
pub(super) fn pad_v2(operator: &mut Operator<'_>) -> Option<Converted> {
    let constant = operator.input(2, "padding value")?;
    if !constant.is_constant() {
        operator.fault(ImportFault::NotConstant { role: "padding value" });
        return None;
    }
    let stored = match (constant.dtype, constant.data.as_ref().map(|data| data.len())) {
        (DType::F32, Some(4)) => constant.f32_values().and_then(|values| values.first().copied()),
        (_, Some(length)) if length == constant.dtype.size() => {
            constant.integer_values().and_then(|values| values.first().map(|&value| value as f32))
        }
        _ => None,
    };
    let Some(stored) = stored else {
        let found = constant.shape.elements().unwrap_or(0);
        operator.fault(ImportFault::ConstantLength { role: "padding value", found, expected: "1".into() });
        return None;
    };
    let input = operator.input(0, "input")?;
    if constant.dtype != input.dtype {
        let expected = input.dtype.to_string();
        operator.fault(Fault::Type { role: "padding value", found: constant.dtype, expected });
    }
    let value = match input.quantization.as_ref().and_then(|quantization| quantization.single()) {
        Some((scale, zero_point)) => (stored - zero_point as f32) * scale,
        None => stored,
    };
    pad_with(operator, value)
}

fn pad_with(operator: &mut Operator<'_>, value: f32) -> Option<Converted> {
    let rank = operator.input(0, "input")?.shape.rank();
    let amounts = operator.constant(1, "paddings")?;
    if amounts.len() != 2 * rank {
        let (found, expected) = (amounts.len(), format!("2 for each of {rank} axes"));
        operator.fault(ImportFault::ConstantLength { role: "paddings", found, expected });
        return None;
    }
    let converted = amounts.iter().map(|&amount| usize::try_from(amount).ok()).collect::<Option<Vec<_>>>();
    let Some(converted) = converted else {
        operator.invalid("paddings", format!("{amounts:?}"), "must be 0 or more");
        return None;
    };
    let before = converted.iter().step_by(2).copied().collect();
    let after = converted.iter().skip(1).step_by(2).copied().collect();
    Converted::unary(Op::Pad(Pad { before, after, value }))
}

pub(super) fn concatenation(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::CONCATENATION)?;
    let value: i32 = operator.scalar(concatenation_options::AXIS, 0)?;
    let rank = operator.input(0, "input")?.shape.rank();
    let axis = operator.axis("axis", value.into(), rank);
    let activation = operator.activation(concatenation_options::ACTIVATION)?;
    let op = Op::Concatenation(Concatenation { axis: axis?, activation });
    Converted::new(op, (0..operator.inputs.len()).collect::<Vec<_>>())
}

pub(super) fn transpose(operator: &mut Operator<'_>) -> Option<Converted> {
    let rank = operator.input(0, "input")?.shape.rank();
    let axes = operator.constant(1, "permutation")?;
    let axes: Vec<_> = axes.into_iter().map(|axis| operator.axis("permutation", axis, rank)).collect();
    let permutation = axes.into_iter().collect::<Option<Vec<_>>>()?;
    Converted::unary(Op::Transpose(Transpose { permutation }))
}

/// The file's inputs are the axis and the tensor.
pub(super) fn split(operator: &mut Operator<'_>) -> Option<Converted> {
    let input = operator.input(1, "input")?;
    let [value] = operator.constant_of::<1>(0, "axis")?;
    let axis = operator.axis("axis", value, input.shape.rank())?;
    let parts = operator.outputs.len();
    if input.shape[axis].checked_rem(parts) != Some(0) {
        operator.invalid("num_splits", parts, format!("must divide the dimension {}", input.shape[axis]));
        return None;
    }
    let sizes = vec![input.shape[axis] / parts; parts];
    Converted::new(Op::Split(Split { axis, sizes }), [1])
}

/// The file's inputs are the tensor, the sizes and the axis; one size may be -1.
pub(super) fn split_v(operator: &mut Operator<'_>) -> Option<Converted> {
    let input = operator.input(0, "input")?;
    let sizes = operator.constant(1, "sizes")?;
    let [value] = operator.constant_of::<1>(2, "axis")?;
    let axis = operator.axis("axis", value, input.shape.rank())?;
    let known: i64 = sizes.iter().filter(|&&size| size > 0).fold(0, |sum, &size| sum.saturating_add(size));
    let left = (input.shape[axis] as i64).saturating_sub(known);
    let resolved = sizes.iter().map(|&size| usize::try_from(if size == -1 { left } else { size }).ok());
    let Some(resolved) = resolved.collect::<Option<Vec<_>>>() else {
        operator.invalid("sizes", format!("{sizes:?}"), format!("must add up to {}", input.shape[axis]));
        return None;
    };
    Converted::unary(Op::Split(Split { axis, sizes: resolved }))
}

pub(super) fn pack(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::PACK)?;
    let value: i32 = operator.scalar(stack_options::AXIS, 0)?;
    let rank = operator.input(0, "input")?.shape.rank();
    let axis = operator.axis("axis", value.into(), rank + 1)?;
    Converted::new(Op::Pack(Stack { axis }), (0..operator.inputs.len()).collect::<Vec<_>>())
}

pub(super) fn unpack(operator: &mut Operator<'_>) -> Option<Converted> {
    operator.expect_options(schema::UNPACK)?;
    let value: i32 = operator.scalar(stack_options::AXIS, 0)?;
    let shape = &operator.input(0, "input")?.shape;
    let axis = operator.axis("axis", value.into(), shape.rank())?;
    let (found, expected) = (operator.outputs.len(), shape[axis]);
    if found != expected {
        operator.fault(Fault::OutputCount { found, expected });
        return None;
    }
    Converted::unary(Op::Unpack(Stack { axis }))
}
