//! The cost table agrees with the profiler.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::cost::Table;
use secateur_converter::pipeline::{self, Options};
use secateur_tests::target::Bench;
use secateur_tests::{INT8_MODELS, shared_data, workspace};
use xtask::profile::Profiler;

/// Largest error of a whole model.
const WHOLE: f64 = 0.05;
/// Largest error of an operator that is not negligible.
const OPERATOR: f64 = 0.10;
/// Share of its model below which an operator is negligible; the sum of these may be off by as much of the model.
const NEGLIGIBLE: f64 = 0.01;
/// Errors that are small for any model, in cycles.
const SMALL: f64 = 200.0;

#[test]
fn cortex_m0() -> Result<()> {
    check_core(Core::CortexM0, "microbit", "costs::cortex_m0")
}

#[test]
fn cortex_m3() -> Result<()> {
    check_core(Core::CortexM3, "mps2-an385", "costs::cortex_m3")
}

#[test]
fn cortex_m4() -> Result<()> {
    check_core(Core::CortexM4, "mps2-an386", "costs::cortex_m4")
}

#[test]
fn cortex_m33() -> Result<()> {
    check_core(Core::CortexM33, "mps2-an505", "costs::cortex_m33")
}

/// `board` is one with the core's target, to find out whether there is a compiler for it.
fn check_core(core: Core, board: &str, test: &str) -> Result<()> {
    if Bench::find(board, test)?.is_none() {
        return Ok(());
    }
    let bench = Bench::for_core(core)?;
    let profiler = bench.profiler()?;
    let mut models = vec![workspace().join("tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite")];
    if let Some(data) = shared_data() {
        models.extend(INT8_MODELS.iter().map(|name| data.join("models").join(format!("{name}.tflite"))));
    }
    let mut faults = Vec::new();
    for model in models {
        faults.extend(check(&profiler, core, &model)?);
    }
    ensure!(faults.is_empty(), "estimates are off:\n{}", faults.join("\n"));
    Ok(())
}

/// What the table misjudges.
fn check(profiler: &Profiler<'_>, core: Core, source: &Path) -> Result<Vec<String>> {
    let Some(table) = Table::for_core(core) else { anyhow::bail!("no table for {core}") };
    let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let options = Options { core, ..Options::default() };
    let converted = pipeline::convert(&fs::read(source)?, &name, &options)?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("costs").join(core.name());
    fs::create_dir_all(&folder)?;
    let file: PathBuf = folder.join(format!("{name}.sct"));
    fs::write(&file, converted.file.bytes())?;
    let measured = profiler.measure(&file)?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;

    let whole = measured.run.cycles as f64;
    let (mut faults, mut sum) = (Vec::new(), table.overhead(measured.nodes.len()) as f64);
    let mut negligible = [0.0; 2];
    for (index, (node, counts)) in model.tables().nodes().zip(&measured.nodes).enumerate() {
        let kind = node.op().map_or("unknown", |op| op.name());
        let Some(estimate) = table.cycles(&node) else {
            faults.push(format!("{core}, {name}: nothing is known of operator {index}, {kind}"));
            continue;
        };
        let (estimate, cycles) = (estimate.cycles as f64, counts.cycles as f64);
        sum += estimate;
        if cycles < NEGLIGIBLE * whole {
            negligible[0] += estimate;
            negligible[1] += cycles;
        } else if (estimate - cycles).abs() > (OPERATOR * cycles).max(SMALL) {
            let percent = 100.0 * (estimate / cycles - 1.0);
            faults
                .push(format!("{name}: operator {index}, {kind}: {estimate} for {cycles}, {percent:+.1} %"));
        }
    }
    if (negligible[0] - negligible[1]).abs() > (NEGLIGIBLE * whole).max(SMALL) {
        faults
            .push(format!("{core}, {name}: {} for all {} of small operators", negligible[0], negligible[1]));
    }
    let percent = 100.0 * (sum / whole - 1.0);
    eprintln!("{core}, {name}: {sum} for {whole}, {percent:+.2} %");
    if (sum - whole).abs() > (WHOLE * whole).max(SMALL) {
        faults.push(format!("{core}, {name}: {sum} for {whole}, {percent:+.1} %"));
    }
    Ok(faults)
}
