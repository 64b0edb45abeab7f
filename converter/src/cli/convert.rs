//! `secateur convert`: a source model in, a `.sct` file out.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use secateur_converter::core::Core;
use secateur_converter::describe::{Arena, Description, Kind};
use secateur_converter::io::{self, atomic};
use secateur_converter::open::{OpenError, OpenModel, Source};
use secateur_converter::pipeline::{Options, Quantization};
use secateur_converter::port::{self, Port};
use secateur_converter::source::{FloatModel, Foreign, Network, SourceError, SourceModel};
use secateur_converter::{quantize, rust_module};
use serde::Serialize;

use super::Outcome;
use super::folding::FoldingReport;
use super::progress;
use super::quantization::{self, QuantizationArguments};
use super::report::Output;
use super::search::{SearchArguments, SearchReport};
use super::source::SourceArguments;
use super::table::{count, grouped, line};

/// Convert a trained model to a .sct file; a float model is quantized first.
///
/// Models are .tflite (full int8, float or dynamic-range), .onnx (float or QDQ), and .pt, .pth or .safetensors with a
/// description of the network (--architecture).
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The trained model.
    model: PathBuf,
    /// Where to write the .sct file.
    #[arg(short, long, value_name = "OUT.sct")]
    output: PathBuf,
    /// The core whose fastest kernels the weights are packed for, `m4` for short; the file runs on every core.
    #[arg(long, value_name = "CORE", default_value_t = Core::default(), value_parser = core_parser())]
    core: Core,
    /// Keep channels that are the same for every input. They are folded away otherwise, which changes no output byte.
    #[arg(long)]
    no_fold: bool,
    /// Names of the classes, one a line, to store in the file.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Also write a Rust module for a firmware with this model: the file, its arena, its operators, its labels.
    #[arg(long, value_name = "OUT.rs")]
    rust: Option<PathBuf>,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    quantization: QuantizationArguments,
    #[command(flatten)]
    search: SearchArguments,
}

/// What was converted to what.
#[derive(Debug, Serialize)]
struct Report {
    /// The source model.
    source: SourceFile,
    /// The file that was written.
    output: OutputFile,
    /// The Rust module that was written; nothing unless asked for.
    rust: Option<OutputFile>,
    /// The core that the weights are packed for.
    core: &'static str,
    /// Name of the model.
    name: String,
    /// Number of operators.
    operators: usize,
    /// Number of operators of each kind, the most frequent first.
    operator_kinds: Vec<Kind>,
    /// Bytes of all weights.
    weight_bytes: usize,
    /// Inner-loop steps of one inference: multiply-accumulates, comparisons or elements moved.
    work: u64,
    /// Multiply-accumulates with weights, those that a packing adds left out.
    macs: u64,
    /// How it was quantized; null if it was when it came.
    quantization: Option<quantize::Report>,
    /// How the widths of weights were found; null without `--max-drop`.
    search: Option<SearchReport>,
    /// What channel folding did; null with `--no-fold`.
    folding: Option<FoldingReport>,
    /// Working memory.
    arena: Arena,
    /// How the memory plan was found.
    plan: PlanReport,
    /// What was verified.
    verification: Verification,
}

/// A source model.
#[derive(Debug, Serialize)]
struct SourceFile {
    /// Its path.
    file: PathBuf,
    /// Its length in bytes.
    bytes: usize,
    /// CRC-32 of its bytes.
    crc32: u32,
}

/// A file that was written.
#[derive(Debug, Serialize)]
struct OutputFile {
    /// Its path.
    file: PathBuf,
    /// Its length in bytes.
    bytes: usize,
}

/// How the memory plan was found.
#[derive(Debug, Serialize)]
struct PlanReport {
    /// How the order of the operators was found.
    order: String,
    /// How the places were found.
    placement: String,
    /// Whether no other order of the operators has a smaller lower bound.
    order_proved: bool,
    /// Outputs that take the place of an input.
    in_place: usize,
}

