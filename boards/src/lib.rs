//! What every firmware needs and no program should know: start-up, faults, the way out, the stack's measure.
//!
//! - `board`: the selected board. Every board offers the same names, so programs know no chip.
//! - `flash`: the model that lies beside the firmware.
//! - `host`: command line and files of the host, where the board is attached to one.
//! - `region`: marks for the cycle profiler.
//! - `stack`: how deep the stack has been.
//! - `fault`: panics and hardware faults become a message and an exit code.
//!
//! A board is the folder `<board>/` of `board.toml` (facts for the build tooling) and `memory.x` (the linker's memory
//! map), a feature of that name, and at most one module below `src/board/`. The programs are in `src/bin/`;
//! `cargo xtask qemu --board NAME --bin PROGRAM` builds and runs one.
//!
//! On a host the crate is empty, so that tools that check the whole workspace pass over it.
#![no_std]

#[cfg(target_os = "none")]
pub mod board;
#[cfg(target_os = "none")]
mod digits;
#[cfg(target_os = "none")]
mod fault;
#[cfg(target_os = "none")]
pub mod flash;
#[cfg(all(target_os = "none", feature = "_qemu"))]
pub mod host;
#[cfg(target_os = "none")]
pub mod region;
#[cfg(target_os = "none")]
pub mod stack;
