//! `bench`: what models take of each core, held against the committed figures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xtask::bench::{self, ByCore, Change, Figures, Peers, Table};
use xtask::board::{self, Board};
use xtask::profile::Profiler;
use xtask::secateur::Secateur;
use xtask::size;
use xtask::toolchain::{self, Needs, Toolchain};
use xtask::workspace;

use super::{EXAMPLE, targets};

/// Models whose runtime's flash is measured, and whether on every board: each takes a build of its own.
const FOOTPRINTS: &[(&str, bool)] = &[("fashion_dscnn_int8", true), ("kws_ref_model", false)];

const PAGE: &str = "docs/benchmarks.md";

#[derive(Args)]
pub(crate) struct Options {
    /// Make what is measured the committed figures, and write docs/benchmarks.md
    #[arg(long)]
    update: bool,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let boards = board::measured()?;
    let needs = Needs { targets: targets(&boards), qemu: true, profiler: true, ..Needs::default() };
    let toolchain = toolchain::set_up(&needs)?;
    let secateur = Secateur::build()?;
    let models = models();

    let mut now = Table::default();
    for (position, board) in boards.iter().enumerate() {
        println!("{} ({})", board.label(), board.cpu);
        let bench = Bench { board, toolchain: &toolchain, secateur: &secateur, first: position == 0 };
        for (name, figures) in bench.measure(&models)? {
            now.0.entry(name).or_default().extend(figures);
        }
    }

    let file = Table::baseline();
    let mut baseline = Table::read(&file)?;
    let comparison = bench::compare(&baseline, &now);
    list("fell", &comparison.fallen);
    list("rose", &comparison.risen);
    println!(
        "{} figures compared, {} rose by more than {} %, {} fell by more",
        comparison.compared,
        comparison.risen.len(),
        100.0 * bench::LIMIT,
        comparison.fallen.len()
    );
    if options.update {
        baseline.update(now);
        baseline.write(&file)?;
        let page = workspace::root().join(PAGE);
        fs::write(&page, bench::page(&baseline, &Peers::read()?))
            .with_context(|| format!("cannot write {}", page.display()))?;
        println!("written: {}, {PAGE}", file.display());
        return Ok(());
    }
    let new = comparison.new;
    ensure!(new.is_empty(), "not in the committed figures, `--update` adds them: {}", new.join(", "));
    if !comparison.risen.is_empty() {
        bail!("{} figures rose; `--update` makes them the committed ones", comparison.risen.len());
    }
    Ok(())
}

/// The project's own model, and the published ones where they are.
fn models() -> Vec<PathBuf> {
    let mut models = vec![workspace::root().join(EXAMPLE)];
    match workspace::shared_data() {
        Some(data) => {
            models.extend(
                workspace::INT8_MODELS.iter().map(|name| data.join("models").join(format!("{name}.tflite"))),
            );
        }
        None => {
            println!("no shared data here: the project's own model is measured, the published ones are not")
        }
    }
    models
}

/// Everything that measures models on one board.
struct Bench<'a> {
    board: &'a Board,
    toolchain: &'a Toolchain,
    secateur: &'a Secateur,
    /// Whether all footprints are measured here.
    first: bool,
}

impl Bench<'_> {
    fn measure(&self, models: &[PathBuf]) -> Result<Vec<(String, ByCore)>> {
        let profiler = Profiler::build(self.board, self.toolchain)?;
        let mut table = Vec::new();
        for model in models {
            let name = model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let figures = self.figures(&profiler, model, &name).with_context(|| format!("in {name}"))?;
            println!("  {name:<24} {:>10} instructions {:>10} cycles", figures.instructions, figures.cycles);
            table.push((name, [(self.board.cpu.clone(), figures)].into()));
        }
        Ok(table)
    }

    fn figures(&self, profiler: &Profiler<'_>, model: &Path, name: &str) -> Result<Figures> {
        let folder = workspace::target_directory()?.join("bench").join(self.board.label());
        let converted = self.secateur.convert(model, &self.board.cpu, &folder)?;
        let measured = profiler.measure(&converted.file)?;
        let is_measured = |&&(of, everywhere): &&(&str, bool)| of == name && (everywhere || self.first);
        let runtime = match FOOTPRINTS.iter().find(is_measured) {
            Some(_) => Some(size::measure(self.board, self.toolchain, &converted.subject())?.runtime),
            None => None,
        };
        Ok(Figures {
            macs: converted.macs,
            instructions: measured.run.instructions,
            cycles: measured.run.cycles,
            arena: measured.arena,
            stack: measured.stack,
            model: fs::metadata(&converted.file)?.len(),
            runtime,
        })
    }
}

fn list(what: &str, changes: &[Change]) {
    if changes.is_empty() {
        return;
    }
    println!("\n{what}:\n{:<24} {:<11} {:<12} {:>11} {:>11}", "model", "core", "", "before", "now");
    for change in changes {
        println!("{change}");
    }
    println!();
}
