//! Removes operators that do nothing, and merges moves that follow each other.
//!
//! ```text
//! node Reshape(%0) -> %1 shape=[4,2]
//! node Reshape(%1) -> %2 shape=[8]                  =>   node Reshape(%0) -> %2 shape=[8]
//! node Mul(%2, %one) -> %3                               node Relu(%2) -> %4
//! node Relu(%3) -> %4
//! ```
//!
//! - Needs: nothing beyond a well-formed graph.
//! - Gives: what is read before an operator without effect is read instead. Slices of everything, reductions over axes of
//!   1, and joins and cuts of one part that change the shape become reshapes. Operands that were repeated only to fit the
//!   other operand of an arithmetic operator are not repeated.
//! - Leaves alone: operators that stand between an input or a constant and an output of the graph.

use super::constants::uniform;
use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::{Pool2d, Reduce, Reshape, Transpose};
use crate::ir::{Activation, Float, Graph, Hw, Node, NodeId, Op, Padding, Rewriter, TensorId};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveIdentities;

impl Pass<Float> for RemoveIdentities {
    fn name(&self) -> &'static str {
        "remove_identities"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "remove_identities", report, |graph, node| {
            remove(graph, node)
                .or_else(|| reshape_instead(graph, node))
                .or_else(|| merge(graph, node))
                .or_else(|| skip_broadcast(graph, node))
        }))
    }
}

fn remove(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    let &[output] = node.outputs.as_slice() else { return None };
    let same = undone(graph, node).or_else(|| unchanged(graph, node))?;
    let alike = graph[same].shape == graph[output].shape && graph[same].dtype == graph[output].dtype;
    (alike && graph.bypass(id, same)).then_some(())
}

/// The input whose elements the node writes in the same order.
fn unchanged(graph: &Graph<Float>, node: &Node) -> Option<TensorId> {
    let input = node.input(0)?;
    let shape = &graph[input].shape;
    let same_shape = *shape == graph[node.output()?].shape;
    let is = |slot: usize, value: f64| uniform(graph, node.input(slot)) == Some(value);
    let holds = match &node.op {
        Op::Reshape(_) | Op::BroadcastTo(_) | Op::Tile(_) | Op::Pad(_) => same_shape,
        Op::Cast(cast) => cast.to == graph[input].dtype,
        Op::Transpose(transpose) => transpose.permutation.is_sorted(),
        Op::Clip(clip) => clip.low == f32::NEG_INFINITY && clip.high == f32::INFINITY,
        Op::Concatenation(join) => node.inputs.len() == 1 && join.activation == Activation::None,
        Op::Split(_) => node.outputs.len() == 1,
        Op::StridedSlice(slice) => takes_all(shape, &slice.axes),
        Op::ResizeNearest(_) | Op::ResizeBilinear(_) => same_shape,
        Op::AveragePool2d(pool) | Op::MaxPool2d(pool) => is_single(pool),
        Op::Mean(reduce)
        | Op::Sum(reduce)
        | Op::ReduceMax(reduce)
        | Op::ReduceMin(reduce)
        | Op::ReduceProd(reduce) => reduces_ones(shape, reduce),
        Op::Pack(_) => node.inputs.len() == 1,
        Op::Unpack(_) => node.outputs.len() == 1,
        Op::Add(add) if add.activation == Activation::None && is(0, 0.0) => return node.input(1),
        Op::Mul(mul) if mul.activation == Activation::None && is(0, 1.0) => return node.input(1),
        Op::Add(arithmetic) | Op::Sub(arithmetic) => arithmetic.activation == Activation::None && is(1, 0.0),
        Op::Mul(arithmetic) | Op::Div(arithmetic) => arithmetic.activation == Activation::None && is(1, 1.0),
        _ => false,
    };
    holds.then_some(input)
}

/// What an operator that is its own reverse was applied to before.
fn undone(graph: &Rewriter<'_, Float>, node: &Node) -> Option<TensorId> {
    let before = &graph[graph.writer(node.input(0)?)?];
    match (&node.op, &before.op) {
        (Op::Neg, Op::Neg) => before.input(0),
        _ => None,
    }
}

fn takes_all(shape: &[usize], axes: &[crate::ir::attributes::SliceAxis]) -> bool {
    axes.iter().zip(shape).all(|(axis, &size)| axis.count == size && (axis.stride == 1 || size == 1))
}

fn is_single(pool: &Pool2d) -> bool {
    let one = Hw::square(1);
    pool.filter == one
        && pool.stride == one
        && pool.padding == Padding::NONE
        && pool.activation == Activation::None
}

fn reduces_ones(shape: &[usize], reduce: &Reduce) -> bool {
    reduce.axes.iter().all(|&axis| shape[axis] == 1)
}

/// An operator that changes nothing but the shape becomes a reshape.
fn reshape_instead(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    if matches!(
        node.op,
        Op::Reshape(_) | Op::BroadcastTo(_) | Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_)
    ) {
        return None;
    }
    let (input, output) = (unchanged(graph, node)?, node.output()?);
    let shape = graph[output].shape.clone();
    if graph[input].shape == shape {
        return None;
    }
    graph.set_op(id, Op::Reshape(Reshape { shape }));
    Some(())
}

