//! Rows of binary weights times binary inputs: what the operators on [`crate::packing::xnor`] share.

use crate::format::Node;
use crate::isa::{Isa, Xnor};
use crate::packing::xnor::{self, Bits, RECORD_WORDS};
use crate::quant::OutputStage;

/// The weights of a layer's channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct XnorRows<'m> {
    weights: &'m [u8],
    records: &'m [[i32; RECORD_WORDS]],
    stage: &'m OutputStage,
}

/// Bytes of scratch for the bits of so many inputs.
pub(super) fn bits_len(inputs: usize) -> usize {
    xnor::words(inputs).saturating_mul(size_of::<Bits>())
}

impl<'m> XnorRows<'m> {
    /// The layer whose weights and records stand at these offsets of the constant section.
    pub(super) fn new(
        node: &Node<'m>,
        offsets: [u32; 2],
        stage: &'m OutputStage,
        [channels, inputs]: [usize; 2],
    ) -> Option<Self> {
        let weights = node.constants(offsets[0], xnor::weight_bytes(channels, inputs)?)?;
        let records = node.constants(offsets[1], channels)?;
        Some(Self { weights, records, stage })
    }

    /// All outputs of one vector of inputs, whose bits go to `scratch`.
    pub(super) fn run<I: Isa>(&self, input: &[i8], scratch: &mut [Bits], output: &mut [i8]) {
        let Some(bits) = scratch.get_mut(..xnor::words(input.len())) else { return };
        let counted = xnor::lay_out(input, bits);
        let rows = Xnor {
            weights: self.weights,
            row_bytes: xnor::row_bytes(input.len()),
            records: self.records,
            input: bits,
            counted,
            stage: self.stage,
        };
        I::xnor(&rows, output);
        self.stage.clamp(output);
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;

    use super::*;
    use crate::kernels::testing::{Layer, OneNode};

    /// Puts the bits of the weights of `layer`, and its folded channels, into the constants of `node`; gives their offsets.
    pub(in crate::kernels) fn constants(node: &mut OneNode, layer: &Layer) -> [u32; 2] {
        let weights = &layer.weights.data;
        let count = layer.channels.len();
        let inputs = weights.len() / count;
        let channels = layer.folded();
        assert!(xnor::holds(weights, inputs, &channels));
        let mut bytes = vec![0; xnor::weight_bytes(count, inputs).unwrap()];
        let mut records = vec![0; count * RECORD_WORDS];
        xnor::encode(weights, inputs, &channels, &mut bytes, &mut records);
        [node.constants(&bytes), node.constants(&records)]
    }
}
