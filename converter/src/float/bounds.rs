//! How large a graph may be: bounds of memory and time, whatever a file says.

use super::ExecuteError;
use super::value::element_bytes;
use crate::ir::{Float, Graph, NodeId, Op, TensorId};

/// Most bytes of the values that are alive at once, constants apart: far more than any microcontroller has.
pub(super) const MAX_BYTES: usize = 128 << 20;

/// Most steps of one inference, as in [`crate::limits::Limits`].
pub(super) const MAX_STEPS: u64 = 10_000_000_000;

/// Checks the work of all nodes, before any of them is computed.
///
/// # Errors
/// If one inference takes too long.
pub(super) fn check_work(graph: &Graph<Float>) -> Result<(), ExecuteError> {
    let works = graph.node_ids().map(|node| (work(graph, node), node));
    let (mut steps, mut most) = (0u64, None);
    for (own, node) in works {
        steps = steps.saturating_add(own);
        most = most.max(Some((own, node)));
    }
    match most {
        Some((own, node)) if steps > MAX_STEPS => {
            Err(ExecuteError::Work { steps, limit: MAX_STEPS, place: graph.place_of_node(node), own })
        }
        _ => Ok(()),
    }
}

/// Bytes of a tensor's value.
pub(super) fn bytes(graph: &Graph<Float>, tensor: TensorId) -> usize {
    elements(graph, Some(tensor)).saturating_mul(element_bytes(graph[tensor].dtype))
}

fn elements(graph: &Graph<Float>, tensor: Option<TensorId>) -> usize {
    tensor.and_then(|tensor| graph[tensor].shape.elements()).unwrap_or(0)
}

fn work(graph: &Graph<Float>, node: NodeId) -> u64 {
    let node = &graph[node];
    let written = node.outputs.iter().map(|&tensor| elements(graph, Some(tensor)) as u64).sum::<u64>();
    let read = node.inputs.iter().map(|&tensor| elements(graph, tensor) as u64).sum::<u64>();
    let filter = node.input(1).map(|filter| &graph[filter].shape[..]).unwrap_or_default();
    let taps = |axes: &[usize]| axes.iter().map(|&size| size as u64).product::<u64>();
    let own = match &node.op {
        Op::Conv2d(_) | Op::FullyConnected(_) => {
            written.saturating_mul(taps(filter.get(1..).unwrap_or_default()))
        }
        Op::DepthwiseConv2d(_) => written.saturating_mul(taps(filter.get(1..3).unwrap_or_default())),
        Op::TransposeConv2d(_) => {
            let input = elements(graph, node.input(0)) as u64;
            input.saturating_mul(taps(filter.get(..3).unwrap_or_default()))
        }
        Op::AveragePool2d(pool) | Op::MaxPool2d(pool) => {
            written.saturating_mul((pool.filter.height as u64).saturating_mul(pool.filter.width as u64))
        }
        _ => written,
    };
    own.saturating_add(read)
}
