//! What operators cost on a core, estimated without running them.
//!
//! A table per core, fitted to runs of the cycle profiler over a grid of shapes (`cargo xtask costs`), gives each class of
//! nodes - operator, packing, variant - the cycles that one unit of each of its [`terms`] takes. `docs/cycles.md` says what
//! the cycles mean.
//!
//! Adding a packing: its terms in [`terms`], shapes in `tests/costs/grid.rs`, and a new fit.

pub mod fit;
mod forecast;
pub mod terms;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use secateur::format::Node;
use serde::{Deserialize, Serialize};

use crate::core::Core;
pub use forecast::{Forecast, OperatorForecast};
use terms::Terms;

/// Cycles of one core.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The core's name.
    pub core: String,
    /// Cycles that the engine takes once in every run.
    pub per_run: f64,
    /// Cycles that the engine takes around each node.
    pub per_node: f64,
    /// What each class of nodes costs, by its name.
    pub classes: BTreeMap<String, Class>,
}

/// What one class of nodes costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// Number of runs that this was fitted to.
    pub runs: usize,
    /// Median of the relative errors over these runs, in percent.
    pub median_error_percent: f64,
    /// Largest of the relative errors over these runs, in percent.
    pub largest_error_percent: f64,
    /// Cycles of one unit of each term; terms that cost nothing are left out.
    pub cycles: BTreeMap<String, f64>,
}

/// What a node is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// Cycles, the engine's share left out.
    pub cycles: u64,
}

impl Table {
    /// The table of a core that has one.
    pub fn for_core(core: Core) -> Option<&'static Self> {
        static TABLES: OnceLock<BTreeMap<&'static str, Table>> = OnceLock::new();
        let tables = TABLES.get_or_init(|| {
            let parse = |(core, text): &(Core, &str)| Some((core.name(), serde_json::from_str(text).ok()?));
            FILES.iter().filter_map(parse).collect()
        });
        tables.get(core.name())
    }

    /// What a node takes on this core; `None` for a node of a class that was not measured.
    pub fn cycles(&self, node: &Node<'_>) -> Option<Estimate> {
        let Terms { class, values } = terms::of(node)?;
        let class = self.classes.get(&class)?;
        let cost = |&(name, count): &(&str, f64)| class.cycles.get(name).map_or(0.0, |cycles| cycles * count);
        let cycles: f64 = values.iter().map(cost).sum();
        Some(Estimate { cycles: cycles.round() as u64 })
    }

    /// The cores that have a table.
    pub fn cores() -> impl Iterator<Item = Core> {
        FILES.iter().map(|&(core, _)| core)
    }

    /// What the engine takes around so many nodes.
    pub fn overhead(&self, nodes: usize) -> u64 {
        (self.per_run + self.per_node * nodes as f64).round() as u64
    }
}

/// The tables that there are.
const FILES: &[(Core, &str)] = &[
    (Core::CortexM0, include_str!("cortex-m0.json")),
    (Core::CortexM3, include_str!("cortex-m3.json")),
    (Core::CortexM4, include_str!("cortex-m4.json")),
    (Core::CortexM33, include_str!("cortex-m33.json")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_can_be_read_and_names_its_core() {
        for (core, _) in FILES {
            let table = Table::for_core(*core).unwrap();
            assert_eq!(table.core, core.name());
            assert!(!table.classes.is_empty());
        }
    }

    #[test]
    fn a_core_without_a_table_has_no_estimates() {
        assert!(Table::for_core(Core::CortexM55).is_none());
    }
}
