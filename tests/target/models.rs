//! Models on every board: the outputs are the golden ones to the byte, and every node gives its reference hash.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::pipeline::{self, Options};
use secateur_tests::golden::{self, Golden};
use secateur_tests::target::Bench;
use secateur_tests::{shared_data, workspace};
use xtask::qemu::Launch;
use xtask::skip;

/// Every full-int8 model of the shared data.
const MODELS: [&str; 8] = [
    "ad01_int8",
    "hello_world_int8",
    "kws_ref_model",
    "micro_speech_quantized",
    "person_detect",
    "pretrainedResnet_quant",
    "str_ww_ref_model",
    "vww_96_int8",
];

/// Operator cases that run on the boards, too: one of each operator and packing, tails and borders included.
const CASES: &str = "conv_2d_3x3_same chain_residual chain_branches \
    chain_separable chain_squeeze_excite chain_upsampling chain_split_and_join chain_float_edges chain_constant_operands";

macro_rules! on_every_board {
    ($($test:ident: $board:literal,)*) => {
        $(#[test]
        fn $test() -> Result<()> {
            check($board, concat!("models::", stringify!($test)))
        })*
    };
}

on_every_board! {
    microbit: "microbit",
    mps2_an385: "mps2-an385",
    mps2_an386: "mps2-an386",
    mps2_an500: "mps2-an500",
    mps2_an505: "mps2-an505",
    mps3_an547: "mps3-an547",
    netduinoplus2: "netduinoplus2",
}

fn check(board: &str, test: &str) -> Result<()> {
    let Some(bench) = Bench::find(board, test)? else { return Ok(()) };
    let runner = bench.build("runner")?;
    let mut goldens = vec![golden::example(&workspace().join("tests/golden/fashion_dscnn"))?];
    let cases = golden::operators(&workspace().join("tests/golden/operators"))?;
    goldens.extend(cases.into_iter().filter(|case| CASES.split_whitespace().any(|name| name == case.name)));
    match shared_data() {
        Some(data) => {
            for name in MODELS {
                goldens.push(golden::model(&data, name)?);
            }
        }
        None => skip::without_data(test, "published models: no shared data"),
    }
    let mut ran = 0;
    for golden in &goldens {
        for core in [Core::CortexM0, Core::CortexM4] {
            ran += usize::from(
                run(&bench, &runner, golden, core).with_context(|| format!("{} for {core}", golden.name))?,
            );
        }
    }
    ensure!(ran >= 4, "only {ran} models fit {board}");
    Ok(())
}

/// Whether the model fits the board; if so, it has run and its outputs are right.
fn run(bench: &Bench, runner: &Path, golden: &Golden, core: Core) -> Result<bool> {
    let memory = bench.board.memory;
    let converted =
        pipeline::convert(&fs::read(&golden.model)?, &golden.name, &Options { core, ..Options::default() })?;
    let file = converted.file.bytes();
    let model = Model::load(file, &kernels::ALL)?;
    // What the runner keeps for its stack.
    if model.arena_len() + 4096 > memory.ram.length as usize || file.len() > memory.model.length as usize {
        return Ok(false);
    }
    let exchange = Path::new(env!("CARGO_TARGET_TMPDIR")).join("models").join(&bench.board.name);
    fs::create_dir_all(&exchange)?;
    fs::write(exchange.join("model.sct"), file)?;
    fs::write(exchange.join("input.bin"), &golden.inputs)?;
    let launch = Launch {
        arguments: ["input.bin", "output.bin", "check"].map(str::to_owned).to_vec(),
        model: Some(exchange.join("model.sct")),
        directory: Some(exchange.clone()),
        ..Launch::new(&bench.board, runner)
    };
    let run = launch.run(|_| ())?;
    ensure!(run.ending.is_success(), "{}: {}", run.ending, run.complaints);
    let outputs = fs::read(exchange.join("output.bin"))?;
    ensure!(outputs == golden.outputs, "outputs differ from the golden ones");
    let arena = format!("arena {}", model.arena_len());
    ensure!(run.lines.contains(&arena), "no line '{arena}' in {:?}", run.lines);
    Ok(true)
}
