//! Boards give what plain weights of 8 bits give on the host, on random layers of every kind.

use anyhow::{Result, ensure};
use secateur::format::Packing;
use secateur::{Model, kernels};
use secateur_tests::layers::{Batch, Coverage, batches};
use secateur_tests::target::Bench;
use secateur_tests::vectors::Runner;
use xtask::board::Isa;

/// Layers that are run on each board.
const CASES: u64 = 1_120;

/// Layers in a model.
const BATCH: u64 = 20;

/// Fewest layers of every packing.
const LEAST: usize = 10;

on_every_board!("layers", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    let core = bench.core()?;
    let (mut coverage, mut all_fit) = (Coverage::default(), true);
    let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "layers")?;
    for cases in batches(CASES, BATCH)? {
        let batch = Batch::new(cases);
        let file = batch.file(core)?;
        if !runner.fits(&Model::load(file.bytes(), &kernels::ALL)?) {
            ensure!(bench.board.isa == Isa::Scalar, "the batch is too large");
            all_fit = false;
            continue;
        }
        let run = runner.run(file.bytes(), &batch.input, &[])?;
        ensure!(run.ending.is_success(), "{}: {}", run.ending, run.complaints);
        batch.compare(&file, &runner.output()?, &batch.plain_outputs()?)?;
        coverage.add(&file)?;
    }
    // Packings for every core stand in where those of a core with dual multiply-accumulates do not hold.
    let own = |packing| match packing {
        Packing::Signs | Packing::Xnor => true,
        Packing::Nibbles => !core.has_dsp(),
        _ => core.has_dsp(),
    };
    if all_fit { coverage.check(LEAST, own) } else { Ok(()) }
}
