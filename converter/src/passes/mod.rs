//! Rewrites of a graph, each in a file of its own and listed in one table.
//!
//! A pass takes a checked graph and gives a graph that the driver checks again. It tells what it did in the [`Report`].
//! Every pass says in its documentation what it needs, what it gives and what it leaves alone.
//!
//! | pass | on | does |
//! |---|---|---|
//! | [`RemoveDead`] | any graph | drops what no output depends on |
//! | [`FoldConstantChannels`] | quantized | drops channels that are the same for every input, exactly |

pub mod fold_constant_channels;
pub mod remove_dead;

use thiserror::Error;

pub use fold_constant_channels::FoldConstantChannels;
pub use remove_dead::RemoveDead;

use crate::ir::check::check;
use crate::ir::{Graph, Problem, Quantized, State};

/// One rewrite of a graph in state `S`.
pub trait Pass<S: State> {
    /// The pass's name, for messages.
    fn name(&self) -> &'static str;

    /// Rewrites the graph, which is well-formed, and tells what was done.
    ///
    /// # Errors
    /// What in the graph keeps the pass from its work.
    fn run(&self, graph: &mut Graph<S>, report: &mut Report) -> Result<Changed, PassError>;
}

/// Whether a pass changed the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The graph is another one.
    Yes,
    /// The graph is as it was.
    No,
}

/// Why a pass could not do its work, or that it did it badly.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("pass {pass} (please report this): {}", lines(.problems))]
pub struct PassError {
    /// The pass.
    pub pass: &'static str,
    /// What is wrong with the graph.
    pub problems: Vec<Problem>,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

/// What the passes did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// Nodes removed because no output depends on them.
    pub dead_nodes: usize,
    /// Channels folded away; `None` if the pass did not run.
    pub folding: Option<fold_constant_channels::Folding>,
}

/// Which passes are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Whether constant channels are folded away.
    pub fold: bool,
}

/// The passes on a quantized graph, in the order they run.
pub fn quantized(choice: Choice) -> Vec<Box<dyn Pass<Quantized>>> {
    let mut passes: Vec<Box<dyn Pass<Quantized>>> = vec![Box::new(RemoveDead)];
    if choice.fold {
        passes.push(Box::new(FoldConstantChannels));
    }
    passes
}

/// Runs passes one after another and checks the graph after each.
///
/// # Errors
/// The first pass that fails or leaves a graph that is not well-formed.
pub fn run<S: State>(graph: &mut Graph<S>, passes: &[Box<dyn Pass<S>>]) -> Result<Report, PassError> {
    let mut report = Report::default();
    for pass in passes {
        if pass.run(graph, &mut report)? == Changed::Yes {
            check(graph).map_err(|problems| PassError { pass: pass.name(), problems })?;
        }
    }
    Ok(report)
}
