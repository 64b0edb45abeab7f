//! `costs`: fit the cost table of a core to the cycle profiler.

use anyhow::{Context, Result, ensure};
use clap::Args;
use xtask::board;
use xtask::process;
use xtask::toolchain::{self, Needs};
use xtask::workspace;

use super::targets;

#[derive(Args)]
pub(crate) struct Options {
    /// The core
    #[arg(long, value_name = "CORE", default_value = "cortex-m4")]
    core: String,
    /// Measure only families of models whose names contain this, and fit only classes that the table does not have
    #[arg(long, value_name = "WORD")]
    families: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let board = board::standing_for(&options.core)?;
    let targets = targets(std::slice::from_ref(&board));
    toolchain::set_up(&Needs { targets, qemu: true, profiler: true, ..Needs::default() })?;
    // The grid and the fit need the converter, which nothing of this crate depends on.
    let mut command = process::command(workspace::cargo());
    command.args([
        "run",
        "--quiet",
        "--profile",
        "test",
        "--package",
        "secateur-tests",
        "--example",
        "costs",
        "--",
    ]);
    command.arg(&options.core).args(&options.families).current_dir(workspace::root());
    let status = command.status().context("cannot start cargo")?;
    ensure!(status.success(), "no table was fitted");
    Ok(())
}