/// A move of what has just been moved.
fn merge(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    let before = &graph[graph.writer(node.input(0)?)?];
    let source = before.input(0)?;
    let op = match (&before.op, &node.op) {
        (Op::Reshape(_), Op::Reshape(_)) => node.op.clone(),
        (Op::Transpose(first), Op::Transpose(second)) => Op::Transpose(Transpose {
            permutation: second.permutation.iter().map(|&axis| first.permutation[axis]).collect(),
        }),
        _ => return None,
    };
    graph.set_op(id, op);
    graph.set_input(id, 0, source);
    Some(())
}

/// Arithmetic broadcasts by itself.
fn skip_broadcast(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    if !matches!(node.op, Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Maximum | Op::Minimum) {
        return None;
    }
    let output = &graph[node.output()?].shape;
    for slot in [0, 1] {
        let Some(writer) = graph.writer(node.input(slot)?) else { continue };
        let other = &graph[node.input(1 - slot)?].shape;
        let Some(source) = graph[writer].input(0) else { continue };
        let is_broadcast = matches!(graph[writer].op, Op::BroadcastTo(_));
        if is_broadcast && graph[source].shape.broadcast(other).as_ref() == Some(output) {
            graph.set_input(id, slot, source);
            return Some(());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rewrites, stays};
    use super::*;

    #[test]
    fn what_does_nothing_is_gone() {
        rewrites(
            &RemoveIdentities,
            r#"graph "g" float
%0 "x" f32[1,2,2,2]
%1 "a" f32[1,2,2,2]
%2 "b" f32[1,2,2,2]
%3 "c" f32[1,2,2,2]
%4 "one" f32[1] = [1.0]
%5 "d" f32[1,2,2,2]
%6 "e" f32[1,2,2,2]
%7 "f" f32[2,2,2]
%8 "y" f32[2,2,2]
inputs %0
outputs %8
node "relu" Relu(%0) -> %1
node "cast" Cast(%1) -> %2 to="f32"
node "clip" Clip(%2) -> %3 low="-inf" high="inf"
node "mul" Mul(%4, %3) -> %5
node "pool" MaxPool2d(%5) -> %6 filter=[1,1] stride=[1,1]
node "mean" Mean(%6) -> %7 axes=[0] keep_dims=false
node "tanh" Tanh(%7) -> %8
"#,
            r#"graph "g" float
%0 "x" f32[1,2,2,2]
%1 "a" f32[1,2,2,2]
%2 "f" f32[2,2,2]
%3 "y" f32[2,2,2]
inputs %0
outputs %3
node "relu" Relu(%0) -> %1
node "mean" Reshape(%1) -> %2 shape=[2,2,2]
node "tanh" Tanh(%2) -> %3
"#,
        );
    }

    #[test]
    fn moves_are_merged_and_broadcasts_left_to_arithmetic() {
        rewrites(
            &RemoveIdentities,
            r#"graph "g" float
%0 "x" f32[2,3,4]
%1 "a" f32[4,2,3]
%2 "b" f32[3,4,2]
%3 "c" f32[6,4]
%4 "row" f32[24]
%5 "z" f32[1]
%6 "wide" f32[24]
%7 "y" f32[24]
inputs %0 %5
outputs %7
node "t" Transpose(%0) -> %1 permutation=[2,0,1]
node "u" Transpose(%1) -> %2 permutation=[2,0,1]
node "r" Reshape(%2) -> %3 shape=[6,4]
node "s" Reshape(%3) -> %4 shape=[24]
node "w" BroadcastTo(%5) -> %6 shape=[24]
node "sum" Add(%6, %4) -> %7
"#,
            r#"graph "g" float
%0 "x" f32[2,3,4]
%1 "b" f32[3,4,2]
%2 "row" f32[24]
%3 "z" f32[1]
%4 "y" f32[24]
inputs %0 %3
outputs %4
node "u" Transpose(%0) -> %1 permutation=[1,2,0]
node "s" Reshape(%1) -> %2 shape=[24]
node "sum" Add(%3, %2) -> %4
"#,
        );
    }

    #[test]
    fn what_broadcasts_is_no_identity() {
        stays(
            &RemoveIdentities,
            r#"graph "g" float
%0 "x" f32[1,2]
%1 "zeros" f32[3,1] = [0.0,0.0,0.0]
%2 "y" f32[3,2]
inputs %0
outputs %2
node "spread" Add(%0, %1) -> %2
"#,
        );
    }

    #[test]
    fn an_output_that_is_an_input_keeps_its_operator() {
        stays(
            &RemoveIdentities,
            r#"graph "g" float
%0 "x" f32[2]
%1 "y" f32[2]
inputs %0
outputs %1
node "same" Reshape(%0) -> %1 shape=[2]
"#,
        );
    }
}
