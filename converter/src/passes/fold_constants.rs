//! Computes what depends on constants alone.
//!
//! ```text
//! %1 "a" f32[2] = [1.0,2.0]
//! %2 "b" f32[2]                               %2 "b" f32[2] = [-1.0,-2.0]
//! node "negated" Neg(%1) -> %2           =>   node "sum" Add(%0, %2) -> %3
//! node "sum" Add(%0, %2) -> %3
//! ```
//!
//! - Needs: nothing beyond a well-formed graph.
//! - Gives: every value that executing the operator would give, as data.
//! - Leaves alone: operators whose results are much larger than their inputs ([`MOST_GROWTH`]), so that a small file
//!   cannot demand much memory.

use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::float::evaluate_as;
use crate::ir::{Float, Graph, NodeId, Rewriter, Tensor};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldConstants;

/// The results of a node may have so many times the bytes of its inputs.
pub const MOST_GROWTH: usize = 4;

/// Results of so many bytes are always computed.
pub const ALWAYS: usize = 4096;

impl Pass<Float> for FoldConstants {
    fn name(&self) -> &'static str {
        "fold_constants"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "fold_constants", report, fold))
    }
}

fn fold(graph: &mut Rewriter<'_, Float>, id: NodeId) -> Option<()> {
    let node = &graph[id];
    let inputs: Vec<Option<&Tensor>> = node.inputs.iter().map(|input| input.map(|id| &graph[id])).collect();
    if inputs.iter().all(Option::is_none) || inputs.iter().flatten().any(|input| !input.is_constant()) {
        return None;
    }
    let outputs: Vec<&Tensor> = node.outputs.iter().map(|&id| &graph[id]).collect();
    let sizes =
        |tensors: &[&Tensor]| tensors.iter().map(|tensor| tensor.byte_len()).collect::<Option<Vec<_>>>();
    let present: Vec<&Tensor> = inputs.iter().copied().flatten().collect();
    let sum = |sizes: Vec<usize>| sizes.into_iter().fold(0, usize::saturating_add);
    let (before, after) = (sum(sizes(&present)?), sum(sizes(&outputs)?));
    if after > before.saturating_mul(MOST_GROWTH).max(ALWAYS) {
        return None;
    }
    let values = evaluate_as(&node.op, &inputs, &outputs)?;
    let outputs = node.outputs.clone();
    graph.remove(id);
    for (output, value) in outputs.into_iter().zip(values) {
        graph.tensor_mut(output).data = value.data;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rewrites, stays};
    use super::*;

    const BEFORE: &str = r#"graph "g" float
%0 "x" f32[2]
%1 "a" f32[2] = [1.0,2.0]
%2 "b" f32[2]
%3 "y" f32[2]
inputs %0
outputs %3
node "negated" Neg(%1) -> %2
node "sum" Add(%0, %2) -> %3
"#;

    #[test]
    fn what_depends_on_constants_becomes_one() {
        let after = r#"graph "g" float
%0 "x" f32[2]
%1 "b" f32[2] = [-1.0,-2.0]
%2 "y" f32[2]
inputs %0
outputs %2
node "sum" Add(%0, %1) -> %2
"#;
        rewrites(&FoldConstants, BEFORE, after);
    }

    #[test]
    fn results_that_are_far_larger_stay_to_be_computed() {
        stays(
            &FoldConstants,
            r#"graph "g" float
%0 "x" f32[2048]
%1 "one" f32[1] = [1.0]
%2 "ones" f32[2048]
%3 "y" f32[2048]
inputs %0
outputs %3
node "grown" BroadcastTo(%1) -> %2 shape=[2048]
node "sum" Add(%0, %2) -> %3
"#,
        );
    }
}
