//! Computes once what several nodes compute from the same inputs.
//!
//! ```text
//! node Tanh(%0) -> %1                                    node Tanh(%0) -> %1
//! node Tanh(%0) -> %2                               =>   node Add(%1, %1) -> %3
//! node Add(%1, %2) -> %3
//! ```
//!
//! - Needs: nothing beyond a well-formed graph.
//! - Gives: of nodes with one operator, the same attributes and the same inputs, the first is read by all.
//! - Leaves alone: equal constants, nodes of several outputs, and nodes that both write outputs of the graph.

use std::collections::HashMap;

use super::{Changed, Pass, PassError, Report};
use crate::ir::{Float, Graph, NodeId, Rewriter, TensorId};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeDuplicates;

impl Pass<Float> for MergeDuplicates {
    fn name(&self) -> &'static str {
        "merge_duplicates"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        let mut rewriter = Rewriter::new(graph);
        let mut seen: HashMap<(String, Vec<Option<TensorId>>), NodeId> = HashMap::new();
        let mut merged = 0;
        for id in rewriter.node_ids().collect::<Vec<_>>() {
            let node = &rewriter[id];
            let Some(output) = node.output().filter(|_| node.outputs.len() == 1) else { continue };
            let key = (format!("{:?}", node.op), node.inputs.clone());
            let Some(&first) = seen.get(&key) else {
                seen.insert(key, id);
                continue;
            };
            let Some(same) = rewriter[first].output() else { continue };
            let (old, new) = (&rewriter[output], &rewriter[same]);
            let alike = old.dtype == new.dtype && old.quantization == new.quantization;
            merged += usize::from(alike && rewriter.bypass(id, same));
        }
        rewriter.finish();
        report.count("merge_duplicates", merged);
        Ok(if merged > 0 { Changed::Yes } else { Changed::No })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{rewrites, stays};
    use super::*;

    #[test]
    fn equal_nodes_are_computed_once() {
        rewrites(
            &MergeDuplicates,
            r#"graph "g" float
%0 "x" f32[2,3]
%1 "a" f32[3,2]
%2 "b" f32[3,2]
%3 "c" f32[3,2]
%4 "d" f32[3,2]
%5 "y" f32[3,2]
inputs %0
outputs %2 %5
node "first" Transpose(%0) -> %1 permutation=[1,0]
node "second" Transpose(%0) -> %2 permutation=[1,0]
node "third" Relu(%1) -> %3
node "fourth" Relu(%2) -> %4
node "sum" Add(%3, %4) -> %5
"#,
            r#"graph "g" float
%0 "x" f32[2,3]
%1 "b" f32[3,2]
%2 "c" f32[3,2]
%3 "y" f32[3,2]
inputs %0
outputs %1 %3
node "first" Transpose(%0) -> %1 permutation=[1,0]
node "third" Relu(%1) -> %2
node "sum" Add(%2, %2) -> %3
"#,
        );
    }

    #[test]
    fn attributes_count() {
        stays(
            &MergeDuplicates,
            r#"graph "g" float
%0 "x" f32[2]
%1 "a" f32[2]
%2 "b" f32[2]
%3 "y" f32[2]
inputs %0
outputs %3
node "first" LeakyRelu(%0) -> %1 alpha=0.5
node "second" LeakyRelu(%0) -> %2 alpha=0.25
node "sum" Add(%1, %2) -> %3
"#,
        );
    }
}
