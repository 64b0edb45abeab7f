//! Firmware on emulated boards.

use std::path::PathBuf;

use anyhow::{Context, Result};
use secateur_converter::core::Core;
use xtask::board::{self, Board};
use xtask::firmware::Firmware;
use xtask::profile::Profiler;
use xtask::size::{self, Size, Subject};
use xtask::skip;
use xtask::toolchain::{self, Needs, Toolchain};

/// A board, and what it takes to build for it and run on it.
#[derive(Debug)]
pub struct Bench {
    /// The board.
    pub board: Board,
    toolchain: Toolchain,
}

impl Bench {
    /// Sets up nothing: where a compiler or QEMU is missing, the calling `test` is noted as skipped, and there is none.
    ///
    /// # Errors
    /// When there is no such board.
    pub fn find(board: &str, test: &str) -> Result<Option<Self>> {
        let board = board::select(board)?.into_iter().next().context("`all` is no board")?;
        let needs = Needs { targets: [board.target.clone()].into(), qemu: true, ..Needs::default() };
        match toolchain::find(&needs) {
            Ok(toolchain) => Ok(Some(Self { board, toolchain })),
            Err(error) => {
                skip::without_board(test, &format!("{error:#}"));
                Ok(None)
            }
        }
    }

    /// The board that stands for a core in benchmarks and cost tables.
    ///
    /// # Errors
    /// When none does, or a compiler or QEMU is missing.
    pub fn for_core(core: Core) -> Result<Self> {
        let board = board::standing_for(core.name())?;
        let needs = Needs { targets: [board.target.clone()].into(), qemu: true, ..Needs::default() };
        let toolchain = toolchain::find(&Needs { profiler: true, ..needs })?;
        Ok(Self { board, toolchain })
    }

    /// The core that models for the board are converted for.
    ///
    /// # Errors
    /// When the converter knows none of that name.
    pub fn core(&self) -> Result<Core> {
        Core::from_name(&self.board.cpu).with_context(|| format!("there is no core {}", self.board.cpu))
    }

    /// Builds a program for the board and returns its ELF file.
    ///
    /// # Errors
    /// When it does not build.
    pub fn build(&self, program: &str) -> Result<PathBuf> {
        Firmware::new(&self.board, program).build(&self.toolchain)
    }

    /// The cycle profiler.
    ///
    /// # Errors
    /// When its plugin or its firmware does not build.
    pub fn profiler(&self) -> Result<Profiler<'_>> {
        Profiler::build(&self.board, &self.toolchain)
    }

    /// Measures a firmware that runs one model.
    ///
    /// # Errors
    /// When it does not build or run.
    pub fn measure(&self, subject: &Subject<'_>) -> Result<Size> {
        size::measure(&self.board, &self.toolchain, subject)
    }
}
