//! The `secateur` command of this workspace.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::process;
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
}
