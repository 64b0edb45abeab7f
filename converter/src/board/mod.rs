//! Running models on boards that QEMU emulates.
//!
//! For each board there is one prebuilt firmware, the runner, which takes any model: no rebuild is needed per model.
//! `cargo xtask build --board all --bin runner` makes them. A directory of runners holds, per board,
//! `<board>/runner.elf` and the facts of the board, `<board>/board.toml`.
//!
//! # Contract with the runner
//!
//! - The model lies at the start of the board's model region when the firmware starts (QEMU's generic loader).
//! - The command line, read by semihosting, is `runner INPUT OUTPUT`: names of files in the directory where QEMU runs.
//!   `dump=NODES` after them names a third file.
//! - INPUT holds vectors one after another, each with all inputs in the tensors' own types; the runner writes the
//!   outputs of every vector to OUTPUT in the same form, and the outputs of every node, in the order of execution, to
//!   NODES.
//! - It ends QEMU with exit code 0, or with another one after a message on the standard error.

mod launch;

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;
use thiserror::Error;

use crate::io::FileError;
pub use launch::{OutputsOf, Wanted};

/// Names the directory of runners, where it is not found by itself.
pub const VARIABLE: &str = "SECATEUR_RUNNERS";

/// The boards that models can run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Boards {
    directory: Option<PathBuf>,
}

/// One board with its runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its name.
    pub name: String,
    /// The firmware.
    pub runner: PathBuf,
    /// QEMU's name of the machine.
    pub machine: String,
    /// Address of the model.
    pub model_address: u32,
    /// Bytes that a model may have.
    pub model_room: u32,
}

/// Why a model cannot run on a board.
#[derive(Debug, Error)]
pub enum BoardError {
    /// There is no such board, or no firmware for it.
    #[error(
        "no firmware for a board '{name}' was found; there are {}; \
         `cargo xtask build --board {name} --bin runner` builds that of another board",
        known.join(", ")
    )]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names that exist, and `host`.
        known: Vec<String>,
    },
    /// There are no runners.
    #[error(
        "cannot run on '{name}': no board firmware was found; build it with \
         `cargo xtask build --board {name} --bin runner`, or set {VARIABLE} to the directory that holds it"
    )]
    NoRunners {
        /// The name asked for.
        name: String,
    },
    /// The facts of a board cannot be read.
    #[error("{}: not a description of a board; build the firmware anew", .path.display())]
    Facts {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A temporary directory cannot be used.
    #[error("the exchange of files with the emulator failed")]
    Exchange(#[from] std::io::Error),
    /// QEMU is not there.
    #[error("{program} is not installed; install it with `cargo xtask setup` (Debian: qemu-system-arm)")]
    NoQemu {
        /// The program.
        program: &'static str,
    },
    /// The model does not fit.
    #[error("the model has {bytes} bytes, but {board} has room for {room}")]
    TooLarge {
        /// The board.
        board: String,
        /// The model's length.
        bytes: usize,
        /// The board's room.
        room: u32,
    },
    /// The firmware refuses or breaks.
    #[error("{board}: the firmware ended with {ending}{}", said(.message))]
    Firmware {
        /// The board.
        board: String,
        /// How it ended.
        ending: String,
        /// What it said.
        message: String,
    },
    /// The firmware takes too long.
    #[error("{board}: stopped after {seconds} s; --time-limit gives it more{}", said(.message))]
    TimedOut {
        /// The board.
        board: String,
        /// The time it had.
        seconds: u64,
        /// What it said.
        message: String,
    },
    /// The firmware wrote other than it should.
    #[error("{board}: the firmware wrote {found} bytes of output, not {expected}")]
    OutputLength {
        /// The board.
        board: String,
        /// Bytes written.
        found: usize,
        /// Bytes of all vectors.
        expected: usize,
    },
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!("; it said:\n{message}") }
}

/// What matters here of `board.toml`.
#[derive(Deserialize)]
struct Facts {
    memory: Memory,
    qemu: Emulation,
}

#[derive(Deserialize)]
struct Memory {
    model: Region,
}

#[derive(Deserialize)]
struct Region {
    origin: u32,
    length: u32,
}

#[derive(Deserialize)]
struct Emulation {
    machine: String,
}

