//! Build tooling, the half that tests and commands share.
//!
//! From the ground up:
//!
//! - [`workspace`]: where things lie.
//! - [`process`]: child processes with a clean environment, captured output and a time limit.
//! - [`board`]: the table of boards, read from `boards/<board>/`.
//! - [`toolchain`]: finds or installs a compiler for a board's target, and QEMU.
//! - [`firmware`]: builds a program of the `boards` package for a board.
//! - [`elf`]: measures it.
//! - [`secateur`]: the converter as a command.
//! - [`qemu`]: runs one, and [`logs`] decodes what it says.
//! - [`profile`]: instructions and cycles of a model, counted by the [`plugin`] of QEMU;
//!   [`cost_report`] puts them in print.
//! - [`size`]: what an inference takes of a board's flash and RAM.
//! - [`mod@bench`]: what models take of each core, compared with what they took before.
//! - [`libtest`] and [`report`]: what the tests said, counted and listed; [`skip`] is how a test says it did not run.
//! - [`tidy`]: the rules of the source tree that no compiler checks.
//!
//! Invariant: nothing here depends on the product's crates, so that a broken runtime never breaks its own tooling.

pub mod bench;
pub mod board;
pub mod cost_report;
pub mod elf;
pub mod firmware;
pub mod libtest;
pub mod logs;
pub mod plugin;
pub mod process;
pub mod profile;
pub mod qemu;
pub mod report;
pub mod secateur;
pub mod size;
pub mod skip;
pub mod tidy;
pub mod toolchain;
pub mod workspace;
