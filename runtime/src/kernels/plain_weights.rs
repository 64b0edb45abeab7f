//! Weights that stand in the operator's own order, one after another: what the portable kernels read them through.

use zerocopy::{FromBytes, Immutable};

use crate::format::Packing;
use crate::isa::Isa;
use crate::kernels::conv2d::pixel_times_channels;
use crate::packing::nibbles;
use crate::quant::{ChannelQuant, OutputStage};

/// How such weights are stored.
pub(super) trait PlainWeights {
    /// Its code.
    const CODE: Packing;

    /// What the weights are made of in the file.
    type Unit: FromBytes + Immutable + 'static;

    /// Units of `count` weights.
    fn units(count: usize) -> usize;

    /// One vector of inputs times as many weights, from weight `start` on.
    fn dot<I: Isa>(weights: &[Self::Unit], start: usize, input: &[i8]) -> i32;

    /// One vector of inputs times four rows of weights, of which the first begins with weight `start`.
    fn dot4<I: Isa>(weights: &[Self::Unit], start: usize, input: &[i8]) -> [i32; 4] {
        [0, 1, 2, 3].map(|row| Self::dot::<I>(weights, start + row * input.len(), input))
    }

    /// One vector of inputs times rows of weights, of which the first begins with weight `start`, requantized into `output`.
    fn times_channels<I: Isa>(
        weights: &[Self::Unit],
        start: usize,
        input: &[i8],
        channels: &[ChannelQuant],
        stage: &OutputStage,
        output: &mut [i8],
    );
}

/// Int8.
#[derive(Debug)]
pub(super) struct Bytes;

impl PlainWeights for Bytes {
    const CODE: Packing = Packing::Plain;

    type Unit = i8;

    fn units(count: usize) -> usize {
        count
    }

    fn dot<I: Isa>(weights: &[i8], start: usize, input: &[i8]) -> i32 {
        I::dot_i8(weights.get(start..).unwrap_or_default(), input)
    }

    fn dot4<I: Isa>(weights: &[i8], start: usize, input: &[i8]) -> [i32; 4] {
        I::dot4_i8(weights.get(start..start + 4 * input.len()).unwrap_or_default(), input)
    }

    #[inline(always)]
    fn times_channels<I: Isa>(
        weights: &[i8],
        start: usize,
        input: &[i8],
        channels: &[ChannelQuant],
        stage: &OutputStage,
        output: &mut [i8],
    ) {
        let weights = weights.get(start..).unwrap_or_default();
        pixel_times_channels::<I>(input, weights, channels, stage, output);
    }
}

/// Int4 ([`nibbles`]).
#[derive(Debug)]
pub(super) struct Nibbles;

impl PlainWeights for Nibbles {
    const CODE: Packing = Packing::Nibbles;

    type Unit = u8;

    fn units(count: usize) -> usize {
        nibbles::bytes(count)
    }

    fn dot<I: Isa>(weights: &[u8], start: usize, input: &[i8]) -> i32 {
        nibbles::dot(weights, start, input)
    }

    #[inline(never)]
    fn times_channels<I: Isa>(
        weights: &[u8],
        start: usize,
        input: &[i8],
        channels: &[ChannelQuant],
        stage: &OutputStage,
        output: &mut [i8],
    ) {
        let starts = (start..).step_by(input.len().max(1));
        for ((out, channel), start) in output.iter_mut().zip(channels).zip(starts) {
            let sum = nibbles::dot(weights, start, input);
            I::requantize(&[sum], core::slice::from_ref(channel), stage, core::slice::from_mut(out));
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;

    use super::*;
    use crate::kernels::testing::OneNode;

    /// Weights that tests can put into a node.
    pub(in crate::kernels) trait StoredWeights: PlainWeights {
        /// Stores the weights and gives their offset.
        fn constants(node: &mut OneNode, weights: &[i8]) -> u32;
    }

    impl StoredWeights for Bytes {
        fn constants(node: &mut OneNode, weights: &[i8]) -> u32 {
            node.constants(weights)
        }
    }

    impl StoredWeights for Nibbles {
        fn constants(node: &mut OneNode, weights: &[i8]) -> u32 {
            let mut bytes = vec![0; nibbles::bytes(weights.len())];
            nibbles::encode(weights, &mut bytes);
            node.constants(&bytes)
        }
    }
}
