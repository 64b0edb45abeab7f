//! `secateur run`: inputs in, outputs out.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use secateur_converter::dump::NodeOutput;
use secateur_converter::feed::{Conversion, Feed};
use secateur_converter::io::atomic;
use secateur_converter::open::Opened;
use secateur_converter::port::{self, Port};
use serde::Serialize;

use super::Outcome;
use super::report::Output;
use super::source::SourceArguments;
use super::table::{count, line, short_name};
use super::target::{Ran, TargetArguments};
use super::values::{self, PixelArguments, Values};

/// Run a model on inputs and write its outputs.
///
/// Inputs are .npy (one per input of the model), .npz (arrays by the inputs' names) or .bin (raw little-endian elements
/// in the inputs' own types; several inputs one after another, then the next vector). Real numbers are quantized with
/// the input's scale and zero point, uint8 values are pixels (--scale, --mean), other integers are taken as they are.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A .sct file, or a source model: a quantized one is converted in memory, a float one runs as it is.
    file: PathBuf,
    /// A file of input values; once for each input, or once for all.
    #[arg(short, long, value_name = "[NAME=]PATH", required = true, visible_alias = "inputs")]
    input: Vec<Values>,
    /// Directory for the outputs; it is made if it is not there.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Form of the outputs: one output.bin as raw as a .bin input, or one .npy for each output.
    #[arg(long, value_enum, default_value_t = Form::Bin)]
    format: Form,
    /// Also write what every operator gives into this directory, with an index.json.
    #[arg(long, value_name = "DIR")]
    dump_tensors: Option<PathBuf>,
    /// Run only the first N vectors.
    #[arg(long, value_name = "N", value_parser = values::positive)]
    limit: Option<usize>,
    #[command(flatten)]
    pixels: PixelArguments,
    #[command(flatten)]
    source: SourceArguments,
    #[command(flatten)]
    target: TargetArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Bin,
    Npy,
}

#[derive(Debug, Serialize)]
struct Report {
    /// The model.
    file: PathBuf,
    /// `host` or the name of a board.
    on: String,
    /// Number of vectors that were run.
    vectors: usize,
    /// Seconds that took, the start of an emulator included.
    seconds: f64,
    /// What was done with the input values, per input.
    inputs: Vec<Conversion>,
    /// The outputs of the model.
    outputs: Vec<Port>,
    /// Files that hold the outputs.
    output_files: Vec<Written>,
    /// Files that hold the tensors, index.json first; empty unless asked for.
    tensor_files: Vec<Written>,
}

/// A file that was written.
#[derive(Debug, Serialize)]
struct Written {
    /// Its path.
    file: PathBuf,
    /// Its length in bytes.
    bytes: usize,
}

pub(super) fn run(arguments: &Arguments, output: &mut Output<'_>) -> anyhow::Result<Outcome> {
    let opened = super::open(&arguments.file, &arguments.source)?;
    let (inputs, outputs) = (opened.inputs()?, opened.outputs()?);
    let feed = values::read(&arguments.input, &inputs, arguments.limit, &arguments.pixels)?;
    atomic::make_directory(&arguments.output)?;
    let Ran { outputs: bytes, seconds } = arguments.target.run(&opened, &feed.bytes)?;
    let output_files = write_outputs(arguments, &outputs, &bytes, feed.vectors)?;
    let tensor_files = match &arguments.dump_tensors {
        Some(directory) => write_tensors(arguments, directory, &opened, &feed)?,
        None => Vec::new(),
    };
    let report = Report {
        file: arguments.file.clone(),
        on: arguments.target.name().to_owned(),
        vectors: feed.vectors,
        seconds,
        inputs: feed.conversions,
        outputs,
        output_files,
        tensor_files,
    };
    output.write("run", &report, text)
}

fn write(directory: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<Written> {
    let file = directory.join(name);
    atomic::write(&file, bytes)?;
    Ok(Written { file, bytes: bytes.len() })
}

fn write_outputs(
    arguments: &Arguments,
    ports: &[Port],
    bytes: &[u8],
    vectors: usize,
) -> anyhow::Result<Vec<Written>> {
    let directory = &arguments.output;
    if arguments.format == Form::Bin {
        return Ok(vec![write(directory, "output.bin", bytes)?]);
    }
    let columns = port::columns(ports, bytes);
    let files = ports.iter().zip(&columns).enumerate();
    files
        .map(|(index, (port, bytes))| {
            let name = format!("output{index}_{}.npy", file_name(&port.name));
            write(directory, &name, &port.npy(vectors, bytes)?)
        })
        .collect()
}

/// `index.json` of a directory of tensors.
#[derive(Debug, Serialize)]
struct Index<'a> {
    /// The model.
    model: &'a Path,
    /// Number of vectors in each file, one after another.
    vectors: usize,
    /// The tensors in the order in which they are written.
    tensors: Vec<IndexEntry>,
}

/// A tensor with its file.
#[derive(Debug, Serialize)]
struct IndexEntry {
    #[serde(flatten)]
    tensor: NodeOutput,
    /// Name of its file in the directory.
    file: String,
}

fn write_tensors(
    arguments: &Arguments,
    directory: &Path,
    opened: &Opened,
    feed: &Feed,
) -> anyhow::Result<Vec<Written>> {
    atomic::make_directory(directory)?;
    let tensors = arguments.target.dump(opened, &feed.bytes)?;
    let mut files = Vec::with_capacity(tensors.len() + 1);
    let mut index = Index { model: &arguments.file, vectors: feed.vectors, tensors: Vec::new() };
    for (tensor, bytes) in opened.node_outputs()?.into_iter().zip(&tensors) {
        let (ending, content) = match arguments.format {
            Form::Bin => ("bin", bytes.clone()),
            Form::Npy => ("npy", tensor.port.npy(feed.vectors, bytes)?),
        };
        let file = format!("{:03}_{}.{ending}", tensor.node, file_name(&tensor.port.name));
        files.push(write(directory, &file, &content)?);
        index.tensors.push(IndexEntry { tensor, file });
    }
    files.insert(0, write(directory, "index.json", &serde_json::to_vec_pretty(&index)?)?);
    Ok(files)
}

/// A tensor's name as part of a file's: letters, digits and few signs, not too long.
fn file_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    short_name(name, 40).chars().filter(|&c| c != '…').map(plain).collect()
}

fn text(report: &Report) -> String {
    let mut text = line("model", report.file.display());
    let seconds = format!("{:.3} s", report.seconds);
    text += &line("ran", format!("{} vectors on {} in {seconds}", report.vectors, report.on));
    for conversion in &report.inputs {
        text += &line("input", format!("{}: {conversion}", short_name(&conversion.input, 40)));
    }
    for output in &report.outputs {
        text += &line("output", format!("{}: {}", short_name(&output.name, 40), output.format()));
    }
    for Written { file, bytes } in &report.output_files {
        text += &line("written", format!("{} ({} bytes)", file.display(), count(*bytes)));
    }
    if let [index, tensors @ ..] = report.tensor_files.as_slice() {
        text += &line("tensors", format!("{} files, listed in {}", tensors.len(), index.file.display()));
    }
    text
}
