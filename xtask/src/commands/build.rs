//! `build`: a firmware for a board.

use anyhow::Result;
use clap::Args;

use super::Selection;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    selection: Selection,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let (boards, toolchain) = options.selection.set_up(false)?;
    for board in &boards {
        let elf = options.selection.build(&toolchain, board)?;
        println!("{}", elf.display());
    }
    Ok(())
}
