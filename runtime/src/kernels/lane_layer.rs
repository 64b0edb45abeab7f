//! A layer's weights on byte-pair lanes: what the operators that use the packing share.

use crate::format::Node;
use crate::isa::{Isa, Lanes};
use crate::kernels::{NodeError, require};
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

    /// Whether every multiplier is in range.
    ///
    /// # Errors
    /// [`NodeError::Quantization`] if one is not.
    pub(super) fn check(&self, largest: usize) -> Result<(), NodeError> {
        require(lanes::records_are_valid(self.records, self.channels, largest), NodeError::Quantization)
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
