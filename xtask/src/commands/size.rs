//! `size`: what an inference takes of a board's flash and RAM.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use xtask::board::{self, Board};
use xtask::elf::Footprint;
use xtask::firmware::Firmware;
use xtask::qemu::Launch;
use xtask::toolchain::{self, Needs, Toolchain};
use xtask::workspace;

use super::targets;

/// The model whose RAM is measured unless another one is given.
const MODEL: &str = "boards/models/fashion_dscnn.sct";

#[derive(Args)]
pub(crate) struct Options {
    /// A folder of boards/, or `all`
    #[arg(long, value_name = "NAME", default_value = "all")]
    board: String,
    /// A `.sct` file to measure arena and stack with, on the boards that it fits
    #[arg(long, value_name = "FILE", default_value = MODEL)]
    model: String,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let boards = board::select(&options.board)?;
    let needs = Needs { targets: targets(&boards), qemu: true, ..Needs::default() };
    let toolchain = toolchain::set_up(&needs)?;
    let model = workspace::root().join(&options.model);
    let bytes = fs::metadata(&model).with_context(|| format!("cannot read {}", model.display()))?.len();

    println!("runtime: code and constants of a firmware with the operators of a keyword-spotting network,");
    println!("         less what the same firmware takes without the runtime (support)");
    println!("model:   {}; arena and stack of one inference, measured\n", options.model);
    println!(
        "{:<14} {:>6} {:>8} {:>8} {:>8} {:>8} {:>7}",
        "board", "isa", "runtime", "support", "model", "arena", "stack"
    );
    for board in &boards {
        let flash = |program| -> Result<u64> {
            Ok(Footprint::read(&Firmware { board, program, features: &[] }.build(&toolchain)?)?.flash())
        };
        let support = flash("baseline")?;
        let runtime = flash("footprint")? - support;
        let [arena, stack] = match measure(board, &toolchain, &model)? {
            Some(ram) => ram.map(|bytes| bytes.to_string()),
            None => ["does not".to_owned(), "fit".to_owned()],
        };
        let isa = xtask::firmware::isa_name(board.isa);
        println!("{:<14} {isa:>6} {runtime:>8} {support:>8} {bytes:>8} {arena:>8} {stack:>7}", board.name);
    }
    Ok(())
}

/// Arena and stack of one inference; `None` where the model does not fit the board.
fn measure(board: &Board, toolchain: &Toolchain, model: &Path) -> Result<Option<[u64; 2]>> {
    let elf = Firmware { board, program: "runner", features: &[] }.build(toolchain)?;
    if fs::metadata(model)?.len() > u64::from(board.memory.model.length) {
        return Ok(None);
    }
    let exchange = workspace::target_directory()?.join("exchange").join(format!("size-{}", board.name));
    fs::create_dir_all(&exchange)?;
    fs::write(exchange.join("input.bin"), [])?;
    let launch = Launch {
        arguments: ["input.bin", "output.bin", "check"].map(str::to_owned).to_vec(),
        model: Some(model.to_owned()),
        directory: Some(exchange),
        limit: Duration::from_secs(120),
        ..Launch::new(board, &elf)
    };
    let run = launch.run(|_| ())?;
    if run.complaints.contains("does not start") {
        return Ok(None);
    }
    ensure!(run.ending.is_success(), "{}: {} {}", board.name, run.ending, run.complaints);
    let number = |name: &str| {
        let line = run.lines.iter().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok())
            .with_context(|| format!("no {name} line"))
    };
    Ok(Some([number("arena ")?, number("stack_run ")?]))
}
