//! Files with random damage import or are refused, quickly and without a panic.

use std::time::{Duration, Instant};

use secateur_converter::import::tflite::import;

use crate::files;

const MUTATIONS: usize = 3000;

/// Most time for one file, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(1);

#[test]
fn random_damage_of_the_projects_own_model() {
    mutate(&files::read(files::project("golden/fashion_dscnn/fashion_dscnn_int8.tflite")), 1);
}

#[test]
fn random_damage_of_real_models() {
    let Some(folder) = files::shared("models") else { return };
    for (seed, name) in [
        "hello_world_int8",
        "kws_ref_model",
        "micro_speech_quantized",
        "str_ww_ref_model",
        "kws_ref_model_float32",
    ]
    .into_iter()
    .enumerate()
    {
        mutate(&files::read(folder.join(name).with_extension("tflite")), seed as u64 + 2);
    }
}

#[test]
fn damage_of_each_byte_of_a_small_model() {
    let Some(path) = files::shared("models/hello_world_int8.tflite") else { return };
    let mut bytes = files::read(path);
    for position in 0..bytes.len() {
        let intact = bytes[position];
        for damaged in [0, 0xff, 0x7f, intact ^ 1, intact ^ 0x80, intact.wrapping_add(1)] {
            bytes[position] = damaged;
            import_in_time(&bytes);
        }
        bytes[position] = intact;
    }
}

fn mutate(intact: &[u8], seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = intact.to_vec();
    let (mut accepted, mut touched) = (0, Vec::new());
    for _ in 0..MUTATIONS {
        for _ in 0..random.usize(1..=4) {
            let position = position(intact, &mut random);
            touched.push(position);
            let interesting =
                [0, 1, u32::MAX, i32::MAX as u32, 1 << 31, 0xffff, intact.len() as u32, random.u32(..)];
            match random.u8(0..4) {
                0 => bytes[position] ^= 1 << random.u8(0..8),
                1 => bytes[position] = random.u8(..),
                2 => bytes[position..position + 4]
                    .copy_from_slice(&random.choice(interesting).unwrap_or(0).to_le_bytes()),
                _ => bytes.copy_within(position..position + 4, random.usize(..intact.len() - 4)),
            }
        }
        accepted += usize::from(import_in_time(&bytes));
        bytes.copy_from_slice(intact);
    }
    assert!((MUTATIONS / 20..MUTATIONS).contains(&accepted), "{accepted} of {MUTATIONS} were imported");
}

/// A position with four bytes after it, mostly where a model has tables and not weights: such places hold small
/// numbers.
fn position(bytes: &[u8], random: &mut fastrand::Rng) -> usize {
    let mut position = 0;
    for _ in 0..20 {
        position = random.usize(..bytes.len() - 4);
        if bytes[position..position + 4].contains(&0) {
            break;
        }
    }
    position
}

fn import_in_time(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let imported = import(bytes).is_ok();
    let took = start.elapsed();
    assert!(took < BOUND, "took {took:?}");
    imported
}
