//! Operators that move values.

use secateur_converter::ir::attributes::{Concatenation, Pad, SliceAxis, StridedSlice, Transpose};
use secateur_converter::ir::{Activation, Op, Quantization, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] = &[
    Family::new("pad", Weights::Int8, 30, pad),
    Family::new("join", Weights::Int8, 30, join),
    Family::new("transpose", Weights::Int8, 30, transpose),
    Family::new("slice", Weights::Int8, 30, slice),
];

fn pad(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let mut amounts = || vec![0, b.rng.usize(0..3), b.rng.usize(0..3), 0];
    let pad = Pad { before: amounts(), after: amounts(), value: 0.0 };
    b.node(Op::Pad(pad), &[input], None)
}

fn join(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    let alike = Quantization::per_tensor(0.05, -20);
    let inputs = [b.input_of(&shape, alike.clone())?, b.input_of(&shape, alike)?];
    let axis = if b.rng.bool() { 3 } else { 1 };
    b.node(Op::Concatenation(Concatenation { axis, activation: Activation::None }), &inputs, None)
}

fn transpose(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let permutations = [vec![0, 2, 1, 3], vec![0, 3, 1, 2], vec![0, 1, 3, 2]];
    let permutation = b.rng.choice(&permutations)?.clone();
    b.node(Op::Transpose(Transpose { permutation }), &[input], None)
}

fn slice(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let shape = b.graph[input].shape.to_vec();
    let axes: Vec<SliceAxis> = shape
        .iter()
        .map(|&len| {
            let begin = if len > 2 { b.rng.usize(0..len / 2) } else { 0 };
            SliceAxis { begin, count: len - begin, stride: 1 }
        })
        .collect();
    let shape = axes.iter().map(|axis| axis.count).collect::<Vec<_>>().into();
    b.node(Op::StridedSlice(StridedSlice { axes, shape }), &[input], None)
}
