//! `size`: what a firmware takes of a board's flash and RAM.

use anyhow::Result;
use clap::Args;
use xtask::elf::Footprint;

use super::Selection;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (boards, toolchain) = options.selection.set_up(false)?;
    println!(
        "{:<14} {:>8} {:>9} {:>7} {:>18} {:>18}",
        "board", "code", "constants", "statics", "flash", "RAM"
    );
    for board in &boards {
        let elf = options.selection.build(&toolchain, board)?;
        let size = Footprint::read(&elf)?;
        println!(
            "{:<14} {:>8} {:>9} {:>7} {:>18} {:>18}",
            board.name,
            size.code,
            size.constants,
            size.statics(),
            share(size.flash(), board.memory.flash.length),
            share(size.statics(), board.memory.ram.length),
        );
    }
    Ok(())
}

/// `used of budget`, in bytes and KB.
fn share(used: u64, budget: u32) -> String {
    format!("{used} of {} KB", budget / 1024)
}
