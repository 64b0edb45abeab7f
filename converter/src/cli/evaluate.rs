//! `secateur evaluate`: how well a classifier does on labelled samples.

use std::path::PathBuf;

use clap::Args;
use secateur_converter::accuracy::{self, Accuracy};
use secateur_converter::feed::{self, Conversion, Given};
use secateur_converter::io::dataset;
use secateur_converter::io::input::Input;
use secateur_converter::port;
use serde::Serialize;

use super::Outcome;
use super::report::Output;
use super::source::SourceArguments;
use super::table::{Columns, WIDTH, count, line, percent, short_name};
use super::target::{Ran, TargetArguments};
use super::values::{self, PixelArguments};

/// Score a classifier on labelled samples: accuracy, confusion matrix, precision and recall per class.
///
/// A data set is a directory with info.json and raw files, a directory with IDX files (as MNIST; also .gz), a .npz with
/// x and y, or a pair of IDX or .npy files (--labels). Values are converted as by `secateur run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A .sct file, or a source model: a quantized one is converted in memory, a float one runs as it is.
    file: PathBuf,
    /// The samples, with their labels unless --labels names those.
    #[arg(short, long, value_name = "PATH")]
    dataset: PathBuf,
    /// The labels, if they are in a file of their own.
    #[arg(short, long, value_name = "PATH")]
    labels: Option<PathBuf>,
    /// Score only the first N samples.
    #[arg(long, value_name = "N", value_parser = values::positive)]
    limit: Option<usize>,
    #[command(flatten)]
    pixels: PixelArguments,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The model.
    file: PathBuf,
    /// The data set.
    dataset: PathBuf,
    /// `host` or the name of a board.
    on: String,
    /// Seconds that running the samples took, the start of an emulator included.
    seconds: f64,
    /// What was done with the samples.
    input: Conversion,
    #[serde(flatten)]
    accuracy: Accuracy,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output<'_>) -> anyhow::Result<Outcome> {
    let opened = super::open(&arguments.file, &arguments.source)?;
    let (inputs, outputs, labels) = (opened.inputs()?, opened.outputs()?, opened.labels()?);
    let mut dataset = dataset::read(&arguments.dataset, arguments.labels.as_deref())?;
    if let Some(limit) = arguments.limit {
        dataset = dataset.first(limit);
    }
    let samples = Given {
        name: None,
        origin: arguments.dataset.display().to_string(),
        input: Input::Array(dataset.samples),
    };
    let feed = feed::feed(&inputs, vec![samples], &arguments.pixels.pixels())?;
    let (Some(scores), Some(input)) = (outputs.first(), feed.conversions.into_iter().next()) else {
        anyhow::bail!("{}: the model has no inputs or outputs", arguments.file.display());
    };
    let Ran { outputs: bytes, seconds } = arguments.target.run(&opened, &feed.bytes)?;
    let columns = port::columns(&outputs, &bytes);
    let predictions = accuracy::predictions(scores, columns.first().map_or(&[][..], Vec::as_slice))?;
    let names = if dataset.classes.is_empty() { &labels } else { &dataset.classes };
    let classes = scores.elements().max(names.len());
    let accuracy = Accuracy::new(&predictions, &dataset.labels, classes, names)?;
    let report = Report {
        file: arguments.file.clone(),
        dataset: arguments.dataset.clone(),
        on: arguments.target.name().to_owned(),
        seconds,
        input,
        accuracy,
    };
    output.write("evaluate", &report, text)
}

fn text(report: &Report) -> String {
    let Accuracy { samples, correct, accuracy, .. } = &report.accuracy;
    let mut text = [
        line("model", report.file.display()),
        line("samples", format!("{} of {}", count(*samples), report.dataset.display())),
        line("input", &report.input),
        line("ran", format!("on {} in {:.3} s", report.on, report.seconds)),
        line("accuracy", format!("{} ({} of {})", percent(*accuracy), count(*correct), count(*samples))),
        String::new(),
        classes(&report.accuracy),
    ]
    .join("");
    if let Some(matrix) = confusion(&report.accuracy) {
        text += "\nconfusion: a row for each true class, a column for each predicted class\n\n";
        text += &matrix;
    }
    text
}

fn classes(accuracy: &Accuracy) -> String {
    let mut columns = Columns::new(&[">#", "class", ">samples", ">found", ">recall", ">precision"]);
    for class in &accuracy.classes {
        let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
        columns.row([
            class.index.to_string(),
            short_name(&class.name, 40),
            count(class.samples),
            count(class.correct),
            share(class.recall),
            share(class.precision),
        ]);
    }
    format!("\n{}", columns.text())
}

/// The confusion matrix, if it fits the width of a report.
fn confusion(accuracy: &Accuracy) -> Option<String> {
    let greatest = accuracy.confusion.iter().flatten().max().copied().unwrap_or(0);
    let width = count(greatest).len().max(accuracy.classes.len().to_string().len()) + 2;
    if 2 + width * (accuracy.classes.len() + 1) > WIDTH {
        return None;
    }
    let indices: Vec<String> = accuracy.classes.iter().map(|class| format!(">{}", class.index)).collect();
    let headings: Vec<&str> = std::iter::once(">").chain(indices.iter().map(String::as_str)).collect();
    let mut columns = Columns::new(&headings);
    for (index, row) in accuracy.confusion.iter().enumerate() {
        let cell = |&number: &usize| if number == 0 { ".".to_owned() } else { count(number) };
        columns.row(std::iter::once(index.to_string()).chain(row.iter().map(cell)).collect::<Vec<_>>());
    }
    Some(columns.text())
}