/// What was verified: the file was loaded and run on the reference input, twice with the same results.
#[derive(Debug, Serialize)]
struct Verification {
    /// Seed of the reference input.
    reference_seed: Option<u32>,
    /// Operators whose output for the reference input is stored in the file as a CRC-32.
    hashed_operators: usize,
}

pub(super) fn core_parser() -> impl TypedValueParser<Value = Core> {
    let value = |core: Core| PossibleValue::new(core.name()).alias(core.short_name());
    PossibleValuesParser::new(Core::ALL.map(value)).map(|name| Core::from_name(&name).unwrap_or_default())
}

pub(super) fn run(arguments: &Arguments, output: &mut Output<'_>) -> anyhow::Result<Outcome> {
    let Arguments { model, output: path, core, no_fold, labels, rust, .. } = arguments;
    check_output(model, path)?;
    let labels = labels.as_deref().map_or_else(|| Ok(Vec::new()), read_labels)?;
    let options = Options { core: *core, fold: !*no_fold, labels, ..Options::default() };
    let (opened, search) = convert(arguments, &options)?;
    let Some(source) = opened.source() else {
        bail!("{}: this is a .sct file already; look at it with `secateur inspect`", model.display());
    };
    check_labels(&opened)?;
    let mut report = report(arguments, &opened, source)?;
    report.search = search;
    atomic::write(path, opened.file().bytes())?;
    if let Some(rust) = rust {
        report.rust = Some(write_rust(rust, path, &opened)?);
    }
    output.write("convert", &report, text)
}

fn convert(arguments: &Arguments, options: &Options) -> anyhow::Result<(OpenModel, Option<SearchReport>)> {
    let Arguments { model: path, quantization: asked, .. } = arguments;
    let source = match SourceModel::read(path, &arguments.source.options()) {
        Ok(source) => source,
        Err(SourceError::Foreign(Foreign::Sct)) => {
            bail!("{}: this is a .sct file already; look at it with `secateur inspect`", path.display())
        }
        Err(source) => return Err(OpenError::Source { path: path.clone(), source }.into()),
    };
    let Network::Float(graph) = &source.network else {
        if let Some(option) = asked.given() {
            bail!("{}: quantized already, so {option} has no effect: leave it out", path.display());
        }
        return Ok((OpenModel::convert(path, source, None, options)?, None));
    };
    let model =
        FloatModel::new(graph.clone()).map_err(|source| OpenError::Float { path: path.clone(), source })?;
    let recipe = asked.recipe()?;
    let samples = asked.samples(&recipe, path, &model)?;
    let (recipe, search) = arguments.search.run(&model, &samples, recipe, asked.pixels(), options)?;
    let bar = progress::steps();
    let on_progress = |progress| quantization::show(&bar, progress);
    let quantization = Quantization { samples: &samples, recipe: &recipe, progress: &on_progress };
    let opened = OpenModel::convert(path, source, Some(quantization), options)?;
    bar.finish_and_clear();
    Ok((opened, search))
}

fn read_labels(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = String::from_utf8(io::read(path)?)
        .with_context(|| format!("{}: labels are text, in UTF-8, one a line", path.display()))?;
    Ok(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect())
}

/// A label for each value of the first output, or none at all.
fn check_labels(opened: &OpenModel) -> anyhow::Result<()> {
    let (model, facts) = (opened.model()?, opened.facts()?);
    let elements = port::outputs(&model, &facts).first().map_or(0, Port::elements);
    let labels = facts.labels.len();
    if labels != 0 && labels != elements {
        bail!("{labels} labels, but the first output of {} has {elements} values", opened.path().display());
    }
    Ok(())
}

/// Writes the Rust module, which finds the `.sct` file from where it lies.
fn write_rust(rust: &Path, sct: &Path, opened: &OpenModel) -> anyhow::Result<OutputFile> {
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| path.display().to_string());
    let (module, sct) = (absolute(rust)?, absolute(sct)?);
    let way = rust_module::way(module.parent().unwrap_or(&module), &sct);
    let text = rust_module::text(&opened.model()?, &way);
    atomic::write(rust, text.as_bytes())?;
    Ok(OutputFile { file: rust.to_owned(), bytes: text.len() })
}

