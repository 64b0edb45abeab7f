//! Fits a core's cost table to the cycle profiler: `cargo xtask costs --core CORE`.
//!
//! Each model of the [`grid`] runs once on the board that stands for the core. Cycles and terms of its nodes are rows of the
//! fits of their classes. The table is written to `converter/src/cost/CORE.json`.
//!
//! A word after the core stands for the families that have it in their names: only these are measured, and only classes that
//! the table does not have are added to it.
#![allow(clippy::print_stdout)] // A program for people.

mod grid;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use secateur::format::Node;
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::cost::terms::{self, Terms};
use secateur_converter::cost::{Class, Table, fit};
use secateur_converter::ir::text;
use secateur_converter::pipeline::{self, Options};
use secateur_tests::target::Bench;
use secateur_tests::workspace;
use xtask::profile::{Counts, Profiler};
use xtask::workspace::target_directory;

use grid::Family;

/// Cycles below which errors count as if a node took so many.
const SMALL: f64 = 3000.0;

fn main() -> Result<()> {
    let name = std::env::args().nth(1).context("name a core")?;
    let core = Core::from_name(&name).with_context(|| format!("no core {name}"))?;
    let word = std::env::args().nth(2);
    let bench = Bench::for_core(core)?;
    let mut runs = measure(&bench.profiler()?, core, word.as_deref().unwrap_or_default())?;
    // In the same order every time, so that the sums are the same to the last digit.
    runs.sort_by(|left, right| left.model.cmp(&right.model));
    let [per_run, per_node] = engine(&bench.profiler()?, core)?;
    let classes = match word {
        Some(_) => Table::for_core(core).cloned().context("no table to add to")?.classes,
        None => BTreeMap::new(),
    };
    let mut table = Table { core: core.name().to_owned(), per_run, per_node, classes };
    let mut classes: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in &runs {
        classes.entry(&run.terms.class).or_default().push(run);
    }
    classes.retain(|&name, _| !table.classes.contains_key(name));
    for (name, runs) in classes {
        let (class, worst) = fit(&runs);
        let Class { median_error_percent: median, largest_error_percent: largest, .. } = class;
        println!("{name}: {} runs, error {median:.1} %, at most {largest:.1} % ({worst})", runs.len());
        table.classes.insert(name.to_owned(), class);
    }
    let file = workspace().join(format!("converter/src/cost/{core}.json"));
    let text = serde_json::to_string_pretty(&table)? + "\n";
    fs::write(&file, text).with_context(|| file.display().to_string())?;
    println!("written: {}", file.display());
    Ok(())
}

/// One node that ran.
struct Run {
    /// Name of the model.
    model: String,
    terms: Terms,
    cycles: u64,
}

impl Run {
    /// What the errors of this run are relative to.
    fn scale(&self) -> f64 {
        (self.cycles as f64).max(SMALL)
    }
}

