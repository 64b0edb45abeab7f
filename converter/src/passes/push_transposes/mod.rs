//! Moves transpositions towards the outputs, where they meet their opposites and cancel.
//!
//! Importers of formats whose images are NCHW put a transposition before each operator that wants NHWC, and one after it.
//! Here transpositions and reshapes are held back: a tensor is remembered as another tensor whose elements lie in another
//! order, and an operator that can work in that order does, its axes renamed and its constants reordered. Only where one
//! cannot is the transposition written out.
//!
//! ```text
//! node Transpose(%0) -> %1 permutation=[0,3,1,2]         node Relu(%0) -> %2
//! node Relu(%1) -> %2                               =>   node MaxPool2d(%2) -> %4
//! node Transpose(%2) -> %3 permutation=[0,2,3,1]
//! node MaxPool2d(%3) -> %4
//! ```
//!
//! - Needs: constants folded ([`super::FoldConstants`]), so that they are seen as constants.
//! - Gives: no more moved elements than before, and no transposition that only moves axes of 1. A fully connected layer
//!   reads a flattened image as it lies, its filter's columns reordered. A graph input becomes NHWC (or NWC) where that
//!   spares transpositions; [`Report::turned_inputs`] tells. Outputs keep their shapes and the order of their elements.
//! - Leaves alone: graphs in which nothing is to be gained.

mod arrangement;
mod layers;
mod operators;
mod pusher;

use std::collections::BTreeSet;

use super::{Changed, Pass, PassError, Report};
use crate::ir::{Float, Graph, Op, Shape, TensorId};
use arrangement::{Arrangement, inverse};
use pusher::Pusher;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushTransposes;

/// An input of the graph whose axes have another order than in the source model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedInput {
    /// The input's name.
    pub name: String,
    /// Its shape in the source model.
    pub before: Shape,
    /// Its shape now.
    pub after: Shape,
    /// Axis `i` of the input is axis `permutation[i]` of the source model's.
    pub permutation: Vec<usize>,
}

/// Most inputs that are tried in another order, each at the price of one more attempt on the whole graph.
const MOST_TURNED: usize = 16;

impl Pass<Float> for PushTransposes {
    fn name(&self) -> &'static str {
        "push_transposes"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        let before = Cost::of(graph);
        if before.transposes == 0 && before.reshapes == 0 {
            return Ok(Changed::No);
        }
        let candidates: Vec<TensorId> = graph.inputs().iter().copied().take(MOST_TURNED).collect();
        let candidates = candidates
            .into_iter()
            .filter(|&input| before.transposes > 0 && to_channels_last(graph, input).is_some());
        let candidates: Vec<TensorId> = candidates.collect();
        let mut best = None;
        let mut least = before;
        for eager in [true, false] {
            let (cost, result, turned) = attempt_turning(graph, eager, &candidates);
            if cost < least {
                least = cost;
                best = Some((result, turned));
            }
        }
        let Some((result, turned)) = best else { return Ok(Changed::No) };
        for input in turned {
            let Some(permutation) = to_channels_last(graph, input) else { continue };
            let before = graph[input].shape.clone();
            let after = permutation.iter().map(|&axis| before[axis]).collect();
            let name = graph[input].name.clone();
            report.turned_inputs.push(TurnedInput { name, before, after, permutation });
        }
        report.count("push_transposes", 1);
        *graph = result;
        Ok(Changed::Yes)
    }
}

/// The cheapest graph that is found by turning one input after another.
fn attempt_turning(
    graph: &Graph<Float>,
    eager: bool,
    candidates: &[TensorId],
) -> (Cost, Graph<Float>, BTreeSet<TensorId>) {
    let attempt = |turned: &BTreeSet<TensorId>| {
        let result = Pusher::push(graph, eager, turned);
        (Cost::of(&result), result)
    };
    let mut turned = BTreeSet::new();
    let (mut cost, mut result) = attempt(&turned);
    for &input in candidates {
        turned.insert(input);
        let (new_cost, new_result) = attempt(&turned);
        if new_cost < cost {
            (cost, result) = (new_cost, new_result);
        } else {
            turned.remove(&input);
        }
    }
    (cost, result, turned)
}

/// The permutation that puts the channels of an image, or of a sequence, last.
fn to_channels_last(graph: &Graph<Float>, input: TensorId) -> Option<Vec<usize>> {
    match graph[input].shape.rank() {
        3 => Some(vec![0, 2, 1]),
        4 => Some(vec![0, 2, 3, 1]),
        _ => None,
    }
}

/// What a graph spends on moving elements about; the first field counts most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    /// Elements that transpositions move.
    moved: usize,
    transposes: usize,
    reshapes: usize,
}

impl Cost {
    fn of(graph: &Graph<Float>) -> Self {
        let mut cost = Cost { moved: 0, transposes: 0, reshapes: 0 };
        for node in graph.nodes() {
            match (&node.op, graph.input_of(node, 0)) {
                (Op::Transpose(transpose), Some(input)) => {
                    let arrangement = Arrangement::new(&input.shape, &transpose.permutation);
                    cost.moved += if arrangement.is_identity() { 0 } else { arrangement.elements() };
                    cost.transposes += 1;
                }
                (Op::Reshape(_), _) => cost.reshapes += 1,
                _ => {}
            }
        }
        cost
    }
}

#[cfg(test)]
mod tests;
