//! A layer's weights on byte-pair lanes: what the operators that use the packing share.

use crate::format::Node;
use crate::isa::{Isa, Lanes};
use crate::packing::lanes;
use crate::quant::OutputStage;

/// Packed weights and records of a layer with `channels` outputs of `inputs` inputs each.
#[derive(Debug, Clone, Copy)]
pub(super) struct LaneLayer<'m> {
    words: &'m [u32],
    records: &'m [i32],
    stage: &'m OutputStage,
    channels: usize,
    pairs: usize,
}

impl<'m> LaneLayer<'m> {
    /// The layer whose weights and records stand at these offsets of the constant section, in groups of at most
    /// `largest`.
    pub(super) fn new(
        node: &Node<'m>,
        offsets: [u32; 2],
        stage: &'m OutputStage,
        [channels, inputs]: [usize; 2],
        largest: usize,
    ) -> Option<Self> {
        let pairs = lanes::pairs(inputs);
        let padded = lanes::padded_channels(channels, largest);
        let words = node.constants(offsets[0], (padded / 2).checked_mul(pairs)?)?;
        let records = node.constants(offsets[1], padded.checked_mul(lanes::RECORD_WORDS)?)?;
        Some(Self { words, records, stage, channels, pairs })
    }

    /// All outputs of `PIXELS` vectors, in groups of at most `LARGEST`. `input` is as [`Isa::lanes`] wants it, each
    /// output has one byte per channel.
    pub(super) fn run<I: Isa, const LARGEST: usize, const PIXELS: usize>(
        &self,
        input: &[i16],
        mut outputs: [&mut [i8]; PIXELS],
    ) {
        let whole = self.channels / LARGEST * LARGEST;
        let (words, rest_words) = self.words.split_at_checked(whole / 2 * self.pairs).unwrap_or_default();
        let (records, rest_records) =
            self.records.split_at_checked(whole * lanes::RECORD_WORDS).unwrap_or_default();
        if whole > 0 {
            let outputs = outputs.each_mut().map(|out| out.get_mut(..whole).unwrap_or_default());
            I::lanes::<LARGEST, PIXELS>(&Lanes { words, records, stage: self.stage }, input, outputs);
        }
        let mut rest = Lanes { words: rest_words, records: rest_records, stage: self.stage };
        for (start, size) in lanes::groups(self.channels - whole, LARGEST) {
            let mut padded = [[0i8; 4]; PIXELS];
            let targets = padded.each_mut().map(|out| out.get_mut(..size).unwrap_or_default());
            if size == 4 {
                I::lanes::<4, PIXELS>(&rest, input, targets);
            } else {
                I::lanes::<2, PIXELS>(&rest, input, targets);
            }
            for (out, padded) in outputs.iter_mut().zip(&padded) {
                for (to, &from) in out.iter_mut().skip(whole + start).zip(padded) {
                    *to = from;
                }
            }
            rest.words = rest.words.get(size / 2 * self.pairs..).unwrap_or_default();
            rest.records = rest.records.get(size * lanes::RECORD_WORDS..).unwrap_or_default();
        }
        self.clamp(outputs);
    }

    /// The fused activation, where it is more than what int8 and the zero point do by themselves.
    fn clamp<const PIXELS: usize>(&self, outputs: [&mut [i8]; PIXELS]) {
        let OutputStage { min, max, .. } = *self.stage;
        if (min, max) != (i8::MIN, i8::MAX) {
            for value in outputs.into_iter().flatten() {
                *value = (*value).max(min).min(max);
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

    /// Puts the weights of `layer` on lanes, every `row` of them padded to an even number, and its folded channels with
    /// them, into the constants of `node`; gives their offsets.
    pub(in crate::kernels) fn constants(
        node: &mut OneNode,
        layer: &Layer,
        row: usize,
        largest: usize,
    ) -> [u32; 2] {
        let weights = &layer.weights.data;
        let count = layer.channels.len();
        let per_channel = weights.chunks(weights.len() / count).enumerate();
        let channels: Vec<ChannelQuant> = per_channel.map(|(o, weights)| layer.fold(o, weights)).collect();
        let pad =
            |row: &[i8]| row.iter().copied().chain((row.len() % 2 == 1).then_some(0)).collect::<Vec<_>>();
        let padded: Vec<i8> = weights.chunks(row).flat_map(pad).collect();
        let inputs = padded.len() / count;
        assert!(lanes::holds(&padded, inputs, &channels));
        let mut words = vec![0; lanes::weight_words(count, inputs, largest)];
        let mut records = vec![0; lanes::record_words(count, largest)];
        lanes::encode(&padded, inputs, &channels, largest, &mut words, &mut records);
        [node.constants(&words), node.constants(&records)]
    }
}
