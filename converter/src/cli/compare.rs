//! `secateur compare`: how far a model is from a reference, layer by layer.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use clap::Args;
use secateur_converter::execute;
use secateur_converter::io::Elements;
use secateur_converter::io::input::{self, Input};
use secateur_converter::layer_error::{self, Comparison, LayerError};
use secateur_converter::open::{OpenModel, Opened};
use secateur_converter::port::{self, Port};
use serde::Serialize;

use super::progress;
use super::report::Output;
use super::source::SourceArguments;
use super::table::{Columns, count, digits, line, percent, short_name};
use super::values::{self, PixelArguments, Values};
use super::{Outcome, fidelity};

/// Compare a model with a reference on the same inputs, layer by layer.
///
/// The reference is another model, whose tensors are matched by name, or a file of expected outputs: .bin (raw, in the
/// form that `secateur run` writes), .npy or .npz. Errors are in real numbers. With the float model that a model was
/// made from, layers come worst first, each with what its error most likely comes from.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The reference: a model (.sct, .tflite, .onnx) or expected outputs (.bin, .npy, .npz).
    pub(super) reference: PathBuf,
    /// The model: a .sct file, or a quantized source model, which is converted in memory; a float one only beside
    /// expected outputs.
    pub(super) file: PathBuf,
    /// A file of input values as for `secateur run`; once for each input, or once for all.
    #[arg(short, long, value_name = "[NAME=]PATH", required = true, visible_alias = "input")]
    pub(super) inputs: Vec<Values>,
    /// Compare only the first N vectors.
    #[arg(long, value_name = "N", value_parser = values::positive)]
    pub(super) limit: Option<usize>,
    /// End with exit code 1 unless every element is equal.
    #[arg(long)]
    pub(super) exact: bool,
    #[command(flatten)]
    pub(super) pixels: PixelArguments,
    #[command(flatten)]
    source: SourceArguments,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The reference.
    reference: PathBuf,
    /// The model.
    file: PathBuf,
    /// Number of vectors that were run.
    vectors: usize,
    /// Whether every element that was compared is equal.
    equal: bool,
    #[serde(flatten)]
    comparison: Comparison,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output<'_>) -> anyhow::Result<Outcome> {
    let opened = super::open(&arguments.file, &arguments.source)?;
    let (vectors, comparison) = if holds_outputs(&arguments.reference) {
        with_outputs(arguments, &opened)?
    } else {
        match (super::open(&arguments.reference, &arguments.source)?, &opened) {
            (Opened::Runtime(reference), Opened::Runtime(opened)) => {
                with_model(arguments, &reference, opened)?
            }
            (Opened::Float(reference), Opened::Runtime(opened)) => {
                return fidelity::run(arguments, &reference, opened, output);
            }
            (_, Opened::Float(opened)) => {
                bail!("{}: a float model can only be the reference, which comes first", opened.path.display())
            }
        }
    };
    let equal = comparison.is_equal();
    let report = Report {
        reference: arguments.reference.clone(),
        file: arguments.file.clone(),
        vectors,
        equal,
        comparison,
    };
    output.write("compare", &report, text)?;
    Ok(if arguments.exact && !equal { Outcome::CheckFailed } else { Outcome::Fine })
}

/// Whether the reference is a file of outputs, by the ending of its name.
fn holds_outputs(reference: &Path) -> bool {
    let extension = reference.extension().unwrap_or_default().to_ascii_lowercase();
    matches!(extension.to_str(), Some("bin" | "raw" | "npy" | "npz"))
}

fn with_model(
    arguments: &Arguments,
    reference: &OpenModel,
    opened: &OpenModel,
) -> anyhow::Result<(usize, Comparison)> {
    let feed = |opened: &OpenModel| {
        let inputs = port::inputs(&opened.model()?, &opened.facts()?);
        values::read(&arguments.inputs, &inputs, arguments.limit, &arguments.pixels)
    };
    let (for_reference, for_model) = (feed(reference)?, feed(opened)?);
    ensure!(
        for_reference.vectors == for_model.vectors,
        "the inputs are {} vectors for the reference, but {} for the model",
        for_reference.vectors,
        for_model.vectors
    );
    let progress = progress::vectors(for_model.vectors);
    let inputs = [for_reference.bytes.as_slice(), &for_model.bytes];
    let comparison = layer_error::compare(&reference.model()?, &opened.model()?, inputs, || progress.inc(1))?;
    progress.finish_and_clear();
    if comparison.outputs.is_empty() && comparison.layers.is_empty() {
        bail!("the models have no tensor in common: neither names nor outputs match");
    }
    Ok((for_model.vectors, comparison))
}

