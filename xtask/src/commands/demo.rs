//! `demo`: the main job once, from a trained model to an emulated Cortex-M4.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;
use xtask::board;
use xtask::firmware::Firmware;
use xtask::qemu::Launch;
use xtask::secateur::Secateur;
use xtask::size::{self, Size, Subject};
use xtask::toolchain::{self, Needs};
use xtask::workspace;

use super::targets;

/// The trained model, as PyTorch exported it.
const MODEL: &str = "tests/golden/fashion_dscnn/fashion_dscnn.onnx";
/// Labelled images that it has not seen.
const DATASET: &str = "tests/data/fashion_mnist_1000";
/// Golden input vectors.
const VECTORS: &str = "tests/golden/fashion_dscnn/int8_inputs.bin";
/// Where it runs beside the host.
const BOARD: &str = "mps2-an386";

#[derive(Args)]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options) -> Result<()> {
    let board = board::select(BOARD)?.remove(0);
    let needs = Needs {
        targets: targets(std::slice::from_ref(&board)),
        qemu: true,
        datasets: true,
        ..Needs::default()
    };
    let toolchain = toolchain::set_up(&needs)?;
    println!("building the command and the firmware (minutes the first time, seconds from then on)");
    let secateur = Secateur::build()?;
    Firmware::new(&board, "runner").build(&toolchain)?;

    let folder = workspace::target_directory()?.join("demo");
    fs::create_dir_all(&folder)?;
    let [file, module] = ["fashion_dscnn.sct", "fashion_dscnn.rs"].map(|name| folder.join(name));
    let (sct, rust) = (file.to_string_lossy(), module.to_string_lossy());
    let training = workspace::fashion_mnist().context("Fashion-MNIST was just set up, and is not there")?;
    let training = training.to_string_lossy();
    let float = show_and_run(&secateur, &["evaluate", MODEL, "--dataset", DATASET])?;
    let convert =
        ["convert", MODEL, "--calibrate", &training, "--core", &board.cpu, "--output", &sct, "--rust", &rust];
    let converted = show_and_run(&secateur, &convert)?;
    let host = show_and_run(&secateur, &["evaluate", &sct, "--dataset", DATASET])?;
    let emulated = show_and_run(&secateur, &["evaluate", &sct, "--dataset", DATASET, "--on", BOARD])?;
    let same = outputs_are_equal(&secateur, &sct, &folder)?;

    let arena = number(&converted["arena"]["bytes"]);
    let size = size::measure(&board, &toolchain, &Subject { module: &module, file: &file, arena })?;
    println!("\nthe example firmware, {BOARD}:");
    let infer = Firmware::new(&board, "infer").build(&toolchain)?;
    let run = Launch::new(&board, &infer).run(|line| println!("  {line}"))?;
    ensure!(run.ending.is_success(), "infer failed on {BOARD}: {} {}", run.ending, run.complaints);

    println!();
    row("source", &format!("{MODEL}, {} bytes", number(&converted["source"]["bytes"])));
    let weights = number(&converted["weight_bytes"]);
    row("model", &format!("{} bytes, of which weights {weights}", number(&converted["output"]["bytes"])));
    row("work", &format!("{} multiply-accumulates", number(&converted["macs"])));
    let Size { runtime, support, model, stack, .. } = size;
    let flash = size.flash();
    row("flash", &format!("{flash} bytes: model {model}, runtime {runtime}, board support {support}"));
    let bound = number(&converted["arena"]["lower_bound"]);
    row("RAM", &format!("{} bytes: arena {arena} (lower bound {bound}), stack {stack}", arena + stack));
    row("float", &accuracy(&float));
    row("host", &accuracy(&host));
    row(BOARD, &accuracy(&emulated));
    row("bytes", if same { "equal on host and board" } else { "DIFFERENT on host and board" });
    ensure!(same && host["confusion"] == emulated["confusion"], "host and board do not agree");
    Ok(())
}

/// Shows a command as one would type it, runs it, and gives its report.
fn show_and_run(secateur: &Secateur, arguments: &[&str]) -> Result<Value> {
    let root = format!("{}/", workspace::root().display());
    println!("  secateur {}", arguments.join(" ").replace(&root, ""));
    secateur.report(arguments)
}

/// Whether the golden vectors give the same scores on the host and on the board, to the byte.
fn outputs_are_equal(secateur: &Secateur, model: &str, folder: &Path) -> Result<bool> {
    let mut outputs = Vec::new();
    for on in ["host", BOARD] {
        let directory = folder.join(on);
        let output = directory.to_string_lossy();
        show_and_run(secateur, &["run", model, "--input", VECTORS, "--output", &output, "--on", on])?;
        outputs.push(fs::read(directory.join("output.bin"))?);
    }
    Ok(outputs[0] == outputs[1])
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn accuracy(report: &Value) -> String {
    let percent = 100.0 * report["accuracy"].as_f64().unwrap_or(f64::NAN);
    format!("{percent:.1} % of {} images", number(&report["samples"]))
}

fn row(name: &str, value: &str) {
    println!("{name:<12}{value}");
}
