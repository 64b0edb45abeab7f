//! `qemu`: build a firmware and run it on an emulated board.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use xtask::qemu::Launch;

use super::Selection;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
    /// A file to lie in the board's model region
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Stop a run after this time
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
    /// The firmware's command line
    #[arg(last = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (boards, toolchain) = options.selection.set_up(true)?;
    let mut failed = Vec::new();
    for board in &boards {
        let elf = options.selection.build(&toolchain, board)?;
        let launch = Launch {
            arguments: options.arguments.clone(),
            model: options.model.clone(),
            limit: Duration::from_secs(options.limit),
            ..Launch::new(board, &elf)
        };
        println!("{}:", board.name);
        let run = launch.run(|line| println!("  {line}"))?;
        for line in run.complaints.lines() {
            eprintln!("  {line}");
        }
        if !run.ending.is_success() {
            failed.push(format!("{} ({})", board.name, run.ending));
        }
    }
    if !failed.is_empty() {
        bail!("{} failed on {}", options.selection.program, failed.join(", "));
    }
    Ok(())
}
