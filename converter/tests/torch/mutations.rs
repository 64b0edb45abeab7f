//! Files with random damage are read or refused, quickly and without a panic.

use std::time::{Duration, Instant};

use secateur_converter::import::torch::{architecture, read_weights};

use crate::files;
use crate::networks::FASHION_DSCNN;

const MUTATIONS: usize = 2000;

/// Most time for one file, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(1);

#[test]
fn random_damage_of_every_form() {
    for (seed, file) in [
        "zip.pt",
        "legacy.pt",
        "protocol4.pt",
        "views.pt",
        "checkpoint.pt",
        "types.pt",
        "pruned.pt",
        "plain.safetensors",
    ]
    .into_iter()
    .enumerate()
    {
        mutate(&files::small(file), seed as u64);
    }
}

#[test]
fn random_damage_of_real_models() {
    let Some(folder) = files::shared("torch") else { return };
    for (seed, file) in
        ["lenet5/lenet5_legacy.pt", "lenet5/lenet5_torch1_13.pt", "dscnn/dscnn.pt", "dscnn/dscnn.safetensors"]
            .into_iter()
            .enumerate()
    {
        mutate(&files::read(folder.join(file)), 100 + seed as u64);
    }
}

#[test]
fn damage_of_each_byte() {
    for file in ["legacy.pt", "plain.safetensors", "zip.pt"] {
        let mut bytes = files::small(file);
        for position in 0..bytes.len() {
            let intact = bytes[position];
            for damaged in [0, 0xff, 0x7f, intact ^ 1, intact ^ 0x80, intact.wrapping_add(1)] {
                bytes[position] = damaged;
                read_in_time(&bytes);
            }
            bytes[position] = intact;
        }
    }
}

#[test]
fn every_beginning_of_a_file() {
    for file in ["legacy.pt", "plain.safetensors", "zip.pt", "views.pt"] {
        let bytes = files::small(file);
        (0..bytes.len()).for_each(|length| {
            assert!(read_weights(&bytes[..length]).is_err(), "{file} cut to {length}");
        });
    }
}

/// Descriptions with damage build a network or do not.
#[test]
fn random_damage_of_a_description() {
    let weights = files::weights(&files::project("tests/golden/fashion_dscnn/fashion_dscnn.pt"));
    let mut random = fastrand::Rng::with_seed(9);
    let lines: Vec<&str> = FASHION_DSCNN.lines().collect();
    for _ in 0..MUTATIONS {
        let mut damaged = lines.clone();
        for _ in 0..random.usize(1..=2) {
            let (one, other) = (random.usize(..damaged.len()), random.usize(..damaged.len()));
            match random.u8(0..3) {
                0 => drop(damaged.remove(one)),
                1 => damaged.swap(one, other),
                _ => damaged.insert(one, lines[random.usize(..lines.len())]),
            }
        }
        let mut text = damaged.join("\n").into_bytes();
        let position = random.usize(..text.len());
        if random.bool() {
            text[position] = random.choice(*b"0123456789-[]{}\"=,x").unwrap_or(b'0');
        }
        let start = Instant::now();
        if let Err(errors) = architecture::build(&String::from_utf8_lossy(&text), &weights) {
            assert!(!errors.problems.is_empty());
        }
        assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    }
}

fn mutate(intact: &[u8], seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = intact.to_vec();
    for _ in 0..MUTATIONS {
        for _ in 0..random.usize(1..=4) {
            let position = random.usize(..intact.len() - 4);
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
        read_in_time(&bytes);
        bytes.copy_from_slice(intact);
    }
}

fn read_in_time(bytes: &[u8]) {
    let start = Instant::now();
    if let Err(errors) = read_weights(bytes) {
        assert!(!errors.problems.is_empty());
    }
    let took = start.elapsed();
    assert!(took < BOUND, "took {took:?}");
}
