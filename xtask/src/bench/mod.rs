//! What models take of each core, compared with what they took before.
//!
//! - [`Figures`]: what was measured, by model and core; kept as JSON in `tests/bench/baseline.json`.
//! - [`compare`]: what rose and what fell.
//! - [`page`]: the text of `docs/benchmarks.md`.

mod compare;
mod page;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

pub use compare::{Change, Comparison, LIMIT, compare};
pub use page::{Peers, page};

use crate::workspace;

/// What a model takes of a core.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Multiply-accumulates of one inference after folding.
    pub macs: u64,
    /// Executed instructions of one inference.
    pub instructions: u64,
    /// Estimated cycles of one inference.
    pub cycles: u64,
    /// Bytes of arena.
    pub arena: u64,
    /// Bytes of stack that loading and an inference take.
    pub stack: u64,
    /// Bytes of the `.sct` file.
    pub model: u64,
    /// Flash for the runtime's code and constants with this model's operators, where it was measured.
    pub runtime: Option<u64>,
}

impl Figures {
    /// Every quantity that may not rise, with its name.
    #[must_use]
    pub fn quantities(&self) -> Vec<(&'static str, u64)> {
        let always = [
            ("instructions", self.instructions),
            ("cycles", self.cycles),
            ("arena", self.arena),
            ("stack", self.stack),
            ("model", self.model),
        ];
        always.into_iter().chain(self.runtime.map(|bytes| ("runtime", bytes))).collect()
    }
}

/// Figures by core.
pub type ByCore = BTreeMap<String, Figures>;

/// Figures by model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Table(pub BTreeMap<String, ByCore>);

impl Table {
    /// Where the committed figures lie.
    #[must_use]
    pub fn baseline() -> PathBuf {
        workspace::root().join("tests/bench/baseline.json")
    }

    /// Reads figures; there are none where there is no file.
    ///
    /// # Errors
    /// When the file is something else.
    pub fn read(file: &Path) -> Result<Self> {
        if !file.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("in {}", file.display()))
    }

    /// Writes the figures in a fixed order.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("figures as JSON")? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// Takes over the other table's models, each as a whole.
    pub fn update(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

#[cfg(test)]
fn figures(cycles: u64) -> Figures {
    Figures { macs: 1000, instructions: 800, cycles, arena: 100, stack: 50, model: 70, runtime: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_figures_can_be_read_and_are_in_their_form() {
        let file = Table::baseline();
        let table = Table::read(&file).unwrap();
        assert!(table.0.contains_key("fashion_dscnn_int8"));
        let text = serde_json::to_string_pretty(&table).unwrap() + "\n";
        assert_eq!(text, fs::read_to_string(file).unwrap());
    }
}
