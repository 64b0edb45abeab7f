//! What a whole model is expected to take.

use secateur::Model;
use serde::Serialize;

use super::{Estimate, Table};
use crate::describe::Description;

/// Estimated cycles of one inference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// The core.
    pub core: String,
    /// The operators in the order of execution.
    pub operators: Vec<OperatorForecast>,
    /// Cycles outside the operators.
    pub overhead: u64,
    /// All cycles; null if an operator's are unknown.
    pub total: Option<u64>,
    /// All cycles per multiply-accumulate; null if unknown.
    pub cycles_per_mac: Option<f64>,
}

/// Estimated cycles of one operator; all null if its class was never measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperatorForecast {
    /// Position in the order of execution.
    pub index: u16,
    /// Cycles.
    pub cycles: Option<u64>,
    /// Cycles per multiply-accumulate; null for an operator without weights.
    pub cycles_per_mac: Option<f64>,
    /// Share of all cycles that are known, from 0 to 1.
    pub share: Option<f64>,
}

impl Forecast {
    /// The estimates for a model and its description.
    pub fn new(model: &Model<'_>, description: &Description, table: &Table) -> Self {
        let cycles: Vec<Option<u64>> = model
            .tables()
            .nodes()
            .map(|node| table.cycles(&node).map(|Estimate { cycles }| cycles))
            .collect();
        let overhead = table.overhead(cycles.len());
        let known = cycles.iter().flatten().sum::<u64>() + overhead;
        let total = cycles.iter().all(Option::is_some).then_some(known);
        let per_mac = |cycles: u64, macs: u64| (macs > 0).then(|| cycles as f64 / macs as f64);
        let operators = description.operators.iter().zip(cycles);
        let operators = operators
            .map(|(operator, cycles)| OperatorForecast {
                index: operator.index,
                cycles,
                cycles_per_mac: cycles.and_then(|cycles| per_mac(cycles, operator.macs?)),
                share: cycles.map(|cycles| cycles as f64 / known.max(1) as f64),
            })
            .collect();
        Self {
            core: table.core.clone(),
            operators,
            overhead,
            total,
            cycles_per_mac: total.and_then(|total| per_mac(total, description.totals.macs)),
        }
    }
}
