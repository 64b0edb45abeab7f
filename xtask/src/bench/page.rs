//! `docs/benchmarks.md`: the figures as tables.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Figures, Table};
use crate::cost_report::grouped;
use crate::workspace;

/// Another engine's figures on the same models, from `tests/bench/peers.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peers {
    name: String,
    cpu: String,
    models: BTreeMap<String, Peer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Peer {
    instructions: u64,
    cycles: u64,
    arena: u64,
    code: u64,
}

impl Peers {
    /// Reads the figures.
    ///
    /// # Errors
    /// When there are none.
    pub fn read() -> Result<Self> {
        let file = workspace::root().join("tests/bench/peers.toml");
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))
    }
}

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench --update`; `cargo xtask bench` measures again and fails where a figure rose by more than 1 %.
One inference on an emulated board. Instructions are exact, cycles are estimated by the timing model of
[cycles.md](cycles.md), with memory that answers at once. No figure was measured on silicon.

`fashion_dscnn_int8` is this project's own model, the others are published ones: MLPerf Tiny and the examples of TensorFlow
Lite Micro. Multiply-accumulates are those that remain after constant channels were folded away, which changes no output;
`vww_96_int8` has 7,489,664 before that. Arena, stack and the model's file are in bytes.
";

/// The page.
#[must_use]
pub fn page(table: &Table, peers: &Peers) -> String {
    let mut text = HEAD.to_owned();
    against(&mut text, table, peers);
    for (core, note) in CORES {
        of_core(&mut text, table, core, note);
    }
    runtime(&mut text, table);
    text
}

/// The cores in their order on the page, with what has to be said of each.
const CORES: &[(&str, &str)] = &[
    ("cortex-m4", "mps2-an386, kernels for the DSP extension."),
    (
        "cortex-m33",
        "mps2-an505, kernels for the DSP extension. Cycles by the Cortex-M4's timing table, so they are a guess.",
    ),
    ("cortex-m3", "mps2-an385, portable kernels."),
    ("cortex-m0", "mps2-an385 running Armv6-M code, portable kernels, timed as a Cortex-M0."),
];

/// Beside the other engine, where it has figures.
fn against(text: &mut String, table: &Table, peers: &Peers) {
    let Peers { name, cpu, models } = peers;
    let _ = writeln!(text, "\n## Beside {name}, {cpu}\n");
    let _ = writeln!(
        text,
        "TensorFlow Lite Micro 90b983c (core -Os, kernels -O2, only the needed operators) with CMSIS-NN 99f736a, \
         gcc 12.2, on the same emulated\nboard under the same counter.\n"
    );
    let _ = writeln!(
        text,
        "| model | cycles | {name} | factor | instructions | {name} | arena | {name} |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    for (model, peer) in models {
        let Some(Figures { cycles, instructions, arena, .. }) =
            table.0.get(model).and_then(|cores| cores.get(cpu))
        else {
            continue;
        };
        let factor = peer.cycles as f64 / (*cycles).max(1) as f64;
        let numbers =
            [*cycles, peer.cycles, *instructions, peer.instructions, *arena, peer.arena].map(grouped);
        let [cycles, peer_cycles, instructions, peer_instructions, arena, peer_arena] = numbers;
        let _ = writeln!(
            text,
            "| {model} | {cycles} | {peer_cycles} | {factor:.2} | {instructions} | {peer_instructions} | {arena} | {peer_arena} |"
        );
    }
    let codes = || models.values().map(|peer| peer.code);
    if let (Some(least), Some(most)) = (codes().min(), codes().max()) {
        let _ = writeln!(
            text,
            "\nIts code takes {} to {} bytes of flash with these models, a small test harness included.",
            grouped(least),
            grouped(most)
        );
    }
}

fn of_core(text: &mut String, table: &Table, core: &str, note: &str) {
    let _ = writeln!(text, "\n## {core}\n\n{note}\n");
    let _ = writeln!(
        text,
        "| model | MACs | instructions | cycles | per MAC | arena | stack | model |\n|---|--:|--:|--:|--:|--:|--:|--:|"
    );
    for (model, cores) in &table.0 {
        let Some(figures) = cores.get(core) else { continue };
        let Figures { macs, instructions, cycles, arena, stack, model: bytes, .. } = *figures;
        let per_mac = cycles as f64 / macs.max(1) as f64;
        let [macs, instructions, cycles, arena, stack, bytes] =
            [macs, instructions, cycles, arena, stack, bytes].map(grouped);
        let _ = writeln!(
            text,
            "| {model} | {macs} | {instructions} | {cycles} | {per_mac:.2} | {arena} | {stack} | {bytes} |"
        );
    }
}

/// Flash of the runtime, where it was measured.
fn runtime(text: &mut String, table: &Table) {
    let _ = writeln!(
        text,
        "\n## Flash of the runtime\n\nBytes of code and constants for the operators of one model, start-up code left out.\n\n\
         | model | core | bytes |\n|---|---|--:|"
    );
    for (model, cores) in &table.0 {
        for (core, figures) in cores {
            if let Some(bytes) = figures.runtime {
                let _ = writeln!(text, "| {model} | {core} | {} |", grouped(bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ByCore, figures};
    use super::*;

    #[test]
    fn the_page_has_both_engines_and_every_core() {
        let own = Figures { runtime: Some(20_480), ..figures(1_000_000) };
        let cores: ByCore = [("cortex-m4".to_owned(), own), ("cortex-m0".to_owned(), figures(9))].into();
        let page = page(&Table([("kws_ref_model".to_owned(), cores)].into()), &Peers::read().unwrap());
        for part in [
            "| kws_ref_model | 1,000,000 | 9,119,012 | 9.12 |",
            "| kws_ref_model | cortex-m4 | 20,480 |",
            "## cortex-m0\n",
            "| kws_ref_model | 1,000 | 800 | 9 | 0.01 | 100 | 50 | 70 |",
        ] {
            assert!(page.contains(part), "no '{part}' in\n{page}");
        }
    }
}
