//! Operators that reduce axes.

use super::{Operands, Output};
use crate::ir::attributes::{ArgExtreme, Reduce};
use crate::ir::{DType, Shape};

pub(super) fn reduce(attributes: &Reduce, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let axes = &attributes.axes;
    let rank = input.shape.rank();
    operands.require_attribute(
        !axes.is_empty() && axes.is_sorted_by(|low, high| low < high) && axes.iter().all(|&axis| axis < rank),
        "axes",
        format!("{axes:?}"),
        format!("must be ascending axes of an input of rank {rank}"),
    );
    let kept = input.shape.iter().enumerate().filter_map(|(axis, &dimension)| {
        match (axes.contains(&axis), attributes.keep_dims) {
            (false, _) => Some(dimension),
            (true, true) => Some(1),
            (true, false) => None,
        }
    });
    Some(Output::new(input.dtype, kept.collect::<Shape>()))
}

pub(super) fn arg_extreme(attributes: &ArgExtreme, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_axis(attributes.axis, input.shape.rank());
    let kept = input.shape.iter().enumerate().filter(|&(axis, _)| axis != attributes.axis);
    Some(Output {
        shape: kept.map(|(_, &dimension)| dimension).collect(),
        types: vec![DType::I32, DType::I64],
    })
}
