//! From the bytes of a source model to a verified `.sct` file.

use std::path::Path;

use secateur::format::metadata::Entry;
use secateur::self_check::SelfCheckError;
use secateur::{LoadError, Model, Session, SessionError, kernels, self_check};
use thiserror::Error;

use crate::core::Core;
use crate::emit::{Draft, EmitError};
use crate::execute::Arena;
use crate::float::Sample;
use crate::ir::{Graph, Problem, Quantized};
use crate::limits::{LimitError, Limits};
use crate::lower::{self, Program};
use crate::model_file::ModelFile;
use crate::passes::{self, PassError};
use crate::plan::Plan;
use crate::quantize::{self, OnProgress, QuantizeError, Recipe};
use crate::source::{Network, SourceError, SourceModel, SourceOptions};

/// A converted model with what reports need.
#[derive(Debug)]
pub struct Converted {
    /// The source as a graph, as the passes left it.
    pub graph: Graph<Quantized>,
    /// What the passes did.
    pub passes: passes::Report,
    /// How it was quantized, if it was a float model.
    pub quantization: Option<quantize::Report>,
    /// What was lowered from it.
    pub program: Program,
    /// Order and places.
    pub plan: Plan,
    /// The `.sct` file, with names, provenance and reference hashes.
    pub file: ModelFile,
}

/// Why a model cannot be converted.
#[derive(Debug, Error)]
pub enum ConvertError {
    /// The file is not a model that can be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The model is in floating point.
    #[error(
        "a float model: give samples of its input with --calibrate, from which the ranges of its activations are found"
    )]
    NotQuantized,
    /// The model cannot be quantized.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// A pass failed; a fault of this program.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// Nodes that the runtime cannot execute, all of them.
    #[error("{} cannot be executed:\n{}", count(.0.len(), "node"), lines(.0))]
    Lower(Vec<Problem>),
    /// The model is too large.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The file cannot be written.
    #[error(transparent)]
    Emit(#[from] EmitError),
    /// The finished file does not give the reference hashes; a fault of this program.
    #[error("the model that was written does not reproduce its reference run (please report this)")]
    SelfCheck(#[from] SelfCheckError),
    /// The engine does not start; a fault of this program.
    #[error("the engine does not start (please report this)")]
    Session(#[from] SessionError),
    /// The runtime refuses its own file.
    #[error("the runtime refuses the model that was written (please report this)")]
    Load(#[from] LoadError),
}

/// Seed of the reference input whose per-node hashes are stored in every file.
pub const REFERENCE_SEED: u32 = 1;

/// What a conversion is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// The core whose fastest packings are taken. The model runs on every core all the same.
    pub core: Core,
    /// Whether channels that are the same for every input are folded away. Outputs do not change by it, but tensors
    /// between the layers lose these channels.
    pub fold: bool,
    /// Names of the classes, by position in the output; the runtime does not need them.
    pub labels: Vec<String>,
    /// How large a model may be.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self { core: Core::default(), fold: true, labels: Vec::new(), limits: Limits::default() }
    }
}

/// How a float model is quantized.
#[derive(Clone, Copy)]
pub struct Quantization<'q> {
    /// Typical inputs.
    pub samples: &'q [Sample],
    /// What is to be done.
    pub recipe: &'q Recipe,
    /// Told of progress.
    pub progress: OnProgress<'q>,
}

impl std::fmt::Debug for Quantization<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { samples, recipe, .. } = self;
        f.debug_struct("Quantization").field("samples", &samples.len()).field("recipe", recipe).finish()
    }
}

/// Converts a source model. `source` is its file name, for the metadata.
///
/// # Errors
/// Everything that keeps the model from running, all at once; see [`ConvertError`].
pub fn convert(bytes: &[u8], source: &str, options: &Options) -> Result<Converted, ConvertError> {
    let source = SourceModel::parse(bytes, Path::new(source), &SourceOptions::default())?;
    convert_source(source, None, options)
}

/// Converts a source model; a float one is quantized first.
///
/// # Errors
/// As [`convert`].
pub fn convert_source(
    source: SourceModel,
    quantization: Option<Quantization<'_>>,
    options: &Options,
) -> Result<Converted, ConvertError> {
    let mut provenance = vec![Entry::Source(&source.name, source.crc32)];
    let (graph, report) = match (source.network, quantization) {
        (Network::Quantized(graph), _) => (graph, None),
        (Network::Float(graph), Some(Quantization { samples, recipe, progress })) => {
            let (graph, report) = quantize::post_training(graph, samples, recipe, progress)?;
            provenance.extend(recipe.equalize.then_some(Entry::Equalized));
            (graph, Some(report))
        }
        (Network::Float(_), None) => return Err(ConvertError::NotQuantized),
    };
    let converted = finish(graph, &provenance, options)?;
    Ok(Converted { quantization: report, ..converted })
}

/// Converts a graph that no file was read for.
///
/// # Errors
/// As [`convert`].
pub fn convert_graph(graph: Graph<Quantized>, options: &Options) -> Result<Converted, ConvertError> {
    finish(graph, &[], options)
}

fn finish(
    mut graph: Graph<Quantized>,
    source: &[Entry<'_>],
    options: &Options,
) -> Result<Converted, ConvertError> {
    let passes = passes::run(&mut graph, &passes::quantized(passes::Choice { fold: options.fold }))?;
    let program = lower::lower(&graph, options.core).map_err(ConvertError::Lower)?;
    let draft = Draft::new(&program)?;
    let converter = [Entry::Converter(concat!("secateur ", env!("CARGO_PKG_VERSION")))];
    let provenance: Vec<Entry<'_>> = converter.into_iter().chain(source.iter().copied()).collect();
    let first = draft.file(&provenance)?;
    options.limits.check(&Model::load(first.bytes(), &kernels::ALL)?)?;
    let hashes = reference_hashes(&first)?;
    drop(first);
    let labels = (0..).zip(&options.labels).map(|(index, label)| Entry::Label(index, label));
    let entries: Vec<Entry<'_>> = provenance.into_iter().chain(labels).chain(hashes).collect();
    let file = draft.file(&entries)?;
    self_check(&file)?;
    let plan = draft.plan().clone();
    Ok(Converted { graph, passes, quantization: None, program, plan, file })
}

/// Runs the reference input through the file's bytes and gives the hash of every node's output.
fn reference_hashes(file: &ModelFile) -> Result<Vec<Entry<'static>>, ConvertError> {
    let model = Model::load(file.bytes(), &kernels::ALL)?;
    let mut arena = Arena::new(&model);
    let mut session = Session::new(&model, arena.bytes_mut())?;
    let mut entries = vec![Entry::ReferenceSeed(REFERENCE_SEED)];
    self_check::reference_hashes(&mut session, REFERENCE_SEED, |node, crc| {
        entries.push(Entry::ReferenceHash(node, crc));
    });
    Ok(entries)
}

/// Checks the finished bytes as a device would: every node's output against its reference hash.
fn self_check(file: &ModelFile) -> Result<(), ConvertError> {
    let model = Model::load(file.bytes(), &kernels::ALL)?;
    let mut arena = Arena::new(&model);
    self_check::self_check(&mut Session::new(&model, arena.bytes_mut())?)?;
    Ok(())
}

/// CRC-32 (ISO-HDLC) of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(bytes)
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("  {problem}")).collect::<Vec<_>>().join("\n")
}
