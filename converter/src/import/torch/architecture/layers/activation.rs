//! Functions of each element, and softmax.

use super::super::layer::Layer;
use super::super::network::ValueId;
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::Op;
use crate::ir::attributes::{Arithmetic, Clip, Elu, Gelu, HardSigmoid, LeakyRelu, Softmax};

/// An activation without attributes but `inplace`, which means nothing here.
fn simple(layer: &mut Layer<'_>, op: Op) -> Option<ValueId> {
    layer.attributes.flag("inplace");
    layer.elementwise(op)
}

pub(super) fn relu(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::Relu)
}

pub(super) fn relu6(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::Relu6)
}

pub(super) fn hardswish(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::HardSwish)
}

pub(super) fn hardsigmoid(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::HardSigmoid(HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 }))
}

pub(super) fn sigmoid(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::Logistic)
}

pub(super) fn tanh(layer: &mut Layer<'_>) -> Option<ValueId> {
    simple(layer, Op::Tanh)
}

pub(super) fn hardtanh(layer: &mut Layer<'_>) -> Option<ValueId> {
    let low = layer.attributes.number("min_val").unwrap_or(-1.0);
    let high = layer.attributes.number("max_val").unwrap_or(1.0);
    simple(layer, clip(low, high))
}

pub(super) fn clamp(layer: &mut Layer<'_>) -> Option<ValueId> {
    let low = layer.attributes.number("min").unwrap_or(f32::NEG_INFINITY);
    let high = layer.attributes.number("max").unwrap_or(f32::INFINITY);
    simple(layer, clip(low, high))
}

fn clip(low: f32, high: f32) -> Op {
    match (low, high) {
        (0.0, 6.0) => Op::Relu6,
        (-1.0, 1.0) => Op::ReluN1To1,
        (0.0, f32::INFINITY) => Op::Relu,
        _ => Op::Clip(Clip { low, high }),
    }
}

pub(super) fn leaky_relu(layer: &mut Layer<'_>) -> Option<ValueId> {
    let alpha = layer.attributes.number("negative_slope").unwrap_or(0.01);
    simple(layer, Op::LeakyRelu(LeakyRelu { alpha }))
}

pub(super) fn elu(layer: &mut Layer<'_>) -> Option<ValueId> {
    let alpha = layer.attributes.number("alpha").unwrap_or(1.0);
    simple(layer, Op::Elu(Elu { alpha }))
}

pub(super) fn gelu(layer: &mut Layer<'_>) -> Option<ValueId> {
    let tanh = match layer.attributes.text("approximate").as_deref() {
        None | Some("none") => false,
        Some("tanh") => true,
        Some(other) => {
            let (value, expected) = (format!("'{other}'"), "'none' or 'tanh'".into());
            return layer.fail(ArchitectureFault::Attribute { attribute: "approximate", value, expected });
        }
    };
    layer.elementwise(Op::Gelu(Gelu { tanh }))
}

/// `x * sigmoid(x)`
pub(super) fn silu(layer: &mut Layer<'_>) -> Option<ValueId> {
    layer.attributes.flag("inplace");
    let input = layer.input()?;
    let gate = layer.elementwise_on(input, Op::Logistic)?;
    super::combine::arithmetic(layer, Op::Mul(Arithmetic::default()), input, gate)
}

pub(super) fn prelu(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let slope = layer.weight("weight")?;
    let channels = if slope.shape.elements() == Some(1) { 1 } else { shape.get(1).copied().unwrap_or(1) };
    layer.agree("num_parameters", channels, slope)?;
    let slope = layer.per_channel(slope, channels)?;
    if shape.rank() == 3 || shape.rank() == 4 {
        let tensor = layer.channels_last(input)?;
        let result = layer.node(Op::PRelu, &[Some(tensor), Some(slope)])?;
        return Some(layer.network.channels_last_value(result, shape.rank()));
    }
    let tensor = layer.plain(input)?;
    let result = layer.node(Op::PRelu, &[Some(tensor), Some(slope)])?;
    Some(layer.network.plain_value(result))
}

pub(super) fn softmax(layer: &mut Layer<'_>) -> Option<ValueId> {
    along_axis(layer, Op::Softmax(Softmax { beta: 1.0 }))
}

pub(super) fn log_softmax(layer: &mut Layer<'_>) -> Option<ValueId> {
    along_axis(layer, Op::LogSoftmax)
}

/// An operator along the last axis, applied along `dim`.
fn along_axis(layer: &mut Layer<'_>, op: Op) -> Option<ValueId> {
    let input = layer.input()?;
    let rank = layer.shape(input).rank();
    let dim = layer.attributes.integer("dim").unwrap_or(if rank > 2 { 1 } else { -1 });
    let axis = layer.axis("dim", dim, rank)?;
    if axis == 1 && (rank == 3 || rank == 4) {
        let tensor = layer.channels_last(input)?;
        let result = layer.node(op, &[Some(tensor)])?;
        return Some(layer.network.channels_last_value(result, rank));
    }
    let tensor = layer.plain(input)?;
    let mut swapped: Vec<usize> = (0..rank).collect();
    swapped.swap(axis, rank - 1);
    let moves = axis + 1 < rank;
    let tensor = if moves { layer.transpose(tensor, swapped.clone())? } else { tensor };
    let result = layer.node(op, &[Some(tensor)])?;
    let result = if moves { layer.transpose(result, swapped)? } else { result };
    Some(layer.network.plain_value(result))
}
