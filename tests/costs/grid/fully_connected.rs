//! Fully connected layers, on integers or, with weights alone as integers, on floats.

use secateur_converter::ir::attributes::FullyConnected;
use secateur_converter::ir::{Activation, DType, Op, Tensor, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] = &[
    Family::new("fully connected", Weights::Int8, 60, fully_connected),
    Family::new("fully connected of large weights", Weights::Int8, 20, heavy_fully_connected),
    Family::new("fully connected", Weights::Int4, 30, fully_connected),
    Family::new("fully connected of large weights", Weights::Int4, 12, heavy_fully_connected),
    Family::new("fully connected", Weights::OneBit, 30, fully_connected),
    Family::new("fully connected", Weights::Binary, 24, fully_connected),
    Family::new("low-bit dynamic", Weights::Int8, 24, dynamic),
    Family::new("dynamic", Weights::Int4, 20, dynamic),
];

fn fully_connected(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(4) { b.size(8) } else { 1 };
    let (depth, outputs) = (b.size(640), b.size(256));
    let input = b.input(&[rows, depth])?;
    b.connect(input, depth, outputs)
}

fn heavy_fully_connected(b: &mut Builder) -> Option<TensorId> {
    b.heavy = true;
    let (depth, outputs) = (520 + b.size(3500), b.size(64));
    let input = b.input(&[1, depth])?;
    b.connect(input, depth, outputs)
}

fn dynamic(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(4) { b.size(8) } else { 1 };
    let (depth, outputs) = (b.size(640), b.size(256));
    let input = b.graph.add_tensor(Tensor::new("", DType::F32, [rows, depth]));
    b.graph.set_inputs(vec![input]);
    let filter = b.filter(vec![outputs, depth], 0);
    let op = Op::FullyConnected(FullyConnected { keep_dims: false, activation: Activation::Relu });
    let output = b.node(op, &[input, filter], None)?;
    b.graph.tensor_mut(output).dtype = DType::F32;
    Some(output)
}
