//! Pooling and means.

use secateur_converter::ir::attributes::{Pool2d, Reduce};
use secateur_converter::ir::{Activation, Hw, Op, Quantization, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] =
    &[Family::new("pool", Weights::Int8, 70, pool), Family::new("mean", Weights::Int8, 40, mean)];

fn pool(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let image = b.height_and_width(input);
    let whole = b.chance(3);
    let size = if whole { image } else { Hw::new(b.rng.usize(1..6), b.rng.usize(1..6)) };
    let stride = if b.rng.bool() { size } else { Hw::square(b.rng.usize(1..3)) };
    let padding = b.padding(input, size, stride);
    let activation = Activation::None;
    let pool = Pool2d { filter: size, stride, padding, count_padding: false, activation };
    let op = if b.rng.bool() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
    b.node(op, &[input], None)
}

fn mean(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(128)?;
    let reduce = Reduce { axes: vec![1, 2], keep_dims: b.rng.bool() };
    b.node(Op::Mean(reduce), &[input], Some(Quantization::per_tensor(0.04, -5)))
}
