//! Drops nodes that no output depends on, and tensors that nobody uses.
//!
//! ```text
//! node "first" Relu(%0) -> %1                 node "first" Relu(%0) -> %1
//! node "dead" Tanh(%0) -> %2           =>     outputs %1
//! outputs %1
//! ```
//!
//! - Needs: nodes in running order.
//! - Gives: every node and every tensor is needed for an output, or is an input of the graph. Ids change.
//! - Leaves alone: inputs that nobody reads, which the caller fills all the same.

use super::{Changed, Pass, PassError, Report};
use crate::ir::{Graph, State};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct RemoveDead;

impl<S: State> Pass<S> for RemoveDead {
    fn name(&self) -> &'static str {
        "remove_dead"
    }

    fn run(&self, graph: &mut Graph<S>, report: &mut Report) -> Result<Changed, PassError> {
        let tensors = graph.tensors().len();
        let removed = graph.compact();
        report.dead_nodes += removed;
        Ok(if removed > 0 || graph.tensors().len() < tensors { Changed::Yes } else { Changed::No })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;
    use crate::ir::{Float, check::check};

    const BEFORE: &str = r#"graph "g" float
%0 "x" f32[2]
%1 "spare" f32[2]
%2 "y" f32[2]
%3 "z" f32[2]
%4 "unused" f32[1] = [1.0]
inputs %0 %1
outputs %2
node "first" Relu(%0) -> %2
node "dead" Tanh(%2) -> %3
"#;
    const AFTER: &str = r#"graph "g" float
%0 "x" f32[2]
%1 "spare" f32[2]
%2 "y" f32[2]
inputs %0 %1
outputs %2
node "first" Relu(%0) -> %2
"#;

    fn run(graph: &mut Graph<Float>) -> (Changed, usize) {
        let mut report = Report::default();
        let changed = RemoveDead.run(graph, &mut report).unwrap();
        (changed, report.dead_nodes)
    }

    #[test]
    fn what_no_output_needs_is_gone() {
        let mut graph = parse::<Float>(BEFORE).unwrap();
        assert_eq!(run(&mut graph), (Changed::Yes, 1));
        assert_eq!(graph.to_string(), AFTER);
        assert_eq!(check(&graph), Ok(()));
    }

    #[test]
    fn a_graph_without_dead_parts_stays_as_it_is() {
        let mut graph = parse::<Float>(AFTER).unwrap();
        assert_eq!(run(&mut graph), (Changed::No, 0));
        assert_eq!(graph.to_string(), AFTER);
    }
}