fn with_outputs(arguments: &Arguments, opened: &Opened) -> anyhow::Result<(usize, Comparison)> {
    let (inputs, outputs) = (opened.inputs()?, opened.outputs()?);
    let feed = values::read(&arguments.inputs, &inputs, arguments.limit, &arguments.pixels)?;
    let expected = expected_outputs(&arguments.reference, &outputs)?;
    let progress = progress::vectors(feed.vectors);
    let found = match opened {
        Opened::Runtime(opened) => execute::run_batch(&opened.model()?, &feed.bytes, || progress.inc(1))?,
        Opened::Float(opened) => opened.model.run_batch(&feed.bytes, || progress.inc(1))?,
    };
    progress.finish_and_clear();
    let found = layer_error::real_outputs(&outputs, &found);
    let mut reference = Vec::with_capacity(found.len());
    for (port, (mut expected, found)) in outputs.iter().zip(expected.into_iter().zip(&found)) {
        // With --limit the reference may have more vectors.
        if arguments.limit.is_some() {
            expected.truncate(found.len());
        }
        ensure!(
            expected.len() == found.len(),
            "{}: {} elements for output '{}', but the model gives {} ({} vectors of {})",
            arguments.reference.display(),
            expected.len(),
            port.name,
            found.len(),
            feed.vectors,
            port.format()
        );
        reference.push(expected);
    }
    let outputs = layer_error::compare_outputs(&outputs, &reference, &found);
    Ok((feed.vectors, Comparison { outputs, ..Comparison::default() }))
}

/// The real values of each output from a file.
fn expected_outputs(path: &Path, ports: &[Port]) -> anyhow::Result<Vec<Vec<f64>>> {
    let arrays = match (input::read(path)?, ports) {
        (Input::Raw(bytes), _) => {
            let vector = port::vector_bytes(ports);
            ensure!(
                bytes.len().is_multiple_of(vector.max(1)),
                "{}: {} bytes are not a whole number of output vectors of {vector} bytes",
                path.display(),
                bytes.len()
            );
            return Ok(layer_error::real_outputs(ports, &bytes));
        }
        (Input::Array(array), [_]) => vec![array],
        (Input::Array(_), _) => {
            bail!("{}: the model has {} outputs; give a .npz with their names", path.display(), ports.len())
        }
        (Input::Named(mut arrays), [_]) if arrays.len() == 1 => vec![arrays.remove(0).1],
        (Input::Named(arrays), _) => {
            let find = |port: &Port| {
                let found =
                    arrays.iter().find(|(name, _)| *name == port.name).map(|(_, array)| array.clone());
                found.ok_or_else(|| anyhow::anyhow!("{}: no array '{}'", path.display(), port.name))
            };
            ports.iter().map(find).collect::<anyhow::Result<_>>()?
        }
    };
    let real = |(port, elements): (&Port, Elements)| match elements.integers() {
        Some(values) => port.real_integers(&values),
        None => match elements {
            Elements::F32(values) => values.into_iter().map(f64::from).collect(),
            _ => Vec::new(),
        },
    };
    Ok(ports.iter().zip(arrays.into_iter().map(|array| array.elements)).map(real).collect())
}

fn text(report: &Report) -> String {
    let Report { comparison, .. } = report;
    let verdict = if report.equal { "every element is equal" } else { "not all elements are equal" };
    let mut text = [
        line("reference", report.reference.display()),
        line("model", report.file.display()),
        line("vectors", count(report.vectors)),
        line("result", verdict),
        "\n".to_owned(),
        layers(comparison.layers.iter().chain(&comparison.outputs)),
    ]
    .concat();
    for (whose, names) in [("reference", &comparison.only_in_reference), ("model", &comparison.only_in_model)]
    {
        if !names.is_empty() {
            text += &format!("\nonly in the {whose}, not compared:\n");
            text.extend(names.iter().map(|name| format!("  {}\n", short_name(name, 90))));
        }
    }
    text
}

fn layers<'l>(layers: impl Iterator<Item = &'l LayerError>) -> String {
    let mut columns = Columns::new(&["operator", ">elements", ">equal", ">max error", ">SQNR dB", "tensor"]);
    for layer in layers {
        let ratio = match layer.sqnr_db {
            Some(ratio) => format!("{ratio:.1}"),
            None if layer.equal_share == 1.0 => "equal".to_owned(),
            None => "-".to_owned(),
        };
        columns.row([
            layer.kind.to_owned(),
            count(layer.elements),
            share(layer.equal_share),
            digits(layer.max_abs_error),
            ratio,
            layer.name.clone(),
        ]);
    }
    columns.text()
}

/// In percent; what is not all is never printed as 100.
fn share(share: f64) -> String {
    if share < 1.0 { percent(share.min(0.999)) } else { percent(share) }
}
