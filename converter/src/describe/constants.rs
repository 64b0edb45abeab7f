//! What the nodes of a model use of its constant section.

use std::collections::BTreeMap;

use secateur::format::{Node, OpCode};
use secateur::kernels::{conv2d, depthwise_conv2d, fully_connected, lookup, transpose_conv2d};
use secateur::quant::ChannelQuant;

/// Part of the constant section: offset and length in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Extent {
    offset: u32,
    len: usize,
}

/// The weights of a node; none for an operator without.
pub(super) fn weights<'m>(node: &Node<'m>) -> Option<&'m [i8]> {
    let Extent { offset, len } = weight_extent(node)?;
    node.constants(offset, len)
}

/// Bytes of the weights of all nodes; those that several nodes share count once.
pub(super) fn weight_bytes(nodes: &[Node<'_>]) -> usize {
    let extents = nodes.iter().filter_map(weight_extent);
    extents.map(|extent| (extent.offset, extent.len)).collect::<BTreeMap<_, _>>().values().sum()
}

/// Bytes of a node's constants beside its weights.
pub(super) fn other_bytes(node: &Node<'_>) -> usize {
    let per_channel = match weight_extent(node) {
        Some(_) => output_channels(node).unwrap_or(0) * size_of::<ChannelQuant>(),
        None => 0,
    };
    let table = if node.op() == Some(OpCode::Lookup) { lookup::TABLE_LEN } else { 0 };
    let constant = |input: usize| node.input(input).filter(|tensor| !tensor.in_arena());
    let operands: usize = (0..node.inputs().len()).filter_map(constant).map(|tensor| tensor.byte_len()).sum();
    per_channel + table + operands
}

fn weight_extent(node: &Node<'_>) -> Option<Extent> {
    let outputs = output_channels(node)?;
    let inputs = *node.input(0)?.shape.dims().last()? as usize;
    match node.op()? {
        OpCode::Conv2d => {
            let params = node.params::<conv2d::Params>()?;
            let group = inputs.checked_div(params.groups as usize)?;
            Some(Extent { offset: params.weights, len: params.window.area() * group * outputs })
        }
        OpCode::DepthwiseConv2d => {
            let params = node.params::<depthwise_conv2d::Params>()?;
            Some(Extent { offset: params.weights, len: params.window.area() * outputs })
        }
        OpCode::TransposeConv2d => {
            let params = node.params::<transpose_conv2d::Params>()?;
            Some(Extent { offset: params.weights, len: params.window.area() * inputs * outputs })
        }
        OpCode::FullyConnected => {
            let params = node.params::<fully_connected::Params>()?;
            Some(Extent { offset: params.weights, len: params.depth as usize * outputs })
        }
        _ => None,
    }
}

fn output_channels(node: &Node<'_>) -> Option<usize> {
    node.output(0)?.shape.dims().last().map(|&channels| channels as usize)
}
