//! The table of boards, read from `boards/<board>/board.toml`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::workspace;

/// What the tooling has to know about a board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// The folder's name, which is also the cargo feature of the `boards` package.
    #[serde(skip)]
    pub name: String,
    /// The core whose code it runs, where that is not its own.
    #[serde(skip)]
    pub foreign_core: Option<String>,
    /// Rust target triple.
    pub target: String,
    /// The processor, as compilers call it.
    pub cpu: String,
    /// The best inner loops of the runtime that the processor can run.
    pub isa: Isa,
    /// What the linker may use; the same numbers as in `memory.x`.
    pub memory: Memory,
    /// How to emulate the board.
    pub qemu: Emulation,
    /// What the example firmware may take.
    pub budget: Budget,
}

/// An instruction set that the runtime has inner loops for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isa {
    /// Plain Rust.
    Scalar,
    /// The DSP extension of Armv7E-M and Armv8-M.
    Dsp,
}

/// A board's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// The firmware: code and constants.
    pub flash: Region,
    /// A model that is not linked into the firmware.
    pub model: Region,
    /// Variables, arena and stack.
    pub ram: Region,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// First address.
    pub origin: u32,
    /// Bytes.
    pub length: u32,
}

/// Bytes that a firmware may take beside its model and arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Flash for the runtime's code and constants.
    pub runtime: u64,
    /// Flash for the board's support.
    pub support: u64,
    /// Stack of an inference.
    pub stack: u64,
}

/// A board as QEMU knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emulation {
    /// Name of the machine (`-M`).
    pub machine: String,
}

impl Board {
    /// Reads the facts of one board from its folder.
    ///
    /// # Errors
    /// When the folder has no well-formed `board.toml`.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join("board.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let mut board: Self = toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
        board.name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(board)
    }

    /// The board with the code of another one's core, which its own has to be able to run.
    #[must_use]
    pub fn with_code_of(&self, other: &Self) -> Self {
        Self {
            target: other.target.clone(),
            cpu: other.cpu.clone(),
            isa: other.isa,
            foreign_core: Some(other.cpu.clone()),
            ..self.clone()
        }
    }

    /// The name, and the core whose code it runs where that is not its own.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.foreign_core {
            Some(core) => format!("{}-{core}", self.name),
            None => self.name.clone(),
        }
    }

    /// The folder of `board.toml` and `memory.x`.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        folder_of_boards().join(&self.name)
    }
}

/// Every board, by name.
///
/// # Errors
/// When a `board.toml` is not well-formed.
pub fn all() -> Result<Vec<Board>> {
    let folder = folder_of_boards();
    let mut boards = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.join("board.toml").is_file() {
            boards.push(Board::read(&path)?);
        }
    }
    boards.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(boards)
}

/// The boards that a `--board` option names: one, or every one for `all`.
///
/// # Errors
/// When there is no board of that name; the message lists those that exist.
pub fn select(name: &str) -> Result<Vec<Board>> {
    let boards = all()?;
    if name == "all" {
        return Ok(boards);
    }
    let names: Vec<&str> = boards.iter().map(|board| board.name.as_str()).collect();
    let Some(position) = names.iter().position(|candidate| *candidate == name) else {
        bail!("there is no board `{name}`; there are {}, and `all`", names.join(", "));
    };
    Ok(boards.into_iter().skip(position).take(1).collect())
}

/// Boards that have room for every model, each with the board whose code it runs where that is another one's.
const MEASURED: &[(&str, Option<&str>)] =
    &[("mps2-an386", None), ("mps2-an505", None), ("mps2-an385", None), ("mps2-an385", Some("microbit"))];

/// The boards that stand for a core each, in benchmarks and cost tables.
///
/// # Errors
/// When a `board.toml` is not well-formed.
pub fn measured() -> Result<Vec<Board>> {
    let named = |name: &str| Ok::<Board, anyhow::Error>(select(name)?.remove(0));
    MEASURED
        .iter()
        .map(|&(name, code)| match code {
            Some(other) => Ok(named(name)?.with_code_of(&named(other)?)),
            None => named(name),
        })
        .collect()
}

/// The board that stands for a core.
///
/// # Errors
/// When none does.
pub fn standing_for(cpu: &str) -> Result<Board> {
    let boards = measured()?;
    let cores: Vec<String> = boards.iter().map(|board| board.cpu.clone()).collect();
    let found = boards.into_iter().find(|board| board.cpu == cpu);
    found.with_context(|| format!("no board stands for {cpu}; there are some for {}", cores.join(", ")))
}

fn folder_of_boards() -> PathBuf {
    workspace::root().join("boards")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_is_well_formed_and_its_regions_are_apart() {
        let boards = all().unwrap();
        assert!(boards.len() >= 7);
        for board in boards {
            let Memory { flash, model, ram } = board.memory;
            for (one, other) in [(flash, model), (flash, ram), (model, ram)] {
                let apart =
                    one.origin + one.length <= other.origin || other.origin + other.length <= one.origin;
                assert!(apart, "{}: {one:x?} and {other:x?} overlap", board.name);
            }
        }
    }

    #[test]
    fn an_unknown_board_is_answered_with_the_known_ones() {
        let message = select("mps2-an999").unwrap_err().to_string();
        assert!(message.contains("mps2-an999") && message.contains("mps2-an386"), "{message}");
    }
}
