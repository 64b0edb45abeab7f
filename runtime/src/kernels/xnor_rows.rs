//! Rows of binary weights times binary inputs: what the operators on [`crate::packing::xnor`] share.

use crate::format::Node;
use crate::isa::Isa;
use crate::packing::xnor::{self, Bits};
use crate::quant::{ChannelQuant, OutputStage};

/// The weights of a layer's channels.
#[derive(Debug, Clone, Copy)]
pub(super) struct XnorRows<'m> {
    weights: &'m [u8],
    channels: &'m [ChannelQuant],
    stage: &'m OutputStage,
    row_bytes: usize,
}

/// Bytes of scratch for the bits of so many inputs.
pub(super) fn bits_len(inputs: usize) -> usize {
    xnor::words(inputs).saturating_mul(size_of::<Bits>())
}

impl<'m> XnorRows<'m> {
    /// The layer whose weights and channels stand at these offsets of the constant section.
    pub(super) fn new(
        node: &Node<'m>,
        offsets: [u32; 2],
        stage: &'m OutputStage,
        [channels, inputs]: [usize; 2],
    ) -> Option<Self> {
        let row_bytes = xnor::row_bytes(inputs);
        let weights = node.constants(offsets[0], channels.checked_mul(row_bytes)?)?;
        let channels = node.constants(offsets[1], channels)?;
        Some(Self { weights, channels, stage, row_bytes })
    }

    /// All outputs of one vector of inputs, whose bits go to `scratch`.
    pub(super) fn run<I: Isa>(&self, input: &[i8], scratch: &mut [Bits], output: &mut [i8]) {
        let Some(bits) = scratch.get_mut(..xnor::words(input.len())) else { return };
        let counted = xnor::lay_out(input, bits);
        let rows = self.weights.chunks_exact(self.row_bytes.max(1));
        for ((out, row), channel) in output.iter_mut().zip(rows).zip(self.channels) {
            let sum = xnor::dot(row, bits, counted);
            I::requantize(&[sum], core::slice::from_ref(channel), self.stage, core::slice::from_mut(out));
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

    /// Puts the bits of the weights of `layer`, and its folded channels, into the constants of `node`; gives their offsets.
    pub(in crate::kernels) fn constants(node: &mut OneNode, layer: &Layer) -> [u32; 2] {
        let weights = &layer.weights.data;
        let count = layer.channels.len();
        let inputs = weights.len() / count;
        let rows = weights.chunks(inputs).enumerate();
        let channels: Vec<ChannelQuant> = rows.map(|(o, row)| layer.fold(o, row)).collect();
        let mut bytes = vec![0; count * xnor::row_bytes(inputs)];
        xnor::encode(weights, inputs, &mut bytes);
        [node.constants(&bytes), node.constants(&channels)]
    }
}
