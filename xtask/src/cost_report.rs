//! A measured model in print: a row per operator, as text or as JSON.

use std::fmt;

use anyhow::{Context, Result, ensure};
use rustc_demangle::demangle;
use serde::Serialize;
use serde_json::Value;

use crate::board::Board;
use crate::profile::{Basis, Counts, Measurement};

/// Version of the JSON document: raised when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// What one inference costs on a board. Cycles are null where there is no basis for them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CostReport {
    schema: u32,
    command: &'static str,
    model: String,
    board: String,
    cpu: String,
    basis: Basis,
    operators: Vec<OperatorCost>,
    overhead: Cost,
    total: Cost,
    /// Functions, the costliest first; none where they were not asked for.
    pub functions: Option<Vec<FunctionCost>>,
}

/// A count with what it means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Cost {
    macs: u64,
    instructions: u64,
    cycles: Option<u64>,
    cycles_per_mac: Option<f64>,
    share: f64,
}

/// One operator.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct OperatorCost {
    index: usize,
    kind: String,
    name: String,
    packing: Option<String>,
    input: Vec<u64>,
    output: Vec<u64>,
    #[serde(flatten)]
    cost: Cost,
}

/// One function.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FunctionCost {
    name: String,
    #[serde(flatten)]
    cost: Cost,
}

impl CostReport {
    /// Puts together what was measured and what `secateur inspect --json` says of the file.
    ///
    /// # Errors
    /// When the two are not of the same model.
    pub fn new(
        model: &str,
        board: &Board,
        basis: Basis,
        description: &Value,
        measurement: &Measurement,
    ) -> Result<Self> {
        let described = description["operators"].as_array().context("no operators in the description")?;
        let same = described.len() == measurement.nodes.len();
        ensure!(same, "{} operators described, {} measured", described.len(), measurement.nodes.len());
        let whole = measurement.run;
        let cost = |macs: u64, counts: Counts| Cost::new(macs, counts, whole, basis);
        let operators = described.iter().zip(&measurement.nodes).enumerate();
        let operators: Vec<OperatorCost> = operators
            .map(|(index, (operator, &counts))| OperatorCost {
                index,
                kind: text(&operator["kind"]).unwrap_or_default(),
                name: text(&operator["name"]).unwrap_or_default(),
                packing: text(&operator["weights"]["packing"]),
                input: shape(&operator["inputs"]),
                output: shape(&operator["outputs"]),
                cost: cost(operator["macs"].as_u64().unwrap_or(0), counts),
            })
            .collect();
        let macs = operators.iter().map(|operator| operator.cost.macs).sum();
        let function = |function: &crate::profile::Function| FunctionCost {
            // Without the hash at its end.
            name: format!("{:#}", demangle(&function.name)),
            cost: cost(0, function.counts),
        };
        Ok(Self {
            schema: SCHEMA,
            command: "profile",
            model: model.to_owned(),
            board: board.name.clone(),
            cpu: board.cpu.clone(),
            basis,
            operators,
            overhead: cost(0, measurement.overhead()),
            total: cost(macs, whole),
            functions: Some(measurement.functions.iter().map(function).collect()),
        })
    }
}

impl Cost {
    fn new(macs: u64, counts: Counts, whole: Counts, basis: Basis) -> Self {
        let cycles = (basis != Basis::None).then_some(counts.cycles);
        let [part, all] = match basis {
            Basis::None => [counts.instructions, whole.instructions],
            _ => [counts.cycles, whole.cycles],
        };
        Self {
            macs,
            instructions: counts.instructions,
            cycles,
            cycles_per_mac: cycles.filter(|_| macs > 0).map(|cycles| cycles as f64 / macs as f64),
            share: part as f64 / all.max(1) as f64,
        }
    }

    /// Its columns: MACs, instructions, cycles, cycles per MAC, share.
    fn cells(&self) -> String {
        let or_dash = |cell: Option<String>| cell.unwrap_or_else(|| "-".to_owned());
        let macs = if self.macs == 0 { String::new() } else { grouped(self.macs) };
        let per_mac = match self.macs {
            0 => String::new(),
            _ => or_dash(self.cycles_per_mac.map(|ratio| format!("{ratio:.2}"))),
        };
        format!(
            "{macs:>11} {:>12} {:>12} {per_mac:>8} {:>6.1} %",
            grouped(self.instructions),
            or_dash(self.cycles.map(grouped)),
            100.0 * self.share
        )
    }
}

