//! `secateur compare` of a model with the float model that it was made from.

use std::path::PathBuf;

use anyhow::ensure;
use secateur_converter::fidelity::{self, Cause, LayerFidelity};
use secateur_converter::open::{OpenFloat, OpenModel};
use secateur_converter::quantize::prepare;
use serde::Serialize;

use super::Outcome;
use super::compare::Arguments;
use super::report::Output;
use super::table::{Columns, count, digits, line, short_name};
use super::{progress, values};

#[derive(Debug, Serialize)]
struct Report {
    /// The float model.
    reference: PathBuf,
    /// The model.
    file: PathBuf,
    #[serde(flatten)]
    fidelity: fidelity::Report,
}

pub(super) fn run(
    arguments: &Arguments,
    reference: &OpenFloat,
    opened: &OpenModel,
    output: &mut Output<'_>,
) -> anyhow::Result<Outcome> {
    let float = &reference.model;
    ensure!(!arguments.exact, "--exact is for models of integers: real numbers and their rounding differ");
    let feed = values::read(&arguments.inputs, float.inputs(), arguments.limit, &arguments.pixels)?;
    let progress = progress::vectors(feed.vectors);
    let samples = float.samples(&feed.bytes)?;
    let mut network = float.graph().clone();
    if opened.facts()?.equalized {
        prepare::shape(&mut network, true)?;
    }
    let fidelity = fidelity::compare(&network, &opened.model()?, &samples, || progress.inc(1))?;
    progress.finish_and_clear();
    let report = Report { reference: arguments.reference.clone(), file: arguments.file.clone(), fidelity };
    output.write("compare", &report, text)
}

fn text(report: &Report) -> String {
    let fidelity::Report { samples, layers, outputs, .. } = &report.fidelity;
    let text = [
        line("reference", format!("{} (float)", report.reference.display())),
        line("model", report.file.display()),
        line("vectors", count(*samples)),
        "\nworst first; own: the layer's error when its inputs are right\n\n".to_owned(),
        table(layers),
        "\noutputs\n\n".to_owned(),
        table(outputs),
    ]
    .concat();
    // What a layer inherits is the fault of another one.
    let own = layers.iter().filter(|layer| layer.cause != Cause::Inherited).take(MOST_CAUSES);
    let causes = own.map(|layer| format!("  {}: {}\n", short_name(&layer.name, 40), layer.cause));
    text + "\nlikely causes\n\n" + &causes.collect::<String>()
}

/// Layers whose cause is put in words.
const MOST_CAUSES: usize = 5;

fn table(layers: &[LayerFidelity]) -> String {
    let mut columns =
        Columns::new(&[">SQNR dB", ">own dB", ">cosine", ">max error", "operator", "cause", "tensor"]);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}"));
    for layer in layers {
        columns.row([
            ratio(layer.sqnr_db),
            ratio(layer.own_sqnr_db),
            layer.cosine.map_or_else(|| "-".to_owned(), |cosine| format!("{cosine:.4}")),
            digits(layer.max_abs_error),
            layer.operator.to_owned(),
            layer.cause.name().to_owned(),
            layer.name.clone(),
        ]);
    }
    columns.text()
}
