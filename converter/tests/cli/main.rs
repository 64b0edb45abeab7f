//! The `secateur` command as a user runs it: the built program, in directories of its own.

mod board;
mod compare;
mod convert;
mod errors;
mod evaluate;
mod inspect;
mod json;
mod quantize;
mod run;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A directory to run the command in, with the example model beside it.
pub(crate) struct Workplace {
    directory: TempDir,
}

/// What a run of the command left.
pub(crate) struct Ran {
    /// Exit code.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Workplace {
    /// An empty directory.
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// Names of what is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        names_in(self.directory.path())
    }

    /// A command in it, without what the environment says about boards.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_secateur"));
        command.args(arguments).current_dir(self.directory.path()).env_remove("SECATEUR_RUNNERS");
        command
    }

    /// Runs the command.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs the command, which must succeed, and gives its report.
    pub(crate) fn report<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
        ran.stdout
    }

    /// As [`Self::report`], with `--json`.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.report(arguments.iter().chain(&["--json"]));
        serde_json::from_str(&text).unwrap()
    }

    /// Runs the command, which must fail with exit code 1 and print nothing, and gives its message.
    pub(crate) fn error<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
        ran.stderr
    }

    /// Converts the example model to `model.sct`.
    pub(crate) fn convert(&self) -> PathBuf {
        self.report(["convert", &example("fashion_dscnn_int8.tflite"), "-o", "model.sct"]);
        self.path("model.sct")
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

/// Names of what is in a directory, sorted.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The example model with an output channel of its last convolution set to zero.
pub(crate) fn pruned_example() -> Vec<u8> {
    use secateur_converter::import::{Imported, tflite};
    use secateur_converter::ir::Op;
    let mut bytes = fs::read(example("fashion_dscnn_int8.tflite")).unwrap();
    let Imported::Quantized(graph) = tflite::import(&bytes).unwrap() else {
        panic!("the example is quantized")
    };
    let last = graph.nodes().iter().rfind(|node| matches!(node.op, Op::Conv2d(_))).unwrap();
    let filter = graph.input_of(last, 1).unwrap();
    let (data, row) = (filter.data.as_deref().unwrap(), filter.shape.iter().skip(1).product::<usize>());
    let at = bytes.windows(data.len()).position(|window| window == data).unwrap();
    bytes[at..at + row].fill(0);
    bytes
}

/// A file of the example model: a classifier of 28x28 images into 10 classes, with golden vectors.
pub(crate) fn example(name: &str) -> String {
    golden().join("fashion_dscnn").join(name).to_str().unwrap().to_owned()
}

/// A small model with golden vectors, by the name of its case.
pub(crate) fn case(name: &str) -> String {
    golden().join("operators").join(name).to_str().unwrap().to_owned()
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden")
}

/// Vectors of the example model's golden files.
pub(crate) const VECTORS: usize = 16;
/// Bytes of one input image.
pub(crate) const IMAGE: usize = 28 * 28;
/// Bytes of one output.
pub(crate) const CLASSES: usize = 10;
