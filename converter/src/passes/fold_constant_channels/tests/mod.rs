//! Text in, text out; then random networks, run before and after.

mod networks;
mod properties;
mod rewrites;

use super::*;
use crate::ir::check::check;

/// Runs the pass.
fn fold(graph: &mut Graph<Quantized>) -> (Changed, Folding) {
    let mut report = Report::default();
    let changed = FoldConstantChannels.run(graph, &mut report).unwrap();
    assert_eq!(check(graph), Ok(()));
    (changed, report.folding.unwrap())
}
