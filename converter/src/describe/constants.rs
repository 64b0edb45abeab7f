//! What the nodes of a model use of its constant section.

use std::collections::BTreeMap;

use secateur::format::{Node, OpCode, Packing};
use secateur::kernels::{
    conv2d, conv2d_lanes, depthwise_conv2d, dynamic_fully_connected, fully_connected, fully_connected_lanes,
    lookup, transpose_conv2d,
};
use secateur::packing::{lanes, nibble_lanes, nibbles, row_pairs, signs, tap_pairs, xnor};
use secateur::quant::ChannelQuant;

// A dynamic layer's record is as long as a plain one's.
const _: () = assert!(size_of::<dynamic_fully_connected::Channel>() == size_of::<ChannelQuant>());

/// The weights of a node as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Position in the constant section.
    offset: u32,
    /// Bytes in the constant section, zeros that fill up included.
    pub(super) bytes: usize,
    /// Number of weights of the layer.
    pub(super) count: usize,
    /// Bytes of the records per channel: biases and multipliers.
    record_bytes: usize,
}

/// How the weights of a node are stored; none for an operator without.
pub(super) fn stored(node: &Node<'_>) -> Option<Stored> {
    let outputs = *node.output(0)?.shape.dims().last()? as usize;
    let inputs = *node.input(0)?.shape.dims().last()? as usize;
    // Per output: weights, values in the order of the lane packing, largest group of that.
    let (offset, weights, lane_inputs, group) = match node.op()? {
        OpCode::Conv2d => {
            let params = node.params::<conv2d::Params>()?;
            let weights = params.window.area() * inputs.checked_div(params.groups as usize)?;
            let patch = conv2d_lanes::patch_len(&params.window, inputs);
            (params.weights, weights, patch, conv2d_lanes::GROUP)
        }
        OpCode::FullyConnected => {
            let params = node.params::<fully_connected::Params>()?;
            let depth = params.depth as usize;
            (params.weights, depth, depth, fully_connected_lanes::GROUP)
        }
        OpCode::DynamicFullyConnected => {
            let params = node.params::<dynamic_fully_connected::Params>()?;
            (params.weights, params.depth as usize, 0, 0)
        }
        OpCode::DepthwiseConv2d => {
            let params = node.params::<depthwise_conv2d::Params>()?;
            (params.weights, params.window.area(), 0, 0)
        }
        OpCode::TransposeConv2d => {
            let params = node.params::<transpose_conv2d::Params>()?;
            (params.weights, params.window.area() * inputs, 0, 0)
        }
        _ => return None,
    };
    let count = weights * outputs;
    match node.packing()? {
        Packing::Plain => {
            Some(Stored { offset, bytes: count, count, record_bytes: outputs * size_of::<ChannelQuant>() })
        }
        Packing::Lanes => Some(Stored {
            offset,
            bytes: lanes::weight_words(outputs, lane_inputs, group) * size_of::<u32>(),
            count,
            record_bytes: lanes::record_words(outputs, group) * size_of::<i32>(),
        }),
        Packing::NibbleLanes => Some(Stored {
            offset,
            bytes: nibble_lanes::weight_words(outputs, lane_inputs) * size_of::<u32>(),
            count,
            record_bytes: nibble_lanes::record_words(outputs) * size_of::<i32>(),
        }),
        Packing::Nibbles => Some(Stored {
            offset,
            bytes: nibbles::bytes(count),
            count,
            record_bytes: outputs * size_of::<ChannelQuant>(),
        }),
        Packing::NibbleRowPairs | Packing::NibbleTapPairs => Some(Stored {
            offset,
            bytes: nibbles::bytes(count),
            count,
            record_bytes: outputs * tap_pairs::RECORD_WORDS * size_of::<i32>(),
        }),
        Packing::Signs => Some(Stored {
            offset,
            bytes: signs::weight_words(outputs, weights)? * size_of::<u32>(),
            count,
            record_bytes: signs::record_words(outputs)? * size_of::<i32>(),
        }),
        Packing::Xnor => Some(Stored {
            offset,
            bytes: xnor::weight_bytes(outputs, weights)?,
            count,
            record_bytes: outputs * xnor::RECORD_WORDS * size_of::<i32>(),
        }),
        Packing::RowPairs => Some(Stored {
            offset,
            bytes: outputs * row_pairs::WEIGHT_WORDS * size_of::<u32>(),
            count,
            record_bytes: outputs * row_pairs::RECORD_WORDS * size_of::<i32>(),
        }),
        Packing::TapPairs => {
            let window = node.params::<depthwise_conv2d::Params>()?.window;
            let size = [window.height.kernel, window.width.kernel].map(usize::from);
            let columns = tap_pairs::Columns::of(size)?;
            Some(Stored {
                offset,
                bytes: outputs * columns.words() * size_of::<u32>(),
                count,
                record_bytes: outputs * tap_pairs::RECORD_WORDS * size_of::<i32>(),
            })
        }
    }
}

