//! The `secateur` command of this workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process;
use crate::size::Subject;
use crate::workspace;

/// The built command.
#[derive(Debug, Clone)]
pub struct Secateur {
    program: PathBuf,
}

impl Secateur {
    /// Builds the command, which takes minutes the first time.
    ///
    /// # Errors
    /// When it does not build; the compiler's messages are already on the standard error.
    pub fn build() -> Result<Self> {
        let mut command = process::command(workspace::cargo());
        command.args(["build", "--release", "--quiet", "--package", "secateur-converter"]);
        let status = command.current_dir(workspace::root()).status().context("cannot start cargo")?;
        ensure!(status.success(), "the secateur command does not build");
        Ok(Self { program: workspace::target_directory()?.join("release/secateur") })
    }

    /// Runs the command at the workspace's root and gives its report.
    ///
    /// # Errors
    /// When the command fails; its complaint is already on the standard error.
    pub fn report(&self, arguments: &[&str]) -> Result<Value> {
        let mut command = process::command(&self.program);
        command.args(arguments).arg("--json").current_dir(workspace::root()).stderr(Stdio::inherit());
        let output = command.output().with_context(|| format!("cannot start {}", self.program.display()))?;
        ensure!(output.status.success(), "secateur {} failed", arguments.join(" "));
        serde_json::from_slice(&output.stdout).context("the report is no JSON")
    }

    /// Converts a source model for a core, to files of its name in `folder`.
    ///
    /// # Errors
    /// As [`Self::report`], and when the folder cannot be made.
    pub fn convert(&self, model: &Path, core: &str, folder: &Path) -> Result<Converted> {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let stem = model.file_stem().unwrap_or_default();
        let [file, module] = ["sct", "rs"].map(|extension| folder.join(stem).with_extension(extension));
        let (model, output, rust) =
            (model.to_string_lossy(), file.to_string_lossy(), module.to_string_lossy());
        let report =
            self.report(&["convert", &model, "--core", core, "--output", &output, "--rust", &rust])?;
        let arena = report["arena"]["bytes"].as_u64().context("the report states no arena")?;
        let macs = report["macs"].as_u64().context("the report states no work")?;
        Ok(Converted { module, file, arena, macs })
    }
}

/// A model converted for one core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The Rust module for a firmware.
    pub module: PathBuf,
    /// The `.sct` file.
    pub file: PathBuf,
    /// Bytes of arena.
    pub arena: u64,
    /// Multiply-accumulates of one inference.
    pub macs: u64,
}

impl Converted {
    /// What a firmware around it is measured by.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject { module: &self.module, file: &self.file, arena: self.arena }
    }
}
