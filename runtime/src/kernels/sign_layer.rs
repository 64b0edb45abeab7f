//! A layer's weights as signs: what the operators that use the packing share.
//!
//! Inputs of a block of pixels are laid out in scratch as unsigned bytes; then, for each pair of channels, its bits become
//! masks in scratch, which serve all pixels of the block.

use crate::format::Node;
use crate::isa::{Isa, Signs};
use crate::packing::signs;
use crate::quant::OutputStage;

/// Packed weights and records of a layer with `channels` outputs of `inputs` inputs each.
#[derive(Debug, Clone, Copy)]
pub(super) struct SignLayer<'m> {
    words: &'m [u32],
    records: &'m [i32],
    stage: &'m OutputStage,
    channels: usize,
    inputs: usize,
}

/// Words of scratch for blocks of so many pixels.
pub(super) fn block_words(inputs: usize, pixels: usize) -> usize {
    signs::quads(inputs).saturating_mul(pixels.saturating_add(2))
}

impl<'m> SignLayer<'m> {
    /// The layer whose weights and records stand at these offsets of the constant section; there are inputs and outputs.
    pub(super) fn new(
        node: &Node<'m>,
        offsets: [u32; 2],
        stage: &'m OutputStage,
        [channels, inputs]: [usize; 2],
    ) -> Option<Self> {
        let words = node.constants(offsets[0], signs::weight_words(channels, inputs)?)?;
        let records = node.constants(offsets[1], signs::record_words(channels)?)?;
        (channels > 0 && inputs > 0).then_some(Self { words, records, stage, channels, inputs })
    }

    /// All outputs of so many pixels, one pixel's after another's. `lay_out` writes a pixel's inputs, as
    /// [`Isa::lay_out_signs`] does at the step that it is given. `scratch` holds at least a block of one pixel.
    pub(super) fn run<I: Isa>(
        &self,
        pixels: usize,
        mut lay_out: impl FnMut(usize, usize, &mut [u32]),
        scratch: &mut [u32],
        output: &mut [i8],
    ) {
        let quads = signs::quads(self.inputs);
        let Some((masks, block)) = scratch.split_at_mut_checked(signs::masks(self.inputs)) else { return };
        let most = block.len() / quads.max(1);
        // Four pixels take less time than four times one.
        let most = (if most < Signs::PIXELS { most } else { most / Signs::PIXELS * Signs::PIXELS }).max(1);
        let outputs = output.chunks_mut(most.saturating_mul(self.channels).max(1));
        for (first, output) in (0..pixels).step_by(most).zip(outputs) {
            let count = most.min(pixels - first);
            let fours = count / Signs::PIXELS * Signs::PIXELS;
            for pixel in 0..count {
                let (at, step) = if pixel < fours {
                    let start = pixel / Signs::PIXELS * Signs::PIXELS * quads;
                    let end = start + Signs::PIXELS * quads;
                    (start + pixel % Signs::PIXELS..end, Signs::PIXELS)
                } else {
                    (pixel * quads..(pixel + 1) * quads, 1)
                };
                lay_out(first + pixel, step, block.get_mut(at).unwrap_or_default());
            }
            self.pairs::<I>(count, block, masks, output);
        }
        self.stage.clamp(output);
    }

    /// The outputs of a block of pixels whose inputs are laid out.
    fn pairs<I: Isa>(&self, pixels: usize, input: &[u32], masks: &mut [u32], output: &mut [i8]) {
        let records = self.records.as_chunks::<{ signs::RECORD_WORDS }>().0;
        for (channel, record) in (0..self.channels).step_by(2).zip(records) {
            I::expand_signs(self.words, channel / 2 * masks.len(), masks);
            let block = Signs {
                masks,
                record,
                input,
                quads: signs::quads(self.inputs),
                pixels,
                channels: (self.channels - channel).min(2),
                pitch: self.channels,
                stage: self.stage,
            };
            I::signs(&block, output.get_mut(channel..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;

    use super::*;
    use crate::kernels::testing::{Layer, OneNode};

    /// Puts the weights of `layer` as signs, and its folded channels with them, into the constants of `node`; gives their
    /// offsets.
    pub(in crate::kernels) fn constants(node: &mut OneNode, layer: &Layer) -> [u32; 2] {
        let weights = &layer.weights.data;
        let count = layer.channels.len();
        let inputs = weights.len() / count;
        let channels = layer.folded();
        assert!(signs::holds(weights, inputs, &channels));
        let mut words = vec![0; signs::weight_words(count, inputs).unwrap()];
        let mut records = vec![0; signs::record_words(count).unwrap()];
        signs::encode(weights, inputs, &channels, &mut words, &mut records);
        [node.constants(&words), node.constants(&records)]
    }
}
