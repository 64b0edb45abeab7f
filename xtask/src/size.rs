//! What an inference takes of a board: flash by part, RAM by part.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::board::{Board, Budget};
use crate::elf::Footprint;
use crate::firmware::Firmware;
use crate::qemu::Launch;
use crate::toolchain::Toolchain;

/// A converted model.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The Rust module that `secateur convert --rust` has written.
    pub module: &'a Path,
    /// The `.sct` file that it includes.
    pub file: &'a Path,
    /// Bytes of arena.
    pub arena: u64,
}

/// Bytes of a firmware that runs one model and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Flash: the runtime with all that it pulls in.
    pub runtime: u64,
    /// Flash: start-up, faults, the way to the host.
    pub support: u64,
    /// Flash: the model.
    pub model: u64,
    /// RAM: activations and scratch.
    pub arena: u64,
    /// RAM: the most stack that loading the model and an inference took.
    pub stack: u64,
}

impl Size {
    /// All flash.
    #[must_use]
    pub fn flash(&self) -> u64 {
        self.runtime + self.support + self.model
    }

    /// What exceeds the budget, in words.
    #[must_use]
    pub fn excesses(&self, budget: &Budget) -> Vec<String> {
        let parts = [
            ("runtime", self.runtime, budget.runtime),
            ("support", self.support, budget.support),
            ("stack", self.stack, budget.stack),
        ];
        parts
            .into_iter()
            .filter(|(_, bytes, budget)| bytes > budget)
            .map(|(part, bytes, budget)| format!("{part} takes {bytes} bytes, its budget is {budget}"))
            .collect()
    }
}

/// Whether the model with its firmware fits the board.
///
/// # Errors
/// When the model's file cannot be read.
pub fn fits(board: &Board, subject: &Subject<'_>) -> Result<bool> {
    let Budget { runtime, support, stack } = board.budget;
    let model = length(subject.file)?;
    Ok(model + runtime + support <= board.memory.flash.length.into()
        && subject.arena + stack <= board.memory.ram.length.into())
}

/// Builds the firmware, runs an inference, and measures both. The model has to fit the board.
///
/// # Errors
/// When the firmware does not build or does not run to its end.
pub fn measure(board: &Board, toolchain: &Toolchain, subject: &Subject<'_>) -> Result<Size> {
    let baseline = Firmware::new(board, "baseline").build(toolchain)?;
    let footprint = Firmware { model: Some(subject.module), ..Firmware::new(board, "footprint") };
    let elf = footprint.build(toolchain)?;
    let support = Footprint::read(&baseline)?.flash();
    let model = length(subject.file)?;
    let runtime = Footprint::read(&elf)?.flash().saturating_sub(support + model);

    let run = Launch::new(board, &elf).run(|_| ())?;
    ensure!(run.ending.is_success(), "{}: {} {}", board.name, run.ending, run.complaints);
    Ok(Size { runtime, support, model, arena: run.number("arena")?, stack: run.number("stack")? })
}

fn length(file: &Path) -> Result<u64> {
    Ok(fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len())
}
