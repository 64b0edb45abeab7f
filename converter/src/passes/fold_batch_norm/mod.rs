//! Folds factors and summands of channels into the layer before or after them.
//!
//! These are batch normalizations, and additions, subtractions, multiplications and divisions by constants that have one
//! value per channel, the last axis, or one for all; exporters take batch normalizations apart into such.
//!
//! ```text
//! %1 "filter" f32[1,1] = [2.0]
//! %2 "scale" f32[1] = [3.0]                              %1 "filter" f32[1,1] = [6.0]
//! %3 "shift" f32[1] = [1.0]                              %2 "bias" f32[1] = [1.0]
//! node FullyConnected(%0, %1) -> %4                 =>   node FullyConnected(%0, %1, %2) -> %6
//! node Mul(%4, %2) -> %5
//! node Add(%5, %3) -> %6
//! ```
//!
//! - Needs: activations not yet fused ([`super::FuseActivation`]), filters and biases constant and in f32.
//! - Gives: the layer with other weights, computed in double precision. It writes what the folded operator wrote.
//! - Leaves alone: layers whose result others read too or that have a fused clamp; layers after the operator that pad
//!   their input, unless there are factors only.

mod affine;
mod layer;

use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::{Float, Graph, NodeId, Op, Rewriter, TensorId};
pub(super) use affine::Affine;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldBatchNorm;

impl Pass<Float> for FoldBatchNorm {
    fn name(&self) -> &'static str {
        "fold_batch_norm"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "fold_batch_norm", report, |graph, node| {
            let affine = Affine::of(graph, node)?;
            fold_back(graph, node, &affine).or_else(|| fold_forth(graph, node, &affine))
        }))
    }
}

/// Into the layer that writes the operator's input.
fn fold_back(graph: &mut Rewriter<'_, Float>, node: NodeId, affine: &Affine) -> Option<()> {
    let writer = layer_before(graph, affine.input)?;
    let folded = layer::folded_back(graph, writer, affine)?;
    if let Some(activation) = graph[node].op.clone().activation_mut() {
        let mut op = graph[writer].op.clone();
        *op.activation_mut()? = *activation;
        graph.set_op(writer, op);
    }
    layer::replace(graph, writer, folded);
    graph.absorb(node, affine.input).then_some(())
}

/// The layer whose channels the tensor has, perhaps under another shape, if nobody else reads them.
fn layer_before(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<NodeId> {
    let writer = graph.sole_writer(tensor)?;
    if !matches!(graph[writer].op, Op::Reshape(_)) {
        return Some(writer);
    }
    let input = graph[writer].input(0)?;
    let same_channels = graph[input].shape.last() == graph[tensor].shape.last();
    layer_before(graph, input).filter(|_| same_channels)
}

/// Into the layer that reads the operator's output.
fn fold_forth(graph: &mut Rewriter<'_, Float>, node: NodeId, affine: &Affine) -> Option<()> {
    let output = graph[node].output()?;
    let has_activation = graph[node].op.clone().activation_mut().is_some_and(|a| *a != Default::default());
    let mut read = output;
    let mut reader = graph.sole_reader(output)?;
    // A flattened image keeps its channels in turn.
    while matches!(graph[reader].op, Op::Reshape(_)) {
        read = graph[reader].output()?;
        reader = graph.sole_reader(read)?;
    }
    if has_activation || graph[reader].input(0) != Some(read) {
        return None;
    }
    let direct = read == output;
    let folded = layer::folded_forth(graph, reader, affine, direct)?;
    if !graph.bypass(node, affine.input) {
        return None;
    }
    layer::replace(graph, reader, folded);
    Some(())
}

#[cfg(test)]
mod tests;
