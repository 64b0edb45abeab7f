//! Fuses clamps into the operators that write what they clamp, and clamps of clamps into one.
//!
//! ```text
//! node Conv2d(%0, %1) -> %2                         =>   node Conv2d(%0, %1) -> %3 activation="Relu"
//! node Relu(%2) -> %3
//! ```
//!
//! - Needs: batch normalizations folded ([`super::FoldBatchNorm`]), which a fused clamp keeps where they are.
//! - Gives: operators that clamp what they write; what they write has the clamp's name. Clamps to bounds that have a name
//!   have it: `Clip low=0 high=6` becomes `Relu6`. Reshapes are looked through.
//! - Leaves alone: clamps of what others read too, clamps to other bounds after an operator, and clamps of joined
//!   tensors.

use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::Clip;
use crate::ir::{Activation, Float, Graph, NodeId, Op, Rewriter, TensorId};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuseActivation;

impl Pass<Float> for FuseActivation {
    fn name(&self) -> &'static str {
        "fuse_activation"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "fuse_activation", report, |graph, node| {
            let bounds = bounds(&graph[node].op)?;
            fuse(graph, node, bounds).or_else(|| name(graph, node, bounds))
        }))
    }
}

/// What an operator clamps to that does nothing else.
fn bounds(op: &Op) -> Option<(f32, f32)> {
    Some(match op {
        Op::Relu => Activation::Relu.bounds(),
        Op::Relu6 => Activation::Relu6.bounds(),
        Op::ReluN1To1 => Activation::ReluN1To1.bounds(),
        Op::Clip(clip) => (clip.low, clip.high),
        _ => return None,
    })
}

fn activation((low, high): (f32, f32)) -> Option<Activation> {
    [Activation::None, Activation::Relu, Activation::Relu6, Activation::ReluN1To1]
        .into_iter()
        .find(|activation| activation.bounds() == (low, high))
}

/// The bounds of two clamps together, if they overlap.
fn both(first: (f32, f32), second: (f32, f32)) -> Option<(f32, f32)> {
    let (low, high) = (first.0.max(second.0), first.1.min(second.1));
    (low <= high).then_some((low, high))
}

fn fuse(graph: &mut Rewriter<'_, Float>, node: NodeId, clamp: (f32, f32)) -> Option<()> {
    let input = graph[node].input(0)?;
    let writer = writer(graph, input)?;
    let mut op = graph[writer].op.clone();
    if let Some(inner) = bounds(&op) {
        let (low, high) = both(inner, clamp)?;
        op = Op::Clip(Clip { low, high });
    } else {
        let fused = op.activation_mut()?;
        *fused = activation(both(fused.bounds(), clamp)?)?;
    }
    if matches!(op, Op::Concatenation(_)) {
        return None;
    }
    graph.set_op(writer, op);
    graph.absorb(node, input).then_some(())
}

/// The node that computes what only the clamp reads, perhaps under another shape.
fn writer(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<NodeId> {
    let writer = graph.sole_writer(tensor)?;
    match graph[writer].op {
        Op::Reshape(_) => self::writer(graph, graph[writer].input(0)?),
        _ => Some(writer),
    }
}

/// Gives a clamp to bounds that have a name that name.
fn name(graph: &mut Rewriter<'_, Float>, node: NodeId, bounds: (f32, f32)) -> Option<()> {
    let op = match activation(bounds)? {
        Activation::None => return None,
        Activation::Relu => Op::Relu,
        Activation::Relu6 => Op::Relu6,
        Activation::ReluN1To1 => Op::ReluN1To1,
    };
    if graph[node].op == op {
        return None;
    }
    graph.set_op(node, op);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rewrites, stays};
    use super::*;

    #[test]
    fn a_clamp_becomes_part_of_the_layer_before() {
        rewrites(
            &FuseActivation,
            r#"graph "g" float
%0 "x" f32[1,2]
%1 "filter" f32[2,2] = [1.0,2.0,3.0,4.0]
%2 "layer" f32[1,2]
%3 "column" f32[2,1]
%4 "act" f32[2,1]
%5 "capped" f32[2,1]
%6 "tanh" f32[2,1]
%7 "y" f32[2,1]
inputs %0
outputs %7
node "layer" FullyConnected(%0, %1) -> %2 keep_dims=false
node "column" Reshape(%2) -> %3 shape=[2,1]
node "act" Relu(%3) -> %4
node "cap" Clip(%4) -> %5 low=-1.0 high=6.0
node "tanh" Tanh(%5) -> %6
node "positive" Clip(%6) -> %7 low=0.0 high="inf"
"#,
            r#"graph "g" float
%0 "x" f32[1,2]
%1 "filter" f32[2,2] = [1.0,2.0,3.0,4.0]
%2 "layer" f32[1,2]
%3 "capped" f32[2,1]
%4 "tanh" f32[2,1]
%5 "y" f32[2,1]
inputs %0
outputs %5
node "layer" FullyConnected(%0, %1) -> %2 activation="Relu6" keep_dims=false
node "column" Reshape(%2) -> %3 shape=[2,1]
node "tanh" Tanh(%3) -> %4
node "positive" Relu(%4) -> %5
"#,
        );
    }

    #[test]
    fn clamps_of_shared_results_and_to_odd_bounds_stay() {
        stays(
            &FuseActivation,
            r#"graph "g" float
%0 "x" f32[2]
%1 "sum" f32[2]
%2 "act" f32[2]
%3 "product" f32[2]
%4 "y" f32[2]
inputs %0
outputs %4
node "sum" Add(%0, %0) -> %1
node "act" Relu(%1) -> %2
node "product" Mul(%1, %2) -> %3
node "odd" Clip(%3) -> %4 low=0.0 high=5.0
"#,
        );
    }
}
