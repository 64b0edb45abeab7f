//! `--on BOARD`, as the command does it: the same bytes as on the host, outputs and tensors.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::board::{Boards, OutputsOf, Wanted};
use secateur_converter::pipeline::{self, Options};
use secateur_converter::{dump, execute, port};
use secateur_tests::target::Bench;
use secateur_tests::{golden, workspace};

#[test]
fn a_board_and_the_host_give_the_same_bytes() -> Result<()> {
    const BOARD: &str = "mps2-an386";
    let Some(bench) = Bench::find(BOARD, "command::a_board_and_the_host_give_the_same_bytes")? else {
        return Ok(());
    };
    bench.build("runner")?;
    let board = Boards::in_directory(&xtask::workspace::firmware_directory()?.join("boards")).get(BOARD)?;

    let golden = golden::example(&workspace().join("tests/golden/fashion_dscnn"))?;
    let converted = pipeline::convert(&fs::read(&golden.model)?, &golden.name, &Options::default())?;
    let file = converted.file.bytes();
    let model = Model::load(file, &kernels::ALL)?;
    let run = |outputs_of, bytes| {
        let wanted = Wanted { outputs_of, vectors: golden.count, bytes };
        board.run(file, &golden.inputs, wanted, Duration::from_secs(60))
    };

    let outputs = run(OutputsOf::Model, golden.outputs.len() / golden.count)?;
    ensure!(outputs == execute::run_batch(&model, &golden.inputs, || ())?, "outputs differ");
    ensure!(outputs == golden.outputs, "outputs differ from the golden ones");

    let ports: Vec<_> = dump::node_outputs(&model).into_iter().map(|output| output.port).collect();
    let tensors = run(OutputsOf::Nodes, port::vector_bytes(&ports))?;
    ensure!(port::columns(&ports, &tensors) == dump::dump(&model, &golden.inputs, || ())?, "tensors differ");
    Ok(())
}
