//! One file per command: its options, and `run`, which prints and composes what the library does.
#![allow(clippy::print_stdout)] // Printing is what commands are for.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod costs;
pub(crate) mod demo;
pub(crate) mod profile;
pub(crate) mod qemu;
pub(crate) mod setup;
pub(crate) mod size;
pub(crate) mod test;
pub(crate) mod tidy;

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use xtask::board::{self, Board};
use xtask::firmware::Firmware;
use xtask::toolchain::{self, Needs, Toolchain};

/// A DS-CNN for Fashion-MNIST, trained for this project.
const EXAMPLE: &str = "tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite";

/// Which firmware, for which boards.
#[derive(Args)]
pub(crate) struct Selection {
    /// A folder of boards/, or `all`
    #[arg(long, value_name = "NAME")]
    board: String,
    /// A program of boards/src/bin/
    #[arg(long = "bin", value_name = "PROGRAM", default_value = "hello")]
    program: String,
    /// Features of the boards package beside those that the program needs, separated by commas
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    features: Vec<String>,
}

impl Selection {
    /// The boards, and the means to build for them.
    fn set_up(&self, qemu: bool) -> Result<(Vec<Board>, Toolchain)> {
        let boards = board::select(&self.board)?;
        let needs = Needs { targets: targets(&boards), qemu, ..Needs::default() };
        let toolchain = toolchain::set_up(&needs)?;
        Ok((boards, toolchain))
    }

    fn build(&self, toolchain: &Toolchain, board: &Board) -> Result<PathBuf> {
        let features: Vec<&str> = self.features.iter().map(String::as_str).collect();
        Firmware { features: &features, ..Firmware::new(board, &self.program) }.build(toolchain)
    }
}

fn targets(boards: &[Board]) -> BTreeSet<String> {
    boards.iter().map(|board| board.target.clone()).collect()
}
