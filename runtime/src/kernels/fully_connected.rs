//! Fully connected layer: matrix times vector, int8.
//!
//! `out[n,o] = stage(multiplier[o] x (bias[o] + sum over i of w[o,i] x in[n,i]))`.
//!
//! Layouts: the input's elements are `[N, I]` however its shape groups them, weights `[O, I]`, the output ends with `O`.
//! Sums are 32-bit and wrap. The input zero point is folded into the bias ([`ChannelQuant`]).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode};
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
pub static OPERATOR: Operator = Operator { code: OpCode::FullyConnected, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(node.record().packing == 0, NodeError::Packing)?;
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
