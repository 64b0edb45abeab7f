//! `profile`: instructions and cycles of a model, operator by operator.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use xtask::board;
use xtask::cost_report::CostReport;
use xtask::profile::Profiler;
use xtask::secateur::Secateur;
use xtask::toolchain::{self, Needs};
use xtask::workspace;

use super::targets;

#[derive(Args)]
pub(crate) struct Options {
    /// A trained model, which is converted for the board's core, or a .sct file
    model: PathBuf,
    /// A folder of boards/
    #[arg(long, value_name = "NAME", default_value = "mps2-an386")]
    board: String,
    /// Also list functions, the costliest first
    #[arg(long)]
    functions: bool,
    /// Print the report as JSON (docs/cycles.md)
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    for board in board::select(&options.board)? {
        let needs = Needs {
            targets: targets(std::slice::from_ref(&board)),
            qemu: true,
            profiler: true,
            ..Needs::default()
        };
        let toolchain = toolchain::set_up(&needs)?;
        let secateur = Secateur::build()?;
        let model = std::path::absolute(&options.model)?;
        let file = if is_converted(&model) {
            model
        } else {
            let folder = workspace::target_directory()?.join("profile").join(&board.name);
            secateur.convert(&model, &board.cpu, &folder)?.file
        };
        let profiler = Profiler::build(&board, &toolchain)?;
        let measurement = profiler.measure(&file)?;
        let description = secateur.report(&["inspect", &file.to_string_lossy()])?;
        let mut report = CostReport::new(
            &options.model.to_string_lossy(),
            &board,
            profiler.basis(),
            &description,
            &measurement,
        )?;
        if !options.functions {
            report.functions = None;
        }
        if options.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            print!("{report}");
        }
    }
    Ok(())
}

fn is_converted(model: &Path) -> bool {
    model.extension().is_some_and(|extension| extension == "sct")
}
