//! What the tests of all passes share, and the property that all passes have.

mod generator;
mod random_graphs;

use super::{Changed, Pass, RemoveDead, Report};
use crate::ir::check::check;
use crate::ir::text::{parse, print};
use crate::ir::{Float, Graph};

/// The graph after a pass, without what has become dead, and whether the pass changed it.
pub(super) fn run(pass: &dyn Pass<Float>, text: &str) -> (Graph<Float>, Changed) {
    let mut graph: Graph<Float> = parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"));
    assert_eq!(check(&graph), Ok(()), "{text}");
    let changed = pass.run(&mut graph, &mut Report::default()).unwrap();
    assert_eq!(check(&graph), Ok(()), "{graph}");
    if changed == Changed::Yes {
        RemoveDead.run(&mut graph, &mut Report::default()).unwrap();
    }
    (graph, changed)
}

/// Asserts that a pass makes one graph from another, and nothing more the next time.
#[track_caller]
pub(super) fn rewrites(pass: &dyn Pass<Float>, before: &str, after: &str) {
    let (graph, changed) = run(pass, before);
    let text = print(&graph, 1024);
    assert_eq!(text, after, "\n{text}\n{after}");
    assert_eq!(changed, Changed::Yes);
    stays(pass, &text);
}

/// Asserts that a pass leaves a graph as it is.
#[track_caller]
pub(super) fn stays(pass: &dyn Pass<Float>, text: &str) {
    let (graph, changed) = run(pass, text);
    assert_eq!(changed, Changed::No, "{graph}");
    assert_eq!(graph, parse(text).unwrap());
}
