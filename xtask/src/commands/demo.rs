//! `demo`: the main job once, from a trained model to an emulated Cortex-M4.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use xtask::board;
use xtask::elf::Footprint;
use xtask::firmware::Firmware;
use xtask::process;
use xtask::qemu::Launch;
use xtask::toolchain::{self, Needs};
use xtask::workspace;

use super::{EXAMPLE, targets};

/// Labelled images that it has not seen.
const DATASET: &str = "tests/data/fashion_mnist_1000";
/// Where it runs beside the host.
const BOARD: &str = "mps2-an386";

#[derive(Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let board = board::select(BOARD)?.remove(0);
    let needs = Needs { targets: targets(std::slice::from_ref(&board)), qemu: true, ..Needs::default() };
    let toolchain = toolchain::set_up(&needs)?;
    println!("building the command and the firmware (minutes the first time, seconds from then on)");
    let secateur = build_command()?;
    Firmware::new(&board, "runner").build(&toolchain)?;
    let infer = Firmware::new(&board, "infer").build(&toolchain)?;

    let folder = workspace::target_directory()?.join("demo");
    fs::create_dir_all(&folder)?;
    let file = folder.join("fashion_dscnn.sct");
    let output = file.display().to_string();
    let converted = report(&secateur, &["convert", EXAMPLE, "-o", &output])?;
    let host = report(&secateur, &["evaluate", &output, "--dataset", DATASET])?;
    let emulated = report(&secateur, &["evaluate", &output, "--dataset", DATASET, "--on", BOARD])?;
    let same = vectors_are_equal(&secateur, &file, &folder)?;

    println!("\nthe example firmware, {BOARD}:");
    let launch = Launch { limit: Duration::from_secs(60), ..Launch::new(&board, &infer) };
    let run = launch.run(|line| println!("  {line}"))?;
    ensure!(run.ending.is_success(), "infer failed on {BOARD}: {} {}", run.ending, run.complaints);
    let stack = run.lines.iter().find_map(|line| line.split("stack ").nth(1)).unwrap_or("unknown");

    let percent = |report: &serde_json::Value| 100.0 * report["accuracy"].as_f64().unwrap_or(f64::NAN);
    let bytes = |value: &serde_json::Value| format!("{} bytes", value.as_u64().unwrap_or_default());
    println!();
    row("source", &format!("{EXAMPLE}, {}", bytes(&converted["source"]["bytes"])));
    row(
        "model",
        &format!(
            "{}, of which weights {}",
            bytes(&converted["output"]["bytes"]),
            bytes(&converted["weight_bytes"])
        ),
    );
    row("work", &format!("{} multiply-accumulates", converted["macs"]));
    row(
        "RAM",
        &format!(
            "arena {} (lower bound {}), stack {stack}",
            bytes(&converted["arena"]["bytes"]),
            converted["arena"]["lower_bound"]
        ),
    );
    row(
        "flash",
        &format!(
            "{} bytes: model, runtime and board support of the example firmware",
            Footprint::read(&infer)?.flash()
        ),
    );
    row("host", &format!("{:.1} % of {} images", percent(&host), host["samples"]));
    row(BOARD, &format!("{:.1} % of {} images", percent(&emulated), emulated["samples"]));
    row("bytes", if same { "equal on host and board" } else { "DIFFERENT on host and board" });
    ensure!(same, "host and board do not agree");
    Ok(())
}

/// Builds the `secateur` command and gives its path.
fn build_command() -> Result<PathBuf> {
    let mut command = process::command(workspace::cargo());
    command.args(["build", "--release", "--quiet", "--package", "secateur-converter"]);
    let status = command.current_dir(workspace::root()).status().context("cannot start cargo")?;
    ensure!(status.success(), "the secateur command does not build");
    Ok(workspace::target_directory()?.join("release/secateur"))
}

/// Shows and runs a command; gives its report.
fn report(secateur: &Path, arguments: &[&str]) -> Result<serde_json::Value> {
    let root = format!("{}/", workspace::root().display());
    println!("  secateur {}", arguments.join(" ").replace(&root, ""));
    Ok(serde_json::from_slice(&secateur_output(secateur, &[arguments, &["--json"]].concat())?)?)
}

fn secateur_output(secateur: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = process::command(secateur);
    command.args(arguments).current_dir(workspace::root()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| format!("cannot start {}", secateur.display()))?;
    if !output.status.success() {
        bail!("secateur {} failed", arguments.join(" "));
    }
    Ok(output.stdout)
}

/// Whether the first images give the same scores on the host and on the board, to the byte.
fn vectors_are_equal(secateur: &Path, model: &Path, folder: &Path) -> Result<bool> {
    let input = "tests/golden/fashion_dscnn/int8_inputs.bin";
    let mut outputs = Vec::new();
    for on in ["host", BOARD] {
        let directory = folder.join(on);
        let (model, output) = (model.display().to_string(), directory.display().to_string());
        report(secateur, &["run", &model, "--input", input, "--output", &output, "--on", on])?;
        outputs.push(fs::read(directory.join("output.bin"))?);
    }
    Ok(outputs[0] == outputs[1])
}

fn row(name: &str, value: &str) {
    println!("{name:<12}{value}");
}
