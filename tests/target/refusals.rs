//! What a board cannot run is refused with a reason, not a fault.

use std::fs;

use anyhow::{Result, ensure};
use secateur_converter::pipeline::{self, Options};
use secateur_tests::golden::{self, Golden};
use secateur_tests::target::Bench;
use secateur_tests::vectors::Runner;
use secateur_tests::workspace;
use xtask::process::Ending;

on_every_board!("refusals", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "refusals")?;
    let refused = |model: &[u8], input: &[u8], words: &[&str], reason: &str| -> Result<()> {
        let run = runner.run(model, input, words)?;
        ensure!(run.ending == Ending::Exited(1), "{reason}: {run:?}");
        ensure!(run.complaints.contains(reason), "{reason}: {run:?}");
        Ok(())
    };
    let cases = golden::operators(&workspace().join("tests/golden/operators"))?;
    let small = cases.iter().find(|case| case.name == "fully_connected_batch_3");
    let small = small.expect("the case is part of the repository");
    let file = convert(small)?;

    refused(&[0xa5; 300], &[], &[], "the model does not load: not a .sct file")?;
    let damaged = [&file[..200], &[file[200] ^ 1], &file[201..]].concat();
    refused(&damaged, &[], &[], "the model does not load: damaged: CRC-32 is ")?;
    let cut = &small.inputs[..small.inputs.len() - 1];
    refused(&file, cut, &[], "the input ends within a vector")?;
    refused(&file, &small.inputs, &["chekc"], "the command line is not INPUT OUTPUT [check] [dump=FILE]")?;
    refused(&file, &small.inputs, &["dump=no/such/folder"], "a file cannot be opened")?;
    if bench.board.name == "microbit" {
        let large = convert(&golden::example(&workspace().join("tests/golden/fashion_dscnn"))?)?;
        refused(&large, &[], &[], "the arena has 12288 bytes, the model needs ")?;
    }
    Ok(())
}

fn convert(golden: &Golden) -> Result<Vec<u8>> {
    let converted = pipeline::convert(&fs::read(&golden.model)?, &golden.name, &Options::default())?;
    Ok(converted.file.bytes().to_vec())
}