impl fmt::Display for CostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {} ({})", self.model, self.board, self.cpu)?;
        let basis = match self.basis {
            Basis::Manual => "cycles are estimated from the core's timing table, memory without wait states",
            Basis::Guess => "cycles are a guess: the core has no timing table, so the Cortex-M4's was taken",
            Basis::None => {
                "the core has no timing table that would do: instructions alone, shares are theirs"
            }
        };
        writeln!(f, "instructions are exact; {basis}\n")?;
        let heading = |f: &mut fmt::Formatter<'_>, first: &str| {
            let columns = ["MACs", "instructions", "cycles", "per MAC", "share"];
            let [macs, instructions, cycles, per_mac, share] = columns;
            writeln!(f, "{first} {macs:>11} {instructions:>12} {cycles:>12} {per_mac:>8} {share:>8}")
        };
        heading(f, &format!("{:>3} {:<16} {:<10} {:<24}", "#", "operator", "packing", "shape"))?;
        for operator in &self.operators {
            let shape = format!("{} > {}", dimensions(&operator.input), dimensions(&operator.output));
            let packing = operator.packing.as_deref().unwrap_or_default();
            let OperatorCost { index, kind, cost, .. } = operator;
            writeln!(f, "{index:>3} {kind:<16} {packing:<10} {shape:<24} {}", cost.cells())?;
        }
        writeln!(f, "    {:<52} {}", "outside the kernels", self.overhead.cells())?;
        writeln!(f, "    {:<52} {}", "total", self.total.cells())?;
        let Some(functions) = &self.functions else { return Ok(()) };
        writeln!(f)?;
        heading(f, &format!("{:<56}", "function"))?;
        for FunctionCost { name, cost } in functions {
            writeln!(f, "{:<56} {}", shortened(name, 56), cost.cells())?;
        }
        Ok(())
    }
}

/// Dimensions without those of one before the others.
fn dimensions(shape: &[u64]) -> String {
    let ones =
        shape.iter().take(shape.len().saturating_sub(1)).take_while(|&&dimension| dimension == 1).count();
    let kept: Vec<String> = shape.iter().skip(ones).map(u64::to_string).collect();
    kept.join("x")
}

/// The shape of the first of some tensors.
fn shape(tensors: &Value) -> Vec<u64> {
    let dimensions = tensors[0]["shape"].as_array();
    dimensions.map_or_else(Vec::new, |dimensions| dimensions.iter().filter_map(Value::as_u64).collect())
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The end of a name that is too long.
fn shortened(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 1 - width).collect();
    format!("…{end}")
}

/// `1234567` as `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::profile::Function;
    use crate::workspace;

    fn report(basis: Basis) -> CostReport {
        let board = crate::board::select("mps2-an386").unwrap().remove(0);
        let operator = json!({
            "kind": "Conv2d", "name": "first", "macs": 1000, "weights": { "packing": "lanes" },
            "inputs": [{ "shape": [1, 4, 4, 2] }], "outputs": [{ "shape": [1, 4, 4, 8] }],
        });
        let counts = Counts { instructions: 1500, cycles: 2000 };
        let measurement = Measurement {
            run: Counts { instructions: 1600, cycles: 2500 },
            nodes: vec![counts],
            functions: vec![Function { name: "_ZN4core3fmt5write17h0123456789abcdefE".into(), counts }],
            arena: 0,
            stack: 0,
        };
        CostReport::new("model.sct", &board, basis, &json!({ "operators": [operator] }), &measurement)
            .unwrap()
    }

    #[test]
    fn the_text_has_a_row_per_operator_and_what_remains() {
        let text = report(Basis::Manual).to_string();
        for part in [
            "Conv2d           lanes      4x4x2 > 4x4x8",
            "2,000     2.00   80.0 %",
            "500",
            "core::fmt::write ",
        ] {
            assert!(text.contains(part), "no '{part}' in\n{text}");
        }
    }

    #[test]
    fn without_a_timing_table_there_are_no_cycles() {
        let report = report(Basis::None);
        assert_eq!((report.total.cycles, report.operators[0].cost.cycles_per_mac), (None, None));
        assert_eq!(report.operators[0].cost.share, 1500.0 / 1600.0);
    }

    #[test]
    fn a_description_of_another_model_is_refused() {
        let board = crate::board::select("mps2-an386").unwrap().remove(0);
        let measurement =
            Measurement { run: Counts::default(), nodes: vec![], functions: vec![], arena: 0, stack: 0 };
        let other = json!({ "operators": [{}] });
        assert!(CostReport::new("m", &board, Basis::Manual, &other, &measurement).is_err());
    }

    #[test]
    fn the_documentation_lists_the_keys_of_the_json() {
        fn visit(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
            match value {
                Value::Object(object) => {
                    for (key, value) in object {
                        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                        keys.insert(path.clone());
                        visit(value, &path, keys);
                    }
                }
                Value::Array(elements) => {
                    elements.iter().for_each(|element| visit(element, &format!("{path}[]"), keys));
                }
                _ => {}
            }
        }
        let mut emitted = BTreeSet::new();
        visit(&serde_json::to_value(report(Basis::Manual)).unwrap(), "", &mut emitted);
        let text = std::fs::read_to_string(workspace::root().join("docs/cycles.md")).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
        let documented: BTreeSet<String> =
            rows.map(|row| row.split('`').next().unwrap_or_default().to_owned()).collect();
        assert_eq!(emitted, documented);
    }
}
