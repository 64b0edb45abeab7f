//! Fully connected layer: matrix times vector, int8.
//!
//! `out[n,o] = stage(multiplier[o] x (bias[o] + sum over i of w[o,i] x in[n,i]))`.
//!
//! Layouts: the input's elements are `[N, I]` however its shape groups them, weights `[O, I]`, the output ends with `O`.
//! Sums are 32-bit and wrap. The input zero point is folded into the bias ([`ChannelQuant`]).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa};
use crate::kernels::plain_weights::{Bytes, PlainWeights};
use crate::kernels::{Call, NodeError, Operator, Unary, require};
use crate::quant::{ChannelQuant, OutputStage};

/// Parameters in the file, 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the weights, `[O, I]`, in the constant section.
    pub weights: u32,
    /// Offset of one [`ChannelQuant`] per output.
    pub channels: u32,
    /// Inputs per output: `I`.
    pub depth: u32,
    /// Output zero point and clamp.
    pub stage: OutputStage,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<Bytes>();

/// The entry of a way to store weights.
pub(super) const fn operator<W: PlainWeights>() -> Operator {
    Operator { code: OpCode::FullyConnected, packing: W::CODE, check: check::<W>, run: run::<W> }
}

fn check<W: PlainWeights>(node: &Node<'_>) -> Result<u64, NodeError> {
    let [rows, outputs] = check_operands(node, |_| 0)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let weights = outputs.checked_mul(params.depth as usize).ok_or(NodeError::Constants)?;
    node.constants::<W::Unit>(params.weights, W::units(weights)).ok_or(NodeError::Constants)?;
    node.constants::<ChannelQuant>(params.channels, outputs).ok_or(NodeError::Constants)?;
    Ok(rows as u64 * weights as u64)
}

/// What all packings check of parameters, operands and scratch. Gives the numbers of rows and of outputs of each.
pub(super) fn check_operands(
    node: &Node<'_>,
    scratch_len: impl FnOnce(&Params) -> usize,
) -> Result<[usize; 2], NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid(), NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(scratch_len(params))?;
    let (rows, outputs) = output.shape.rows();
    let depth = params.depth as usize;
    require(depth > 0 && rows.checked_mul(depth) == Some(input.shape.elements()), NodeError::Shape)?;
    Ok([rows, outputs])
}

fn run<W: PlainWeights>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    let (depth, (_, outputs)) = (params.depth as usize, output.shape.rows());
    let Some(weights) = node.constants::<W::Unit>(params.weights, W::units(depth * outputs)) else { return };
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, outputs) else { return };
    fully_connected::<Active, W>(weights, depth, channels, &params.stage, input.data, output.data);
}

/// The kernel: `input` holds rows of `depth` values, as many as a row of `weights` has, `output` rows of one value per channel.
fn fully_connected<I: Isa, W: PlainWeights>(
    weights: &[W::Unit],
    depth: usize,
    channels: &[ChannelQuant],
    stage: &OutputStage,
    input: &[i8],
    output: &mut [i8],
) {
    let rows = input.chunks_exact(depth.max(1));
    for (row, out) in rows.zip(output.chunks_exact_mut(channels.len().max(1))) {
        W::times_channels::<I>(weights, 0, row, channels, stage, out);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Window;
    use crate::kernels::plain_weights::tests::StoredWeights;
    use crate::kernels::testing::{Layer, OneNode, definitions};

    /// A layer, which is a pointwise convolution of a row of pixels.
    pub(in crate::kernels) fn layer(rows: usize, depth: usize, outputs: usize, seed: u64) -> Layer {
        let (input, output) = ([1, 1, rows, depth], [1, 1, rows, outputs]);
        Layer::random(seed, Window::UNIT, input, [outputs, 1, 1, depth], output)
    }

    fn node(layer: &Layer) -> OneNode {
        stored::<Bytes>(layer)
    }

    pub(in crate::kernels) fn stored<W: StoredWeights>(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::FullyConnected).packing(W::CODE);
        let [_, _, rows, depth] = layer.input.shape;
        let channels = layer.folded();
        let params = Params {
            weights: W::constants(&mut node, &layer.weights.data),
            channels: node.constants(&channels),
            depth: depth as u32,
            stage: layer.stage,
        };
        let node = node.params(&params).input(&[rows, 1, depth], &layer.input.data);
        node.output::<i8>(&[rows, channels.len()])
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(2, 7, 5, 0)).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..70, outputs in 1usize..14, seed: u64) {
            let layer = layer(rows, depth, outputs, seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn rows_of_another_length_are_refused() {
        let params = Params { weights: 0, channels: 0, depth: 3, stage: OutputStage::new(0) };
        let check = |depth: usize| {
            let node = OneNode::new(OpCode::FullyConnected).params(&params);
            node.input(&[1, depth], &[0i8; 4][..depth]).output::<i8>(&[1, 2]).check()
        };
        assert_eq!(check(4), Err(NodeError::Shape));
        assert_eq!(check(3), Err(NodeError::Constants));
    }

    #[test]
    fn record_is_16_bytes() {
        assert_eq!(size_of::<Params>(), 16);
    }
}
