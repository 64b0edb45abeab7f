//! Operators that move elements without computing.

use super::{Operands, Output};
use crate::ir::attributes::{
    BroadcastTo, Concatenation, Gather, Pad, Reshape, SliceAxis, Split, Stack, StridedSlice, Tile, Transpose,
};
use crate::ir::{DType, Fault, Shape};

pub(super) fn reshape(attributes: &Reshape, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_attribute(
        attributes.shape.elements() == input.shape.elements(),
        "shape",
        &attributes.shape,
        format!("must have as many elements as the input's {}", input.shape),
    );
    Some(Output::new(input.dtype, attributes.shape.clone()))
}

pub(super) fn broadcast_to(attributes: &BroadcastTo, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let shape = &attributes.shape;
    operands.require_attribute(
        input.shape.broadcast(shape).as_ref() == Some(shape),
        "shape",
        shape,
        format!("must be what {} broadcasts to", input.shape),
    );
    Some(Output::new(input.dtype, shape.clone()))
}

pub(super) fn tile(attributes: &Tile, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let repeats = &attributes.repeats;
    let rank = input.shape.rank();
    operands.require_attribute(
        repeats.len() == rank && repeats.iter().all(|&count| count > 0),
        "repeats",
        format!("{repeats:?}"),
        format!("must be 1 or more for each axis of the input of rank {rank}"),
    );
    let repeated = input.shape.iter().zip(repeats);
    Some(Output::new(
        input.dtype,
        repeated.map(|(size, &count)| size.saturating_mul(count)).collect::<Shape>(),
    ))
}

pub(super) fn gather(attributes: &Gather, operands: &mut Operands<'_>) -> Option<Output> {
    let (data, indices) = (operands.input(0)?, operands.input(1)?);
    let axis = attributes.axis;
    operands.require_type("indices", indices, &[DType::I32, DType::I64]);
    operands.require_axis(axis, data.shape.rank())?;
    let size = data.shape[axis] as i64;
    if let Some(values) = indices.integer_values() {
        let outside = values.into_iter().find(|index| !(0..size).contains(index));
        operands.require(outside.is_none(), || Fault::Attribute {
            attribute: "indices",
            value: outside.unwrap_or_default().to_string(),
            expected: format!("must be within 0 and {}", size - 1),
        });
    }
    let (before, after) = (&data.shape[..axis], &data.shape[axis + 1..]);
    Some(Output::new(data.dtype, [before, &indices.shape, after].concat()))
}

pub(super) fn pad(attributes: &Pad, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let Pad { before, after, value } = attributes;
    let rank = input.shape.rank();
    operands.require_attribute(value.is_finite(), "value", value, "must be finite");
    for (name, amounts) in [("before", before), ("after", after)] {
        operands.require_attribute(
            amounts.len() == rank,
            name,
            format!("{amounts:?}"),
            format!("must have one number per axis of the input, {rank}"),
        );
    }
    let padded = input.shape.iter().zip(before).zip(after);
    let shape =
        padded.map(|((dimension, before), after)| dimension.saturating_add(*before).saturating_add(*after));
    Some(Output::new(input.dtype, shape.collect::<Shape>()))
}

pub(super) fn concatenation(attributes: &Concatenation, operands: &mut Operands<'_>) -> Option<Output> {
    let first = operands.input(0)?;
    let axis = attributes.axis;
    operands.require_axis(axis, first.shape.rank())?;
    let mut joined = first.shape.to_vec();
    for second in operands.inputs.iter().skip(1).flatten() {
        operands.require_type("input", second, &[first.dtype]);
        let alike = second.shape.rank() == first.shape.rank()
            && (0..first.shape.rank())
                .all(|other| other == axis || second.shape[other] == first.shape[other]);
        operands.require(alike, || Fault::Shapes {
            first: first.shape.clone(),
            second: second.shape.clone(),
            expected: "all dimensions but the joined one must be equal",
        })?;
        joined[axis] = joined[axis].saturating_add(second.shape[axis]);
    }
    Some(Output::new(first.dtype, joined))
}