/// Multiply-accumulates of one inference: each weight serves every position of the output, of the input where the layer
/// is transposed.
pub(super) fn macs(node: &Node<'_>, stored: &Stored) -> u64 {
    let transposed = node.op() == Some(OpCode::TransposeConv2d);
    let tensor = if transposed { node.input(0) } else { node.output(0) };
    let (positions, _) = tensor.map_or((0, 0), |tensor| tensor.shape.rows());
    positions as u64 * stored.count as u64
}

/// Number of the node's weights that are 0.
pub(super) fn zeros(node: &Node<'_>, stored: &Stored) -> usize {
    let bytes = node.constants::<u8>(stored.offset, stored.bytes).unwrap_or_default();
    let words = || bytes.as_chunks().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
    let weights: Vec<i32> = match node.packing() {
        Some(Packing::Lanes) => {
            let lanes = bytes.as_chunks().0.iter().map(|&bytes| i16::from_le_bytes(bytes));
            let weights = lanes.flat_map(|lane| {
                let lower = i16::from(lane as i8);
                [lower, lane.wrapping_sub(lower) >> 8]
            });
            weights.map(i32::from).collect()
        }
        Some(Packing::RowPairs) => {
            let words: Vec<u32> = words().collect();
            words.chunks_exact(row_pairs::WEIGHT_WORDS).flat_map(row_pairs::scaled_weights).collect()
        }
        Some(Packing::TapPairs) => words().flat_map(tap_pairs::decode).collect(),
        Some(Packing::NibbleLanes) => {
            words().flat_map(|word| nibble_lanes::decode(word).into_iter().flatten()).map(i32::from).collect()
        }
        Some(Packing::Nibbles | Packing::NibbleRowPairs | Packing::NibbleTapPairs) => {
            bytes.iter().flat_map(|&byte| nibbles::decode(byte)).map(i32::from).collect()
        }
        // No weight is 0.
        Some(Packing::Signs | Packing::Xnor) => return 0,
        Some(Packing::Plain) | None => bytes.iter().map(|&byte| i32::from(byte as i8)).collect(),
    };
    // What fills up the packing is zero and no weight.
    let zeros = weights.iter().filter(|&&weight| weight == 0).count();
    zeros.saturating_sub(weights.len().saturating_sub(stored.count))
}

/// Number format of the weights.
pub(crate) fn format(packing: Option<Packing>) -> &'static str {
    use Packing::{NibbleLanes, NibbleRowPairs, NibbleTapPairs, Nibbles, Signs, Xnor};
    match packing {
        Some(Nibbles | NibbleLanes | NibbleRowPairs | NibbleTapPairs) => "int4",
        Some(Signs | Xnor) => "1 bit",
        _ => "int8",
    }
}

/// Bytes of the weights of all nodes; those that several nodes share count once.
pub(super) fn weight_bytes(nodes: &[Node<'_>]) -> usize {
    let stored = nodes.iter().filter_map(stored);
    stored.map(|stored| (stored.offset, stored.bytes)).collect::<BTreeMap<_, _>>().values().sum()
}

/// Bytes of a node's constants beside its weights.
pub(super) fn other_bytes(node: &Node<'_>) -> usize {
    let records = stored(node).map_or(0, |stored| stored.record_bytes);
    let table = if node.op() == Some(OpCode::Lookup) { lookup::TABLE_LEN } else { 0 };
    let constant = |input: usize| node.input(input).filter(|tensor| !tensor.in_arena());
    let operands: usize = (0..node.inputs().len()).filter_map(constant).map(|tensor| tensor.byte_len()).sum();
    records + table + operands
}
