//! The command line: one file per command, each from arguments to a report.
//!
//! | module | holds |
//! |---|---|
//! | [`convert`], [`inspect`], [`mod@run`], [`compare`], [`evaluate`] | the commands |
//! | [`quantization`] | how a float model is quantized |
//! | [`search`] | the smallest model within a loss of accuracy |
//! | [`source`] | what a source model's file leaves open |
//! | [`values`] | input values given on the command line |
//! | [`target`] | where a model runs: on the host or on a board |
//! | [`progress`] | bars on a terminal |
//! | [`report`] | what a command prints: text for people or JSON |
//! | [`fidelity`] | a float model beside what was made of it |
//! | [`folding`] | what channel folding did |
//! | [`table`] | aligned columns, numbers in print |

mod compare;
mod convert;
mod evaluate;
mod fidelity;
mod folding;
mod inspect;
mod progress;
mod quantization;
mod report;
mod run;
mod search;
mod source;
mod table;
mod target;
mod values;

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use report::Output;
use secateur_converter::open::{self, OpenError, Opened};
use secateur_converter::pipeline::Options;
use source::SourceArguments;

/// Takes a trained neural network and makes it run on a microcontroller.
#[derive(Debug, Parser)]
#[command(name = "secateur", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print the report as JSON, for machines (docs/json.md).
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(convert::Arguments),
    Inspect(inspect::Arguments),
    Run(run::Arguments),
    Evaluate(evaluate::Arguments),
    Compare(compare::Arguments),
}

/// How a command that could do its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Fine,
    /// What was to be checked does not hold; the report says what.
    CheckFailed,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::CheckFailed => Self::FAILURE,
        }
    }
}

/// Runs one command and writes its report to `out`.
pub(crate) fn run(cli: Cli, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let mut output = Output { json: cli.json, out };
    match cli.command {
        Command::Convert(arguments) => convert::run(&arguments, &mut output),
        Command::Inspect(arguments) => inspect::run(&arguments, &mut output),
        Command::Run(arguments) => run::run(&arguments, &mut output),
        Command::Evaluate(arguments) => evaluate::run(&arguments, &mut output),
        Command::Compare(arguments) => compare::run(&arguments, &mut output),
    }
}

/// Reads a model; a quantized source model is converted with the usual options.
fn open(path: &Path, source: &SourceArguments) -> Result<Opened, OpenError> {
    open::open(path, &source.options(), &Options::default())
}

/// An error with its causes, each on lines of its own.
pub(crate) fn error_text(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}");
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // Some errors repeat their cause in their own words.
        if !text.contains(&cause) {
            text.push_str("\n  because: ");
            text.push_str(&cause.replace('\n', "\n  "));
        }
    }
    text
}

/// Whether the reader of the standard output went away.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