/// Runs every model of the grid's families with this word in their names, two at a time.
fn measure(profiler: &Profiler<'_>, core: Core, word: &str) -> Result<Vec<Run>> {
    let families = grid::families().filter(|family| family.name().contains(word));
    let models: Vec<(&Family, usize)> =
        families.flat_map(|family| (0..family.count).map(move |number| (family, number))).collect();
    let folder = target_directory()?.join("costs").join(core.name());
    fs::create_dir_all(&folder)?;
    let (next, runs) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        while let Some((family, number)) = models.get(next.fetch_add(1, Ordering::Relaxed)) {
            let name = format!("{} {number}", family.name());
            let own = run(profiler, core, family, *number, &folder).context(name)?;
            runs.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            Err(_) => bail!("a worker panicked"),
        })
    })?;
    Ok(runs.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// What the engine takes for a run and for each node of it, from two chains of small fully connected layers.
fn engine(profiler: &Profiler<'_>, core: Core) -> Result<[f64; 2]> {
    const NODES: [usize; 2] = [2, 10];
    let folder = target_directory()?.join("costs");
    fs::create_dir_all(&folder)?;
    let overhead = |nodes: usize| -> Result<f64> {
        let options = Options { core, fold: false, ..Options::default() };
        let converted = pipeline::convert_graph(text::parse(&chain(nodes))?, &options)?;
        let file = folder.join("chain.sct");
        fs::write(&file, converted.file.bytes())?;
        Ok(profiler.measure(&file)?.overhead().cycles as f64)
    };
    let [few, many] = [overhead(NODES[0])?, overhead(NODES[1])?];
    let per_node = (many - few) / (NODES[1] - NODES[0]) as f64;
    Ok([(few - per_node * NODES[0] as f64).round(), per_node.round()])
}

/// A network of so many fully connected layers of eight outputs, one after another.
fn chain(nodes: usize) -> String {
    let mut text = String::from("graph \"chain\" quantized\n");
    for node in 0..=nodes {
        text += &format!("%{node} \"\" i8[1,8] scale 0.5 zero 0\n");
    }
    let weights: Vec<String> = (0..64).map(|index| (index % 7 - 3).to_string()).collect();
    text += &format!("%100 \"\" i8[8,8] scale 0.125 zero 0 = [{}]\n", weights.join(","));
    text += &format!("inputs %0\noutputs %{nodes}\n");
    for node in 0..nodes {
        text += &format!("node \"\" FullyConnected(%{node}, %100) -> %{} keep_dims=false\n", node + 1);
    }
    text
}

/// The nodes of one model that have terms.
fn run(
    profiler: &Profiler<'_>,
    core: Core,
    family: &Family,
    number: usize,
    folder: &Path,
) -> Result<Vec<Run>> {
    let name = format!("{} {number:03}", family.name());
    let options = Options { core, fold: false, ..Options::default() };
    let converted = pipeline::convert_graph(family.model(number), &options)?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let file = folder.join(format!("{}.sct", name.replace(' ', "-")));
    fs::write(&file, converted.file.bytes())?;
    let measured = profiler.measure(&file)?;
    let nodes: Vec<Node<'_>> = model.tables().nodes().collect();
    ensure!(measured.nodes.len() == nodes.len(), "{measured:?}");
    let run = |(node, counts): (&Node<'_>, &Counts)| {
        let terms = terms::of(node)?;
        Some(Run { model: name.clone(), terms, cycles: counts.cycles })
    };
    Ok(nodes.iter().zip(&measured.nodes).filter_map(run).collect())
}

/// Fits one class so that the relative errors are small; gives the model that it fits worst.
fn fit(runs: &[&Run]) -> (Class, String) {
    let counts = |run: &&Run| run.terms.values.iter().map(|(_, count)| count / run.scale()).collect();
    let rows: Vec<Vec<f64>> = runs.iter().map(counts).collect();
    let targets: Vec<f64> = runs.iter().map(|run| run.cycles as f64 / run.scale()).collect();
    let coefficients = fit::non_negative(&rows, &targets);

    let estimate = |row: &[f64]| -> f64 { row.iter().zip(&coefficients).map(|(n, cycles)| n * cycles).sum() };
    let misses = rows.iter().zip(&targets).map(|(row, target)| 100.0 * (estimate(row) - target).abs());
    let mut errors: Vec<(f64, &str)> = misses.zip(runs.iter().map(|run| &*run.model)).collect();
    errors.sort_by(|left, right| left.0.total_cmp(&right.0));
    let [median, last] = [errors.len() / 2, errors.len().saturating_sub(1)]
        .map(|index| errors.get(index).copied().unwrap_or_default());

    let short = |number: f64| (number * 1000.0).round() / 1000.0;
    let names = runs.first().map_or(&[][..], |run| &run.terms.values);
    let cycles =
        names.iter().zip(&coefficients).map(|(&(name, _), &cycles)| (name.to_owned(), short(cycles)));
    let class = Class {
        runs: runs.len(),
        median_error_percent: short(median.0),
        largest_error_percent: short(last.0),
        cycles: cycles.filter(|(_, cycles)| *cycles > 0.0).collect(),
    };
    (class, last.1.to_owned())
}
