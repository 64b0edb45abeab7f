//! Rewrites of a graph, each in a file of its own and listed in one table.
//!
//! A pass takes a checked graph and gives a graph that the driver checks again. It tells what it did in the [`Report`].
//! Every pass says in its documentation what it needs, what it gives and what it leaves alone.
//!
//! | pass | on | does |
//! |---|---|---|
//! | [`RemoveDead`] | any graph | drops what no output depends on |
//! | [`FoldConstants`] | float | computes what depends on constants alone |
//! | [`RemoveIdentities`] | float | removes what does nothing, merges moves that follow each other |
//! | [`RecognizeFunctions`] | float | recognizes functions that exporters have taken apart |
//! | [`PushTransposes`] | float | moves transpositions through the graph until they cancel |
//! | [`FoldBatchNorm`] | float | folds factors and summands of channels into layers |
//! | [`FoldPad`] | float | folds padding into the layer that reads it |
//! | [`FuseActivation`] | float | fuses clamps into the operators before them |
//! | [`FormDepthwise`] | float | turns layers that keep channels apart into depthwise convolutions |
//! | [`MergeDuplicates`] | float | computes once what several nodes compute |
//! | [`FoldConstantChannels`] | quantized | drops channels that are the same for every input, exactly |
//!
//! The passes on float graphs run over and over until none finds anything ([`normalize`]). They change results by rounding
//! only.

mod constants;
pub mod fold_batch_norm;
pub mod fold_constant_channels;
pub mod fold_constants;
pub mod fold_pad;
pub mod form_depthwise;
pub mod fuse_activation;
pub mod merge_duplicates;
pub mod push_transposes;
pub mod recognize_functions;
pub mod remove_dead;
pub mod remove_identities;

use std::collections::BTreeMap;

use thiserror::Error;

pub use fold_batch_norm::FoldBatchNorm;
pub use fold_constant_channels::FoldConstantChannels;
pub use fold_constants::FoldConstants;
pub use fold_pad::FoldPad;
pub use form_depthwise::FormDepthwise;
pub use fuse_activation::FuseActivation;
pub use merge_duplicates::MergeDuplicates;
pub use push_transposes::PushTransposes;
pub use recognize_functions::RecognizeFunctions;
pub use remove_dead::RemoveDead;
pub use remove_identities::RemoveIdentities;

use crate::ir::check::check;
use crate::ir::{Float, Graph, NodeId, Problem, Quantized, Rewriter, State};
use push_transposes::TurnedInput;

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
    /// How often each pass on float graphs rewrote something, by the pass's name.
    pub rewrites: BTreeMap<&'static str, usize>,
    /// Inputs whose axes have another order than in the source model.
    pub turned_inputs: Vec<TurnedInput>,
}

impl Report {
    fn count(&mut self, pass: &'static str, rewrites: usize) {
        if rewrites > 0 {
            *self.rewrites.entry(pass).or_default() += rewrites;
        }
    }
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

/// Most rounds over a graph in one run of a pass: a rule that fits again and again would be a fault.
const MOST_ROUNDS: usize = 64;

/// Applies a rule to every node in running order until it fits nowhere. A rule gives `None`, having changed nothing, where
/// it does not fit.
fn apply_everywhere(
    graph: &mut Graph<Float>,
    pass: &'static str,
    report: &mut Report,
    rule: impl Fn(&mut Rewriter<'_, Float>, NodeId) -> Option<()>,
) -> Changed {
    let mut count = 0;
    for _ in 0..MOST_ROUNDS {
        let mut rewriter = Rewriter::new(graph);
        let nodes: Vec<NodeId> = rewriter.node_ids().collect();
        let mut applied = 0;
        for node in nodes {
            if rewriter.is_live(node) && rule(&mut rewriter, node).is_some() {
                applied += 1;
            }
        }
        rewriter.finish();
        if applied == 0 {
            break;
        }
        count += applied;
    }
    report.count(pass, count);
    if count > 0 { Changed::Yes } else { Changed::No }
}

/// The passes that bring a float graph into the form that is quantized, in the order they run.
pub fn float() -> Vec<Box<dyn Pass<Float>>> {
    vec![
        Box::new(RemoveDead),
        Box::new(FoldConstants),
        Box::new(RemoveIdentities),
        Box::new(RecognizeFunctions),
        Box::new(PushTransposes),
        Box::new(FoldBatchNorm),
        Box::new(FoldPad),
        Box::new(FuseActivation),
        Box::new(FormDepthwise),
        Box::new(MergeDuplicates),
        Box::new(RemoveDead),
    ]
}

/// Most times that [`normalize`] runs the passes.
const MOST_REPETITIONS: usize = 8;

/// Runs the passes of [`float`] until none changes the graph.
///
/// # Errors
/// As [`run`].
pub fn normalize(graph: &mut Graph<Float>) -> Result<Report, PassError> {
    let mut report = Report::default();
    let passes = float();
    for _ in 0..MOST_REPETITIONS {
        if run_once(graph, &passes, &mut report)? == Changed::No {
            break;
        }
    }
    Ok(report)
}

/// Runs passes one after another and checks the graph after each.
///
/// # Errors
/// The first pass that fails or leaves a graph that is not well-formed.
pub fn run<S: State>(graph: &mut Graph<S>, passes: &[Box<dyn Pass<S>>]) -> Result<Report, PassError> {
    let mut report = Report::default();
    run_once(graph, passes, &mut report)?;
    Ok(report)
}

fn run_once<S: State>(
    graph: &mut Graph<S>,
    passes: &[Box<dyn Pass<S>>],
    report: &mut Report,
) -> Result<Changed, PassError> {
    let mut any = Changed::No;
    for pass in passes {
        if pass.run(graph, report)? == Changed::Yes {
            check(graph).map_err(|problems| PassError { pass: pass.name(), problems })?;
            any = Changed::Yes;
        }
    }
    Ok(any)
}

#[cfg(test)]
mod tests;
