//! `setup`: find or install what firmware is built and run with.

use anyhow::Result;
use clap::Args;
use xtask::board;
use xtask::toolchain::{self, Needs};

use super::targets;

#[derive(Args)]
pub(crate) struct Options {
    /// A folder of boards/, or `all`
    #[arg(long, value_name = "NAME", default_value = "all")]
    board: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let targets = targets(&board::select(&options.board)?);
    let needs = Needs { targets: targets.clone(), clippy: true, qemu: true, profiler: true, datasets: true };
    let toolchain = toolchain::set_up(&needs)?;
    for line in toolchain.describe(&targets) {
        println!("{line}");
    }
    Ok(())
}