/// Refuses outputs that can only be a mistake.
fn check_output(model: &Path, output: &Path) -> anyhow::Result<()> {
    let same = |path: &Path| path.canonicalize().ok();
    if same(output).is_some_and(|output| Some(output) == same(model)) {
        bail!("{}: the output would overwrite the model it is made from", output.display());
    }
    match output.extension().and_then(|extension| extension.to_str()) {
        Some("sct") => Ok(()),
        _ => bail!("{}: the name of the output must end in .sct", output.display()),
    }
}

fn report(arguments: &Arguments, opened: &OpenModel, source: &Source) -> anyhow::Result<Report> {
    let description = Description::of(&opened.model()?);
    let plan = &source.converted.plan;
    let facts = opened.facts()?;
    Ok(Report {
        source: SourceFile { file: arguments.model.clone(), bytes: source.bytes, crc32: source.crc32 },
        output: OutputFile { file: arguments.output.clone(), bytes: opened.file().bytes().len() },
        rust: None,
        core: arguments.core.name(),
        operators: description.operators.len(),
        operator_kinds: description.kinds(),
        weight_bytes: description.totals.weight_bytes,
        work: description.totals.work,
        macs: description.totals.macs,
        quantization: source.converted.quantization.clone(),
        search: None,
        folding: source.converted.passes.folding.clone().map(FoldingReport::new),
        plan: PlanReport {
            order: plan.order_rule.to_string(),
            placement: plan.placement_rule.to_string(),
            order_proved: plan.order_proved,
            in_place: plan.shared.len(),
        },
        verification: Verification {
            reference_seed: facts.reference_seed,
            hashed_operators: facts.reference_hashes.len(),
        },
        name: description.name,
        arena: description.arena,
    })
}

fn text(report: &Report) -> String {
    let Report { source, output, plan, verification, arena, .. } = report;
    let kinds: Vec<String> =
        report.operator_kinds.iter().map(|Kind { kind, count }| format!("{count} {kind}")).collect();
    let bound = match (arena.lower_bound, arena.excess_percent) {
        (Some(bound), Some(excess)) => {
            format!("; lower bound {}, excess {excess:.2} %", grouped(bound))
        }
        _ => String::new(),
    };
    let proved = if plan.order_proved { " (no order is better)" } else { "" };
    let in_place = match plan.in_place {
        0 => String::new(),
        1 => "; 1 output in the place of an input".to_owned(),
        n => format!("; {n} outputs in the place of an input"),
    };
    let rust = report.rust.iter().map(|OutputFile { file, bytes }| {
        line("module", format!("{} ({} bytes)", file.display(), count(*bytes)))
    });
    let rust: String = rust.collect();
    let summary = [
        line("model", format!("{} ({} bytes)", source.file.display(), count(source.bytes))),
        line("written", format!("{} ({} bytes)", output.file.display(), count(output.bytes))),
        rust,
        line("operators", format!("{}: {}", report.operators, kinds.join(", "))),
        line("weights", format!("{} bytes, packed for {}", count(report.weight_bytes), report.core)),
        line(
            "work",
            format!("{} steps, of which {} multiply-accumulates", grouped(report.work), grouped(report.macs)),
        ),
        report.quantization.as_ref().map(quantization::summary).unwrap_or_default(),
        report.search.as_ref().map(SearchReport::summary).unwrap_or_default(),
        report.folding.as_ref().map(FoldingReport::summary).unwrap_or_default(),
        line("arena", format!("{} bytes{bound}", count(arena.bytes))),
        line("plan", format!("order {}{proved}; placed {}{in_place}", plan.order, plan.placement)),
        line(
            "verified",
            format!(
                "reference input run through the file; {} layer hashes stored",
                verification.hashed_operators
            ),
        ),
    ];
    let folded = report.folding.as_ref().map(FoldingReport::layers).unwrap_or_default();
    let quantized = report.quantization.as_ref().map(quantization::layers).unwrap_or_default();
    let searched = report.search.as_ref().map(SearchReport::layers).unwrap_or_default();
    summary.concat() + &quantized + &searched + &folded
}
