//! What a model takes of a core: exact instructions and estimated cycles, by operator and by function.
//!
//! `docs/cycles.md` describes the timing model and what it leaves out.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::firmware::Firmware;
use crate::plugin;
use crate::qemu::{Launch, escape};
use crate::toolchain::Toolchain;

/// Large models take some seconds.
const LIMIT: Duration = Duration::from_secs(300);

/// Where a core's cycles come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The timing table of the core's reference manual.
    Manual,
    /// The table of another core: a guess.
    Guess,
    /// Nothing: there are no cycles.
    None,
}

/// How the plugin times a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Timing {
    /// The plugin's name of the core whose table it takes.
    table: &'static str,
    basis: Basis,
}

impl Timing {
    fn of(cpu: &str) -> Self {
        let (table, basis) = match cpu {
            "cortex-m0" => ("m0", Basis::Manual),
            "cortex-m3" => ("m3", Basis::Manual),
            "cortex-m4" => ("m4", Basis::Manual),
            // Its manual has no table; its pipeline is like the Cortex-M4's.
            "cortex-m33" => ("m4", Basis::Guess),
            _ => ("m4", Basis::None),
        };
        Self { table, basis }
    }
}

/// Instructions, and the cycles that they take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Exact.
    pub instructions: u64,
    /// Estimated.
    pub cycles: u64,
}

/// A function of the firmware with all that was inlined into it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Function {
    /// As the linker knows it.
    pub name: String,
    /// What it took without its callees.
    #[serde(flatten)]
    pub counts: Counts,
}

/// One inference of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measurement {
    /// The whole run.
    pub run: Counts,
    /// The nodes in the order of execution.
    pub nodes: Vec<Counts>,
    /// What ran, the costliest first.
    pub functions: Vec<Function>,
    /// Bytes of arena.
    pub arena: u64,
    /// Bytes of stack that loading and the run took.
    pub stack: u64,
}

impl Measurement {
    /// What the run took outside the kernels.
    #[must_use]
    pub fn overhead(&self) -> Counts {
        let sum = |of: fn(&Counts) -> u64| self.nodes.iter().map(of).sum::<u64>();
        Counts {
            instructions: self.run.instructions.saturating_sub(sum(|node| node.instructions)),
            cycles: self.run.cycles.saturating_sub(sum(|node| node.cycles)),
        }
    }
}

/// A board with the firmware and the plugin that measure models on it.
#[derive(Debug, Clone)]
pub struct Profiler<'a> {
    board: &'a Board,
    elf: PathBuf,
    plugin: PathBuf,
}

impl<'a> Profiler<'a> {
    /// Builds both.
    ///
    /// # Errors
    /// When one of them does not build.
    pub fn build(board: &'a Board, toolchain: &Toolchain) -> Result<Self> {
        let plugin = plugin::build()?;
        let elf = Firmware::new(board, "profile").build(toolchain)?;
        Ok(Self { board, elf, plugin })
    }

    /// Where the cycles come from.
    #[must_use]
    pub fn basis(&self) -> Basis {
        Timing::of(&self.board.cpu).basis
    }

    /// Runs a `.sct` file on its reference input. The board's memory has to hold it.
    ///
    /// # Errors
    /// When it does not run, or its results are not the reference's.
    pub fn measure(&self, model: &Path) -> Result<Measurement> {
        let report = report_path();
        let mut option = OsString::from(format!("file={}", escape(&self.plugin.to_string_lossy())));
        option.push(format!(",core={}", Timing::of(&self.board.cpu).table));
        option.push(format!(",out={}", escape(&report.to_string_lossy())));
        let launch = Launch {
            model: Some(model.to_owned()),
            options: vec!["-plugin".into(), option],
            limit: LIMIT,
            ..Launch::new(self.board, &self.elf)
        };
        let run = launch.run(|_| ())?;
        let what =
            || format!("{} on {}: {} {}", model.display(), self.board.name, run.ending, run.complaints);
        ensure!(run.ending.is_success(), "{}", what());
        let bytes = fs::read(&report).with_context(|| format!("{}: no report of the plugin", what()))?;
        // It lies in a folder for such files.
        let _ = fs::remove_file(&report);
        let report: Report = serde_json::from_slice(&bytes).context("the plugin's report")?;
        let [run_counts] = report.passes(RUN) else { anyhow::bail!("{}: not one run", what()) };
        Ok(Measurement {
            run: (*run_counts).into(),
            nodes: report.passes(NODE).iter().map(|&pass| pass.into()).collect(),
            arena: run.number("arena")?,
            stack: run.number("stack")?,
            functions: report.functions,
        })
    }
}

/// A file of its own for each report of each process.
fn report_path() -> PathBuf {
    static REPORTS: AtomicUsize = AtomicUsize::new(0);
    let number = REPORTS.fetch_add(1, Ordering::Relaxed);
    env::temp_dir().join(format!("secateur-cycles-{}-{number}.json", std::process::id()))
}

/// Region of the whole run, as `boards/src/bin/profile.rs` marks it.
const RUN: u8 = 0;
/// Region of a node.
const NODE: u8 = 1;

/// What the plugin writes.
#[derive(Deserialize)]
struct Report {
    regions: Vec<Region>,
    functions: Vec<Function>,
}

#[derive(Deserialize)]
struct Region {
    id: u8,
    /// Instructions and cycles of each pass.
    passes: Vec<[u64; 2]>,
}

impl Report {
    fn passes(&self, id: u8) -> &[[u64; 2]] {
        self.regions.iter().find(|region| region.id == id).map_or(&[], |region| &region.passes)
    }
}

impl From<[u64; 2]> for Counts {
    fn from([instructions, cycles]: [u64; 2]) -> Self {
        Self { instructions, cycles }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overhead_is_what_no_node_accounts_for() {
        let measurement = Measurement {
            run: Counts { instructions: 100, cycles: 150 },
            nodes: vec![Counts { instructions: 40, cycles: 60 }, Counts { instructions: 55, cycles: 80 }],
            functions: Vec::new(),
            arena: 0,
            stack: 0,
        };
        assert_eq!(measurement.overhead(), Counts { instructions: 5, cycles: 10 });
    }

    #[test]
    fn every_board_has_a_timing() {
        for board in crate::board::all().unwrap() {
            let documented = ["cortex-m0", "cortex-m3", "cortex-m4"].contains(&&*board.cpu);
            assert_eq!(Timing::of(&board.cpu).basis == Basis::Manual, documented, "{}", board.name);
        }
    }
}
