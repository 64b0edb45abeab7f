//! Fully connected layer: matrix times vector, int8.
//!
//! `out[n,o] = stage(multiplier[o] x (bias[o] + sum over i of w[o,i] x in[n,i]))`.
//!
//! Layouts: the input's elements are `[N, I]` however its shape groups them, weights `[O, I]`, the output ends with `O`.
//! Sums are 32-bit and wrap. The input zero point is folded into the bias ([`ChannelQuant`]).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::conv2d::pixel_times_channels;
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
pub static OPERATOR: Operator =
    Operator { code: OpCode::FullyConnected, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid(), NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    let (rows, outputs) = output.shape.rows();
    let depth = params.depth as usize;
    require(depth > 0 && rows.checked_mul(depth) == Some(input.shape.elements()), NodeError::Shape)?;
    let weights = outputs.checked_mul(depth).ok_or(NodeError::Constants)?;
    node.constants::<i8>(params.weights, weights).ok_or(NodeError::Constants)?;
    let channels = node.constants::<ChannelQuant>(params.channels, outputs).ok_or(NodeError::Constants)?;
    require(channels.iter().all(|channel| channel.multiplier.is_valid()), NodeError::Quantization)?;
    Ok(rows as u64 * weights as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    let (depth, (_, outputs)) = (params.depth as usize, output.shape.rows());
    let Some(weights) = node.constants::<i8>(params.weights, depth * outputs) else { return };
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, outputs) else { return };
    fully_connected::<Active>(weights, channels, &params.stage, input.data, output.data);
}

/// The kernel: `input` holds rows as long as a row of `weights`, `output` rows of one value per channel.
pub fn fully_connected<I: Isa>(
    weights: &[i8],
    channels: &[ChannelQuant],
    stage: &OutputStage,
    input: &[i8],
    output: &mut [i8],
) {
    let outputs = channels.len().max(1);
    let depth = (weights.len() / outputs).max(1);
    for (row, out) in input.chunks_exact(depth).zip(output.chunks_exact_mut(outputs)) {
        pixel_times_channels::<I>(row, weights, channels, stage, out);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    use super::*;
    use crate::kernels::naive;
    use crate::kernels::sampling::{Constants, Random, SingleNode, fold};

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..70, outputs in 1usize..14, seed: u64) {
            let mut random = Random(seed);
            let (input, weights) = (random.values(rows * depth), random.values(outputs * depth));
            let (stage, zero_point) = (random.stage(), random.next() as i8);
            let channels = random.channels(outputs, depth);
            let folded: Vec<_> = channels
                .iter()
                .zip(weights.chunks(depth))
                .map(|(channel, row)| fold(channel, zero_point, row.iter().copied()))
                .collect();
            let mut constants = Constants::default();
            let params = Params {
                weights: constants.push(&weights),
                channels: constants.push(&folded),
                depth: depth as u32,
                stage,
            };
            let node = SingleNode {
                code: OpCode::FullyConnected,
                params: params.as_bytes().to_vec(),
                constants,
                inputs: &[(&[rows, 1, depth], &input)],
                output: &[rows, outputs],
                scratch_len: 0,
            };
            let expected = naive::fully_connected(depth, &input, zero_point, &weights, &channels, &stage);
            prop_assert_eq!(node.run(), Ok(expected));
        }
    }

    #[test]
    fn rows_of_another_length_are_refused() {
        let params = Params { weights: 0, channels: 0, depth: 3, stage: OutputStage::new(0) };
        let refused = |inputs| {
            let params = params.as_bytes().to_vec();
            let constants = Constants::default();
            SingleNode {
                code: OpCode::FullyConnected,
                params,
                constants,
                inputs,
                output: &[1, 2],
                scratch_len: 0,
            }
            .run()
            .unwrap_err()
        };
        assert_eq!(refused(&[(&[1, 4], &[0; 4])]), NodeError::Shape);
        assert_eq!(refused(&[(&[1, 3], &[0; 3])]), NodeError::Constants);
    }

    #[test]
    fn record_is_16_bytes() {
        assert_eq!(size_of::<Params>(), 16);
    }
}