pub(super) fn transpose(attributes: &Transpose, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let permutation = &attributes.permutation;
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    operands.require_attribute(
        sorted.into_iter().eq(0..input.shape.rank()),
        "permutation",
        format!("{permutation:?}"),
        format!("must name each axis of the input of rank {} once", input.shape.rank()),
    )?;
    Some(Output::new(input.dtype, permutation.iter().map(|&axis| input.shape[axis]).collect::<Shape>()))
}

pub(super) fn strided_slice(attributes: &StridedSlice, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let StridedSlice { axes, shape } = attributes;
    let rank = input.shape.rank();
    operands.require_attribute(
        axes.len() == rank,
        "axes",
        axes.len(),
        format!("the input has rank {rank}"),
    )?;
    for (axis, &dimension) in axes.iter().zip(input.shape.iter()) {
        let &SliceAxis { begin, count, stride } = axis;
        operands.require_attribute(stride != 0, "stride", stride, "must not be 0");
        operands.require_attribute(count > 0, "count", count, "must be 1 or more");
        let last = isize::try_from(count.saturating_sub(1))
            .ok()
            .and_then(|steps| steps.checked_mul(stride))
            .and_then(|distance| begin.checked_add_signed(distance));
        operands.require_attribute(
            begin < dimension && last.is_some_and(|last| last < dimension),
            "begin",
            begin,
            format!("{count} elements at steps of {stride} must lie within the {dimension} of the input"),
        );
    }
    let counts = axes.iter().map(|axis| axis.count).filter(|&count| count != 1);
    operands.require_attribute(
        counts.eq(shape.iter().copied().filter(|&dimension| dimension != 1)),
        "shape",
        shape,
        "must be the counts, but for axes of 1",
    );
    Some(Output::new(input.dtype, shape.clone()))
}

pub(super) fn split(attributes: &Split, operands: &mut Operands<'_>) -> Option<Vec<Output>> {
    let input = operands.input(0)?;
    let Split { axis, sizes } = attributes;
    operands.require_axis(*axis, input.shape.rank())?;
    let sum = sizes.iter().try_fold(0usize, |sum, &size| sum.checked_add(size));
    operands.require_attribute(
        sum == Some(input.shape[*axis]) && sizes.iter().all(|&size| size > 0),
        "sizes",
        format!("{sizes:?}"),
        format!("must be 1 or more and add up to {}", input.shape[*axis]),
    );
    let part = |&size: &usize| {
        let mut shape = input.shape.to_vec();
        shape[*axis] = size;
        Output::new(input.dtype, shape)
    };
    Some(sizes.iter().map(part).collect())
}

pub(super) fn pack(attributes: &Stack, operands: &mut Operands<'_>) -> Option<Output> {
    let first = operands.input(0)?;
    let axis = attributes.axis;
    operands.require_axis(axis, first.shape.rank() + 1)?;
    for second in operands.inputs.iter().skip(1).flatten() {
        operands.require_type("input", second, &[first.dtype]);
        operands.require(second.shape == first.shape, || Fault::Shapes {
            first: first.shape.clone(),
            second: second.shape.clone(),
            expected: "all shapes must be equal",
        });
    }
    let mut shape = first.shape.to_vec();
    shape.insert(axis, operands.inputs.len());
    Some(Output::new(first.dtype, shape))
}

pub(super) fn unpack(attributes: &Stack, operands: &mut Operands<'_>) -> Option<Vec<Output>> {
    let input = operands.input(0)?;
    operands.require_axis(attributes.axis, input.shape.rank())?;
    let mut shape = input.shape.to_vec();
    let count = shape.remove(attributes.axis);
    let most = 1 << 16;
    operands.require_attribute(count <= most, "axis", attributes.axis, format!("at most {most} outputs"))?;
    Some(vec![Output::new(input.dtype, shape); count])
}
