//! A layer's weights on lanes: what the operators that use byte-pair or nibble lanes share.

use core::fmt::Debug;
use core::marker::PhantomData;

use crate::format::{Node, Packing};
use crate::isa::{Isa, Lanes, Rows, Strip};
use crate::packing::{lanes, nibble_lanes};
use crate::quant::OutputStage;

/// A packing that puts several channels into one lane.
pub(super) trait LanePacking: Copy + Debug {
    /// Its code.
    const CODE: Packing;
    /// Channels in a lane, a power of two. A layer's channels are filled up to a multiple of them.
    const CHANNELS: usize;

    /// The inner loop.
    fn run<I: Isa>(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]);

    /// The layer times one row of inputs, which are widened into `scratch`.
    fn run_row<I: Isa>(lanes: &Lanes<'_>, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
        I::widen(&Rows::one(inputs), scratch);
        Self::run::<I>(lanes, &Strip::one(inputs.len()), scratch, output);
    }
}

/// [`crate::packing::lanes`].
#[derive(Debug, Clone, Copy)]
pub(super) struct BytePairs;

impl LanePacking for BytePairs {
    const CODE: Packing = Packing::Lanes;
    const CHANNELS: usize = 2;

    #[inline]
    fn run<I: Isa>(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        I::lanes(lanes, strip, input, output);
    }

    #[inline(always)]
    fn run_row<I: Isa>(lanes: &Lanes<'_>, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
        I::row_of_lanes(lanes, inputs, scratch, output);
    }
}

/// [`crate::packing::nibble_lanes`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Nibbles;

impl LanePacking for Nibbles {
    const CODE: Packing = Packing::NibbleLanes;
    const CHANNELS: usize = nibble_lanes::QUAD;

    #[inline]
    fn run<I: Isa>(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        I::nibble_lanes(lanes, strip, input, output);
    }
}

/// Packed weights and records of a layer.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneLayer<'m, P> {
    packing: PhantomData<P>,
    lanes: Lanes<'m>,
    pairs: usize,
}

impl<'m, P: LanePacking> LaneLayer<'m, P> {
    /// The layer of `channels` outputs of `inputs` inputs each, whose weights and records stand at these offsets of the
    /// constant section, in groups of at most `largest`, 4 or 8.
    #[inline(always)]
    pub(super) fn new(
        node: &Node<'m>,
        offsets: [u32; 2],
        stage: &'m OutputStage,
        [channels, inputs]: [usize; 2],
        largest: usize,
    ) -> Option<Self> {
        let pairs = lanes::pairs(inputs);
        let padded = channels.checked_next_multiple_of(P::CHANNELS)?;
        let words = node.constants(offsets[0], (padded / P::CHANNELS).checked_mul(pairs)?)?;
        let records = node.constants(offsets[1], padded.checked_mul(lanes::RECORD_WORDS)?)?;
        let lanes = Lanes { largest, channels, words, records, stage };
        Some(Self { packing: PhantomData, lanes, pairs })
    }

    /// Input pairs of a pixel.
    pub(super) fn pairs(&self) -> usize {
        self.pairs
    }

    /// Output channels.
    pub(super) fn channels(&self) -> usize {
        self.lanes.channels
    }

    /// All outputs of a strip's pixels. Input and output are as [`Isa::lanes`] wants them.
    #[inline]
    pub(super) fn run<I: Isa>(&self, strip: &Strip, input: &[i16], output: &mut [i8]) {
        P::run::<I>(&self.lanes, strip, input, output);
        if self.lanes.stage.clamps() {
            self.clamp(strip, output);
        }
    }

    /// All outputs of one row of inputs, which are widened into `scratch`.
    #[inline(always)]
    pub(super) fn run_row<I: Isa>(&self, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
        P::run_row::<I>(&self.lanes, inputs, scratch, output);
        if self.lanes.stage.clamps() {
            self.clamp(&Strip { advance: output.len(), ..Strip::one(inputs.len()) }, output);
        }
    }

    #[inline(never)]
    fn clamp(&self, strip: &Strip, output: &mut [i8]) {
        for pixel in 0..strip.pixels {
            let output = output.get_mut(pixel * strip.pitch..).unwrap_or_default();
            for values in output.chunks_mut(strip.advance.max(1)).take(strip.count) {
                self.lanes.stage.clamp(values.get_mut(..self.lanes.channels).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::kernels::testing::{Layer, OneNode};
    use crate::quant::ChannelQuant;

    type Holds = fn(&[i8], usize, &[ChannelQuant]) -> bool;
    type Encode = fn(&[i8], usize, &[ChannelQuant], usize, &mut [u32], &mut [i32]);

    /// Puts the weights of `layer` on lanes, every `row` of them padded to an even number, and its folded channels with
    /// them, into the constants of `node`; gives their offsets.
    pub(in crate::kernels) fn constants<P: LanePacking>(
        node: &mut OneNode,
        layer: &Layer,
        row: usize,
        largest: usize,
    ) -> [u32; 2] {
        let weights = &layer.weights.data;
        let count = layer.channels.len();
        let channels = layer.folded();
        let pad =
            |row: &[i8]| row.iter().copied().chain((row.len() % 2 == 1).then_some(0)).collect::<Vec<_>>();
        let padded: Vec<i8> = weights.chunks(row).flat_map(pad).collect();
        let inputs = padded.len() / count;
        let words = count.div_ceil(P::CHANNELS) * lanes::pairs(inputs);
        let records = count.next_multiple_of(P::CHANNELS) * lanes::RECORD_WORDS;
        let (mut words, mut records) = (vec![0; words], vec![0; records]);
        let (holds, encode): (Holds, Encode) = match P::CODE {
            Packing::Lanes => (lanes::holds, lanes::encode),
            _ => (nibble_lanes::holds, nibble_lanes::encode),
        };
        assert!(holds(&padded, inputs, &channels));
        encode(&padded, inputs, &channels, largest, &mut words, &mut records);
        [node.constants(&words), node.constants(&records)]
    }
}
