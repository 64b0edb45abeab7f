//! Depthwise convolutions.

use secateur_converter::ir::{Hw, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] = &[
    Family::new("depthwise 3x3", Weights::Int8, 110, depthwise_3x3),
    Family::new("depthwise of a column", Weights::Int8, 50, depthwise_column),
    Family::new("depthwise", Weights::Int8, 60, depthwise),
    Family::new("depthwise with a multiplier", Weights::Int8, 90, depthwise_multiplier),
    Family::new("depthwise 3x3", Weights::Int4, 50, depthwise_3x3),
    Family::new("depthwise of a column", Weights::Int4, 30, depthwise_column),
    Family::new("depthwise", Weights::Int4, 40, depthwise),
    Family::new("depthwise with a multiplier", Weights::Int4, 50, depthwise_multiplier),
];

fn depthwise_3x3(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve_depthwise(input, Hw::square(3), stride, 1)
}

fn depthwise_column(b: &mut Builder) -> Option<TensorId> {
    let (height, channels) = (b.size(40) + 4, b.size(160));
    let input = b.input(&[1, height, 1, channels])?;
    let size = Hw::new(*b.rng.choice(&[3, 5, 9, 10, 15])?, 1);
    let stride = Hw::square(if b.chance(4) { 2 } else { 1 });
    b.convolve_depthwise(input, size, stride, 1)
}

fn depthwise(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(128)?;
    let size = Hw::new(b.rng.usize(1..8), b.rng.usize(1..8));
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve_depthwise(input, size, stride, 1)
}

fn depthwise_multiplier(b: &mut Builder) -> Option<TensorId> {
    let channels = if b.rng.bool() { 1 } else { b.size(16) };
    let (height, width) = (b.size(96) + 4, b.size(96) + 4);
    let input = b.input(&[1, height, width, channels])?;
    let sizes = [Hw::square(3), Hw::square(3), Hw::new(10, 8), Hw::new(10, 4), Hw::square(5)];
    let size = *b.rng.choice(&sizes)?;
    let (stride, multiplier) = (Hw::square(b.rng.usize(1..3)), *b.rng.choice(&[2, 4, 8])?);
    b.convolve_depthwise(input, size, stride, multiplier)
}
