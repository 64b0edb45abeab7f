//! Convolutions.

use secateur_converter::ir::{Hw, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] = &[
    Family::new("pointwise convolution", Weights::Int8, 90, pointwise),
    Family::new("pointwise convolution of few pixels", Weights::Int8, 50, few_pixels),
    Family::new("convolution", Weights::Int8, 120, convolution),
    Family::new("first convolution", Weights::Int8, 60, first_convolution),
    Family::new("grouped convolution", Weights::Int8, 30, grouped_convolution),
    Family::new("convolution of large weights", Weights::Int8, 30, heavy_convolution),
    Family::new("pointwise convolution", Weights::Int4, 36, pointwise),
    Family::new("convolution of few pixels", Weights::Int4, 24, few_pixels),
    Family::new("convolution", Weights::Int4, 40, convolution),
    Family::new("first convolution", Weights::Int4, 36, first_convolution),
    Family::new("grouped convolution", Weights::Int4, 20, grouped_convolution),
    Family::new("pointwise convolution", Weights::OneBit, 36, pointwise),
    Family::new("convolution of few pixels", Weights::OneBit, 24, few_pixels),
    Family::new("convolution", Weights::OneBit, 40, convolution),
    Family::new("convolution", Weights::Binary, 36, convolution),
];

fn pointwise(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let stride = if b.chance(5) { 2 } else { 1 };
    b.convolve(input, Hw::square(1), Hw::square(stride), 1)
}

fn few_pixels(b: &mut Builder) -> Option<TensorId> {
    let (height, width, channels) = (b.rng.usize(1..6), b.rng.usize(1..4), b.size(256));
    let input = b.input(&[1, height, width, channels])?;
    b.convolve(input, Hw::square(1), Hw::square(1), 1)
}

fn convolution(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(96)?;
    let stride = Hw::square(if b.chance(3) { 2 } else { 1 });
    let size = match b.rng.u8(0..6) {
        0 => Hw::square(5),
        1 => Hw::new(b.rng.usize(1..6), b.rng.usize(1..6)),
        2 => Hw::new(b.rng.usize(2..8), 1),
        _ => Hw::square(3),
    };
    b.convolve(input, size, stride, 1)
}

fn first_convolution(b: &mut Builder) -> Option<TensorId> {
    let channels = *b.rng.choice(&[1, 1, 3, 2])?;
    let (height, width) = (b.size(64) + 8, b.size(64) + 4);
    let input = b.input(&[1, height, width, channels])?;
    let sizes = [Hw::square(3), Hw::square(3), Hw::new(10, 4), Hw::new(10, 8), Hw::square(5), Hw::square(7)];
    let size = *b.rng.choice(&sizes)?;
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve(input, size, stride, 1)
}

fn grouped_convolution(b: &mut Builder) -> Option<TensorId> {
    let groups = b.rng.usize(2..5);
    let (side, channels) = (b.size(16) + 2, groups * b.size(16));
    let input = b.input(&[1, side, side, channels])?;
    b.convolve(input, Hw::square(3), Hw::square(1), groups)
}

fn heavy_convolution(b: &mut Builder) -> Option<TensorId> {
    b.heavy = true;
    let pixel = b.rng.bool();
    let (side, channels) = (b.size(12), if pixel { 520 + b.size(500) } else { 60 + b.size(80) });
    let input = b.input(&[1, side, side, channels])?;
    b.convolve(input, Hw::square(if pixel { 1 } else { 3 }), Hw::square(1), 1)
}
