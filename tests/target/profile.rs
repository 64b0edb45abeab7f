//! The profiler: what it counts adds up, how many nodes a model may have, and that no other firmware pays for it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use secateur_converter::ir::{Graph, Quantized, text};
use secateur_converter::pipeline::{self, Options};
use secateur_tests::golden;
use secateur_tests::target::Bench;
use secateur_tests::{shared_data, workspace};
use xtask::profile::{Measurement, Profiler};

const BOARD: &str = "mps2-an386";

/// Most of a run's cycles that may be spent outside the kernels.
const OVERHEAD: f64 = 0.01;

#[test]
fn the_engine_takes_less_than_a_hundredth() -> Result<()> {
    let Some(bench) = Bench::find(BOARD, "profile::the_engine_takes_less_than_a_hundredth")? else {
        return Ok(());
    };
    let mut goldens = vec![golden::example(&workspace().join("tests/golden/fashion_dscnn"))?];
    if let Some(data) = shared_data() {
        goldens.push(golden::model(&data, "kws_ref_model")?);
    }
    let profiler = bench.profiler()?;
    for golden in goldens {
        let converted = pipeline::convert(&fs::read(&golden.model)?, &golden.name, &Options::default())?;
        let measured = measure(&profiler, &golden.name, converted.file.bytes())?;
        let overhead = measured.overhead();
        ensure!(measured.nodes.len() == converted.program.steps.len(), "{measured:?}");
        ensure!(overhead.instructions > 0, "the nodes take more than the run: {measured:?}");
        let share = overhead.cycles as f64 / measured.run.cycles as f64;
        ensure!(share < OVERHEAD, "{}: {:.2} % outside the kernels", golden.name, 100.0 * share);
        let functions: u64 = measured.functions.iter().map(|function| function.counts.instructions).sum();
        let difference = functions.abs_diff(measured.run.instructions);
        ensure!(difference < 1000, "functions and run differ by {difference} instructions");
        ensure!(measure(&profiler, &golden.name, converted.file.bytes())? == measured, "another result");
    }
    Ok(())
}

#[test]
fn any_number_of_nodes_is_counted() -> Result<()> {
    const NODES: usize = 150;
    let Some(bench) = Bench::find(BOARD, "profile::any_number_of_nodes_is_counted")? else { return Ok(()) };
    let graph: Graph<Quantized> = text::parse(&chain(NODES))?;
    let converted = pipeline::convert_graph(graph, &Options::default())?;
    let measured = measure(&bench.profiler()?, "chain", converted.file.bytes())?;
    ensure!(measured.nodes.len() == NODES, "{} nodes", measured.nodes.len());
    // All do the same, so they take the same, but for the first: it finds the operator.
    let (_, others) = measured.nodes.split_first().context("no nodes")?;
    ensure!(others.iter().all(|node| node == &others[0]), "{:?}", measured.nodes);
    Ok(())
}

/// A graph of so many equal operators, one after another.
fn chain(nodes: usize) -> String {
    let mut text = String::from("graph \"chain\" quantized\n");
    for node in 0..=nodes {
        let _ = writeln!(text, "%{node} \"\" i8[1,64] scale 0.5 zero 0");
    }
    let _ = writeln!(text, "inputs %0\noutputs %{nodes}");
    for node in 0..nodes {
        let _ = writeln!(text, "node \"\" Relu(%{node}) -> %{}", node + 1);
    }
    text
}

#[test]
fn no_other_firmware_has_marks() -> Result<()> {
    let Some(bench) = Bench::find(BOARD, "profile::no_other_firmware_has_marks")? else { return Ok(()) };
    for (program, expected) in [("profile", true), ("runner", false), ("baseline", false)] {
        let elf = bench.build(program)?;
        ensure!(has_marks(&elf)? == expected, "{program} has {}marks", if expected { "no " } else { "" });
    }
    Ok(())
}

/// Whether three moves of registers to themselves, as the profiler looks for them, are anywhere in a file.
fn has_marks(elf: &Path) -> Result<bool> {
    let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
    let halves: Vec<u16> = bytes.as_chunks().0.iter().map(|&half| u16::from_le_bytes(half)).collect();
    let to_itself = |half: &u16| half & 0xffc0 == 0x4600 && half >> 3 & 7 == half & 7;
    let begins = |half: u16| half == 0x46c9 || half == 0x46d2;
    Ok(halves.windows(3).any(|mark| begins(mark[0]) && to_itself(&mark[1]) && to_itself(&mark[2])))
}

fn measure(profiler: &Profiler<'_>, name: &str, model: &[u8]) -> Result<Measurement> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("profile");
    fs::create_dir_all(&folder)?;
    let file: PathBuf = folder.join(format!("{name}.sct"));
    fs::write(&file, model)?;
    profiler.measure(&file)
}
