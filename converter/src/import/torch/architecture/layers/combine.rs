//! Layers that join several inputs.

use super::super::layer::Layer;
use super::super::network::ValueId;
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::{Activation, Arithmetic, Concatenation};
use crate::ir::{Op, TensorId};

pub(super) fn add(layer: &mut Layer<'_>) -> Option<ValueId> {
    chain(layer, Op::Add(Arithmetic::default()))
}

pub(super) fn sub(layer: &mut Layer<'_>) -> Option<ValueId> {
    chain(layer, Op::Sub(Arithmetic::default()))
}

pub(super) fn mul(layer: &mut Layer<'_>) -> Option<ValueId> {
    chain(layer, Op::Mul(Arithmetic::default()))
}

pub(super) fn div(layer: &mut Layer<'_>) -> Option<ValueId> {
    chain(layer, Op::Div(Arithmetic::default()))
}

/// The operator on the first two inputs, then on the result and the next; or on the only input and the number `value`.
fn chain(layer: &mut Layer<'_>, op: Op) -> Option<ValueId> {
    if let Some(value) = layer.attributes.number("value") {
        return with_number(layer, op, value);
    }
    let inputs = layer.inputs.clone();
    let &[first, ref rest @ ..] = inputs.as_slice() else { return None };
    if rest.is_empty() {
        let expected = "2 or more, or a number as value,";
        return layer.fail(ArchitectureFault::InputCount { found: 1, expected });
    }
    rest.iter().try_fold(first, |result, &next| arithmetic(layer, op.clone(), result, next))
}

fn with_number(layer: &mut Layer<'_>, op: Op, value: f32) -> Option<ValueId> {
    let input = layer.input()?;
    let number = layer.network.constant("value", [1], &[value]);
    let rank = layer.shape(input).rank();
    if layer.network.is_channels_last(input) {
        let tensor = layer.channels_last(input)?;
        let result = layer.node(op, &[Some(tensor), Some(number)])?;
        return Some(layer.network.channels_last_value(result, rank));
    }
    let tensor = layer.plain(input)?;
    let result = layer.node(op, &[Some(tensor), Some(number)])?;
    Some(layer.network.plain_value(result))
}

/// An operator on two values, which broadcast as in PyTorch.
pub(super) fn arithmetic(layer: &mut Layer<'_>, op: Op, first: ValueId, second: ValueId) -> Option<ValueId> {
    let (one, other) = (layer.shape(first), layer.shape(second));
    if one.broadcast(&other).is_none() {
        return layer.fail(ArchitectureFault::Shapes { first: one, second: other });
    }
    let rank = one.rank();
    // With the batch in front, sequences differ from images in rank 4 as in rank 3.
    if rank == other.rank() && is_channels_last(layer, &[first, second]) {
        let (first, second) = (layer.channels_last(first)?, layer.channels_last(second)?);
        let result = layer.node(op, &[Some(first), Some(second)])?;
        return Some(layer.network.channels_last_value(result, rank));
    }
    let (first, second) = (layer.plain(first)?, layer.plain(second)?);
    let result = layer.node(op, &[Some(first), Some(second)])?;
    Some(layer.network.plain_value(result))
}

/// Whether any of the values is at hand with its channels last, so that the others had better be too.
fn is_channels_last(layer: &Layer<'_>, values: &[ValueId]) -> bool {
    values.iter().any(|&value| layer.network.is_channels_last(value))
}

pub(super) fn concat(layer: &mut Layer<'_>) -> Option<ValueId> {
    let inputs = layer.inputs.clone();
    let first = *inputs.first()?;
    let shape = layer.shape(first);
    let rank = shape.rank();
    let dim = layer.attributes.integer("dim").unwrap_or(1);
    let axis = layer.axis("dim", dim, rank)?;
    if let Some(&other) = inputs.iter().find(|&&input| layer.shape(input).rank() != rank) {
        let second = layer.shape(other);
        return layer.fail(ArchitectureFault::Shapes { first: shape, second });
    }
    let op = |axis| Op::Concatenation(Concatenation { axis, activation: Activation::None });
    if is_channels_last(layer, &inputs) {
        let tensors: Option<Vec<Option<TensorId>>> =
            inputs.iter().map(|&input| layer.channels_last(input).map(Some)).collect();
        let axis = match (axis, rank) {
            (0, _) => 0,
            (1, _) => 3,
            (axis, 4) => axis - 1,
            _ => 2,
        };
        let result = layer.node(op(axis), &tensors?)?;
        return Some(layer.network.channels_last_value(result, rank));
    }
    let tensors: Option<Vec<Option<TensorId>>> =
        inputs.iter().map(|&input| layer.plain(input).map(Some)).collect();
    let result = layer.node(op(axis), &tensors?)?;
    Some(layer.network.plain_value(result))
}
