//! Broken and hostile `.tflite` files through the whole conversion: one clear error, in little time and memory.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use secateur_converter::pipeline::{Limits, Options, convert};
use secateur_tests::{golden, shared_data, skipped, workspace};

use crate::CORES;

/// Most time for one file, on a machine that is busy with other tests.
const TIME: Duration = Duration::from_secs(1);

/// Most time per step of a model that is converted, on top.
const PER_STEP: Duration = Duration::from_nanos(500);

/// Bounds that a few hundred tests can afford.
const LIMITS: Limits = Limits { arena: 64 << 20, work: 10_000_000 };

/// Most bytes in use at a time.
const MEMORY: u64 = 200 << 20;

/// Damaged variants of each golden case.
const MUTANTS: usize = 100;

/// Converts within bounds. An error is of the user's file, never one that asks for a report.
fn convert_in_bounds(bytes: &[u8], random: &mut Rng) -> Result<bool> {
    let options = Options { core: CORES[random.usize(..CORES.len())], limits: LIMITS, ..Options::default() };
    let start = Instant::now();
    let mut result = None;
    let used = measure(|| result = Some(convert(bytes, "damaged.tflite", &options).map(drop))).bytes_max;
    let took = start.elapsed();
    let result = result.context("not run")?;
    let steps = if result.is_ok() { LIMITS.work as u32 } else { 0 };
    ensure!(took < TIME + PER_STEP * steps, "takes {took:?}");
    ensure!(used < MEMORY, "takes {used} bytes");
    match result {
        Ok(()) => Ok(true),
        Err(error) => {
            let message = format!("{:#}", anyhow::Error::from(error));
            ensure!(!message.contains("please report"), "{message}");
            Ok(false)
        }
    }
}

#[test]
fn broken_files_are_refused_in_time() -> Result<()> {
    let Some(data) = shared_data() else {
        skipped("broken_files_are_refused_in_time", "no shared data");
        return Ok(());
    };
    let mut random = Rng::with_seed(1);
    for entry in std::fs::read_dir(data.join("malformed"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tflite") {
            let bytes = std::fs::read(&path)?;
            convert_in_bounds(&bytes, &mut random).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

#[test]
fn damaged_models_convert_or_are_refused_in_time() -> Result<()> {
    let mut random = Rng::with_seed(2);
    let cases = golden::operators(&workspace().join("tests/golden/operators"))?;
    let example = golden::example(&workspace().join("tests/golden/fashion_dscnn"))?;
    let (mut converted, mut failures) = (0, Vec::new());
    for case in cases.iter().chain([&example]) {
        let intact = std::fs::read(&case.model)?;
        for mutant in 0..MUTANTS {
            let mut bytes = intact.clone();
            for _ in 0..random.usize(1..=3) {
                damage(&mut bytes, &mut random);
            }
            match std::panic::catch_unwind(AssertUnwindSafe(|| convert_in_bounds(&bytes, &mut random))) {
                Ok(Ok(done)) => converted += usize::from(done),
                Ok(Err(error)) => failures.push(format!("{}, mutant {mutant}: {error:#}", case.name)),
                Err(_) => failures.push(format!("{}, mutant {mutant}: a panic", case.name)),
            }
        }
    }
    ensure!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    let total = MUTANTS * (cases.len() + 1);
    ensure!((total / 20..total).contains(&converted), "{converted} of {total} were converted");
    Ok(())
}

/// Changes a few bytes, mostly where a model has tables and not weights: such places hold small numbers.
fn damage(bytes: &mut [u8], random: &mut Rng) {
    let mut place = 0;
    for _ in 0..20 {
        place = random.usize(..bytes.len() - 4);
        if bytes[place..place + 4].contains(&0) {
            break;
        }
    }
    let numbers = [0, 1, 2, 0xff, 0x7fff, 0xffff, 1 << 20, i32::MAX as u32, u32::MAX, random.u32(..)];
    match random.u8(..4) {
        0 => bytes[place] ^= 1 << random.u8(..8),
        1 => bytes[place] = random.u8(..),
        2 => {
            let number = numbers[random.usize(..numbers.len())];
            bytes[place / 4 * 4..][..4].copy_from_slice(&number.to_le_bytes());
        }
        _ => bytes.copy_within(place..place + 4, random.usize(..bytes.len() / 4) * 4),
    }
}
