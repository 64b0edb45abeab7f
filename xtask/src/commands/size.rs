//! `size`: what an inference takes of a board's flash and RAM.

use std::path::Path;

use anyhow::{Result, ensure};
use clap::Args;
use xtask::board;
use xtask::firmware::isa_name;
use xtask::secateur::Secateur;
use xtask::size;
use xtask::toolchain::{self, Needs};
use xtask::workspace;

use super::{EXAMPLE, targets};

#[derive(Args)]
pub(crate) struct Options {
    /// A folder of boards/, or `all`
    #[arg(long, value_name = "NAME", default_value = "all")]
    board: String,
    /// A trained model; only the example has to keep within the budgets
    #[arg(long, value_name = "FILE", default_value = EXAMPLE)]
    model: Vec<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let boards = board::select(&options.board)?;
    let needs = Needs { targets: targets(&boards), qemu: true, ..Needs::default() };
    let toolchain = toolchain::set_up(&needs)?;
    let secateur = Secateur::build()?;
    let folder = workspace::target_directory()?.join("size");

    println!("bytes of a firmware that runs one model, packed for the board's core:");
    println!("runtime: code and constants for the operators of the model; support: start-up and faults;");
    println!("stack: the most that loading and an inference took, measured");
    let mut excesses = Vec::new();
    for model in &options.model {
        println!("\n{model}");
        println!(
            "{:<14} {:>6} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>6}",
            "board", "isa", "runtime", "support", "model", "flash", "arena", "stack"
        );
        for board in &boards {
            let converted = secateur.convert(Path::new(model), &board.cpu, &folder.join(&board.name))?;
            let subject = converted.subject();
            let isa = isa_name(board.isa);
            if !size::fits(board, &subject)? {
                println!("{:<14} {isa:>6} does not fit", board.name);
                continue;
            }
            let size = size::measure(board, &toolchain, &subject)?;
            println!(
                "{:<14} {isa:>6} {:>8} {:>8} {:>8} {:>8} | {:>8} {:>6}",
                board.name,
                size.runtime,
                size.support,
                size.model,
                size.flash(),
                size.arena,
                size.stack
            );
            if model == EXAMPLE {
                let own = size.excesses(&board.budget);
                excesses.extend(own.into_iter().map(|excess| format!("{}: {excess}", board.name)));
            }
        }
    }
    ensure!(excesses.is_empty(), "over budget\n{}", excesses.join("\n"));
    Ok(())
}
