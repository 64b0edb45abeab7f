//! Packed weights give what plain ones of 8 bits give, on random layers of every kind, to the byte.

use anyhow::Result;
use rayon::prelude::*;
use secateur_tests::CORES;
use secateur_tests::layers::{Batch, Coverage, batches};

/// Layers that are run.
const CASES: u64 = 44_000;

/// Layers in a model.
const BATCH: u64 = 8;

/// Fewest layers of every packing.
const LEAST: usize = 500;

#[test]
fn packed_weights_give_what_plain_ones_give() -> Result<()> {
    let coverage: Result<Coverage> = batches(CASES, BATCH)?
        .into_par_iter()
        .map(|cases| run(&Batch::new(cases)))
        .try_reduce(Coverage::default, |a, b| Ok(a.with(b)));
    coverage?.check(LEAST, |_| true)
}

fn run(batch: &Batch) -> Result<Coverage> {
    let plain = batch.plain_outputs()?;
    let mut coverage = Coverage::default();
    for core in CORES {
        let file = batch.file(core)?;
        batch.compare(&file, &batch.outputs(&file)?, &plain)?;
        coverage.add(&file)?;
    }
    Ok(coverage)
}