impl Boards {
    /// Finds the runners: where [`VARIABLE`] says, else in `firmware/boards` of the target directory that this program
    /// was built in, else of the one below the current directory.
    pub fn find() -> Self {
        if let Some(directory) = env::var_os(VARIABLE) {
            return Self::in_directory(Path::new(&directory));
        }
        let own = env::current_exe().ok();
        let near =
            own.iter().flat_map(|program| program.ancestors()).map(|above| above.join("firmware/boards"));
        let here = PathBuf::from("target/firmware/boards");
        Self { directory: near.chain([here]).find(|directory| directory.is_dir()) }
    }

    /// The runners in a directory.
    pub fn in_directory(directory: &Path) -> Self {
        Self { directory: Some(directory.to_owned()) }
    }

    /// Names of all boards that have a runner.
    pub fn names(&self) -> Vec<String> {
        let entries = self.directory.iter().filter_map(|directory| fs::read_dir(directory).ok()).flatten();
        let boards = entries.flatten().filter(|entry| entry.path().join(RUNNER).is_file());
        let mut names: Vec<String> =
            boards.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The board of that name.
    ///
    /// # Errors
    /// If there is none, with the names of those there are.
    pub fn get(&self, name: &str) -> Result<Board, BoardError> {
        let names = self.names();
        let Some(directory) = self.directory.as_ref().filter(|_| !names.is_empty()) else {
            return Err(BoardError::NoRunners { name: name.to_owned() });
        };
        if !names.iter().any(|known| known == name) {
            let known = std::iter::once("host".to_owned()).chain(names).collect();
            return Err(BoardError::Unknown { name: name.to_owned(), known });
        }
        let folder = directory.join(name);
        let path = folder.join("board.toml");
        let text =
            fs::read_to_string(&path).map_err(|source| FileError::Read { path: path.clone(), source })?;
        let facts: Facts =
            toml::from_str(&text).map_err(|source| BoardError::Facts { path, source: Box::new(source) })?;
        Ok(Board {
            name: name.to_owned(),
            // QEMU runs elsewhere.
            runner: folder.join(RUNNER).canonicalize()?,
            machine: facts.qemu.machine,
            model_address: facts.memory.model.origin,
            model_room: facts.memory.model.length,
        })
    }
}

/// File name of a runner.
const RUNNER: &str = "runner.elf";

#[cfg(test)]
mod tests {
    use super::*;

    fn runners() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("m4");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(RUNNER), "ELF").unwrap();
        let facts = "cpu = \"cortex-m4\"\n[memory]\nmodel = { origin = 0x10_0000, length = 0x20 }\n\
                     [qemu]\nmachine = \"mps2-an386\"\n";
        fs::write(folder.join("board.toml"), facts).unwrap();
        fs::create_dir(directory.path().join("without")).unwrap();
        directory
    }

    #[test]
    fn boards_are_the_folders_with_a_runner() {
        let directory = runners();
        let boards = Boards::in_directory(directory.path());
        assert_eq!(boards.names(), ["m4"]);
        let board = boards.get("m4").unwrap();
        assert_eq!(
            (board.machine.as_str(), board.model_address, board.model_room),
            ("mps2-an386", 0x10_0000, 32)
        );
        let message = boards.get("m5").unwrap_err().to_string();
        assert!(
            message.starts_with("no firmware for a board 'm5' was found; there are host, m4; "),
            "{message}"
        );
        assert!(message.contains("cargo xtask build --board m5"), "{message}");
    }

    #[test]
    fn without_runners_the_message_says_how_to_build_them() {
        let directory = tempfile::tempdir().unwrap();
        let message = Boards::in_directory(directory.path()).get("m4").unwrap_err().to_string();
        assert!(message.contains("cargo xtask build"), "{message}");
    }

    #[test]
    fn a_model_that_is_too_large_is_refused_before_anything_starts() {
        let directory = runners();
        let board = Boards::in_directory(directory.path()).get("m4").unwrap();
        let wanted = Wanted { outputs_of: OutputsOf::Model, vectors: 1, bytes: 1 };
        let error = board.run(&[0; 33], &[0], wanted, std::time::Duration::from_secs(1)).unwrap_err();
        assert!(matches!(error, BoardError::TooLarge { bytes: 33, room: 32, .. }));
    }
}
