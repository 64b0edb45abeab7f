//! Boards with kernels of their own give what plain weights give on the host, on random layers of every kind.

use anyhow::{Result, ensure};
use secateur::{Model, kernels};
use secateur_tests::layers::{Batch, Coverage, batches};
use secateur_tests::target::Bench;
use secateur_tests::vectors::Runner;
use xtask::board::Isa;

/// Layers that are run on each board.
const CASES: u64 = 560;

/// Layers in a model.
const BATCH: u64 = 20;

/// Fewest layers of every packing.
const LEAST: usize = 20;

on_every_board!("layers", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    if bench.board.isa == Isa::Scalar {
        return Ok(());
    }
    let mut coverage = Coverage::default();
    let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "layers")?;
    for cases in batches(CASES, BATCH)? {
        let batch = Batch::new(cases);
        let file = batch.file(bench.core()?)?;
        ensure!(runner.fits(&Model::load(file.bytes(), &kernels::ALL)?), "the batch is too large");
        let run = runner.run(file.bytes(), &batch.input, &[])?;
        ensure!(run.ending.is_success(), "{}: {}", run.ending, run.complaints);
        batch.compare(&file, &runner.output()?, &batch.plain_outputs()?)?;
        coverage.add(&file)?;
    }
    coverage.check(LEAST)
}
