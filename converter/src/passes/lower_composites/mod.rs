//! Rewrites operators that the int8 runtime does not have into those that it has.
//!
//! | module | operators |
//! |---|---|
//! | `arithmetic` | division and subtraction of constants, least elements, slopes below 0, clamped joins |
//! | `layers` | convolutions of single channels, factors per channel, averages that count padding |
//! | `moves` | repetition and gathering |
//!
//! ```text
//! node AveragePool2d(%0) -> %1 filter=[3,3]         =>   node Pad(%0) -> %2 before=[0,1,1,0] after=[0,1,1,0] value=0
//!   padding=[1,1,1,1] count_padding=true                 node AveragePool2d(%2) -> %1 filter=[3,3]
//! ```
//!
//! - Needs: all other passes on float graphs to have had their turn: what is left of a batch normalization becomes a
//!   layer here.
//! - Gives: the same results but for rounding. An index that is an output of the graph becomes an i32.
//! - Leaves alone: what needs more than a few nodes in exchange, or constants that are not there.

mod arithmetic;
mod layers;
mod moves;

use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::Reshape;
use crate::ir::{DType, Float, Graph, Node, NodeId, Op, Rewriter, Shape, Tensor, TensorId};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct LowerComposites;

impl Pass<Float> for LowerComposites {
    fn name(&self) -> &'static str {
        "lower_composites"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "lower_composites", report, lower))
    }
}

fn lower(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    match graph[node].op.clone() {
        Op::Div(div) => {
            layers::scale_channels(graph, node).or_else(|| arithmetic::division(graph, node, &div))
        }
        Op::Mul(_) | Op::BatchNormalization(_) => layers::scale_channels(graph, node),
        Op::Sub(sub) => arithmetic::subtraction(graph, node, &sub),
        Op::ReduceMin(reduce) => arithmetic::reduce_min(graph, node, &reduce),
        Op::ReduceMax(reduce) => arithmetic::reduce_max(graph, node, &reduce),
        Op::ArgMin(arg) => arithmetic::arg_min(graph, node, &arg),
        Op::ArgMax(_) => arithmetic::narrow_index(graph, node),
        Op::PRelu => arithmetic::p_relu(graph, node),
        Op::Concatenation(join) => arithmetic::clamped_join(graph, node, &join),
        Op::Conv2d(conv) => layers::depthwise(graph, node, &conv),
        Op::AveragePool2d(pool) => layers::counted_padding(graph, node, &pool),
        Op::BroadcastTo(broadcast) => moves::broadcast(graph, node, &broadcast.shape),
        Op::Tile(tile) => moves::tile(graph, node, &tile.repeats),
        Op::Gather(gather) => moves::gather(graph, node, gather.axis),
        _ => None,
    }
}

/// Adds a node before another, whose name it takes, and gives the tensor that it writes.
fn before(
    graph: &mut Rewriter<'_, Float>,
    node: NodeId,
    op: Op,
    inputs: &[TensorId],
    dtype: DType,
    shape: impl Into<Shape>,
) -> TensorId {
    let output = graph.add_tensor(Tensor::new("", dtype, shape));
    let name = graph[node].name.clone();
    graph.insert_before(node, Node::new(name, op, inputs.iter().copied(), output));
    output
}

/// The tensor under another shape, by a node before `node`.
fn reshaped(graph: &mut Rewriter<'_, Float>, node: NodeId, tensor: TensorId, shape: &Shape) -> TensorId {
    if graph[tensor].shape == *shape {
        return tensor;
    }
    let dtype = graph[tensor].dtype;
    before(graph, node, Op::Reshape(Reshape { shape: shape.clone() }), &[tensor], dtype, shape.clone())
}

/// Puts an operator in a node's place, whose output it writes.
fn put(graph: &mut Rewriter<'_, Float>, node: NodeId, op: Op, inputs: &[TensorId]) {
    graph.set_op(node, op);
    graph.set_inputs(node, inputs.iter().copied().map(Some).collect());
}

#[cfg(test)]
mod tests;
