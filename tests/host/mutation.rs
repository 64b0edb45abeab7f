//! Damaged `.sct` files: whatever the damage, loading gives an error, or the model runs within its arena and its time.
//!
//! The tests run with overflow checks; `cargo test --release -p secateur-tests mutation` runs them as released.

use std::hint::black_box;

use fastrand::Rng;
use secateur::format::{Header, Tables};
use secateur_converter::model_file::ModelFile;

use secateur_tests::subjects::{SUBJECTS, Subject};
use secateur_tests::trial::{Outcome, reseal, restate_work, trial};

/// Files up to this length are damaged everywhere, longer ones at random places.
const SHORT: usize = 8 << 10;

/// Random places where a longer file is damaged: the fewer, the longer each try takes.
fn samples(subject: &Subject) -> usize {
    (2 << 20) / subject.file.bytes().len()
}

/// All of `0..count`, or some for a longer file.
fn places(subject: &Subject, count: usize, random: &mut Rng) -> Vec<usize> {
    if subject.file.bytes().len() <= SHORT {
        (0..count).collect()
    } else {
        (0..samples(subject)).map(|_| random.usize(..count)).collect()
    }
}

/// Counts of what became of damaged files.
#[derive(Debug, Default)]
struct Tally {
    refused: usize,
    large: usize,
    ran: usize,
}

impl Tally {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Refused(_) => self.refused += 1,
            Outcome::Large => self.large += 1,
            Outcome::Ran => self.ran += 1,
        }
    }

    fn total(&self) -> usize {
        self.refused + self.large + self.ran
    }
}

#[test]
fn intact_files_run() {
    for subject in SUBJECTS.iter() {
        let outcome = trial(&subject.file);
        assert!(!matches!(outcome, Outcome::Refused(_)), "{}: {outcome:?}", subject.name);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let mut random = Rng::with_seed(1);
    let mut count = 0;
    for subject in SUBJECTS.iter() {
        let mut file = subject.file.clone();
        for bit in places(subject, 8 * file.bytes().len(), &mut random) {
            file.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
            let outcome = trial(&file);
            assert!(matches!(outcome, Outcome::Refused(_)), "{}, bit {bit}", subject.name);
            file.bytes_mut()[bit / 8] ^= 1 << (bit % 8);
            count += 1;
        }
    }
    assert!(count > 100_000, "{count} bits");
}

#[test]
fn every_truncation_is_noticed() {
    let mut random = Rng::with_seed(2);
    for subject in SUBJECTS.iter() {
        for len in places(subject, subject.file.bytes().len(), &mut random) {
            let cut = ModelFile::new(&subject.file.bytes()[..len]);
            assert!(matches!(trial(&cut), Outcome::Refused(_)), "{} cut to {len}", subject.name);
            // As if the header told the truth about it.
            let mut sealed = cut.clone();
            if let Some(stated) = sealed.bytes_mut().get_mut(Header::TOTAL_LEN_OFFSET..Header::CRC_OFFSET) {
                stated.copy_from_slice(&(len as u32).to_le_bytes());
                restate_work(&mut sealed);
                trial(&sealed);
            }
        }
    }
}

#[test]
fn random_bytes_are_refused() {
    let mut random = Rng::with_seed(3);
    for _ in 0..20_000 {
        let mut file = ModelFile::zeroed(random.usize(..400));
        random.fill(file.bytes_mut());
        assert!(matches!(trial(&file), Outcome::Refused(_)));
        // With the start of a header, so that they are looked at.
        let start = &SUBJECTS[0].file.bytes()[..8];
        let len = file.bytes().len();
        if len >= Header::LEN {
            file.bytes_mut()[..8].copy_from_slice(start);
            file.bytes_mut()[8..12].copy_from_slice(&(len as u32).to_le_bytes());
            restate_work(&mut file);
            trial(&file);
        }
    }
}

/// Every number of every record, in each of the widths it could have, gets the values at which programs go wrong.
#[test]
fn every_field_of_every_record_is_guarded() {
    let mut random = Rng::with_seed(4);
    let mut tally = Tally::default();
    for subject in SUBJECTS.iter() {
        let header = *Tables::read(subject.file.bytes()).expect("an intact file").header();
        let end = (header.params.offset + header.params.len) as usize;
        for width in [1, 2, 4] {
            for place in places(subject, end / width, &mut random) {
                let range = place * width..(place + 1) * width;
                let mut old = [0; 4];
                old[..width].copy_from_slice(&subject.file.bytes()[range.clone()]);
                let old = u32::from_le_bytes(old);
                let any = random.u32(..) >> random.u32(..32);
                for new in [0, u32::MAX, old.wrapping_add(1), old.wrapping_sub(1), any] {
                    let mut file = subject.file.clone();
                    file.bytes_mut()[range.clone()].copy_from_slice(&new.to_le_bytes()[..width]);
                    reseal(&mut file);
                    tally.add(trial(&file));
                    restate_work(&mut file);
                    tally.add(trial(&file));
                }
            }
        }
    }
    assert!(tally.total() > 100_000, "{tally:?}");
    assert!(tally.refused > tally.total() / 10 && tally.ran > tally.total() / 10, "{tally:?}");
}

/// Several changes at once, anywhere: records, weights, metadata.
#[test]
fn files_with_several_changes_stay_within_bounds() {
    let mut random = Rng::with_seed(5);
    let mut tally = Tally::default();
    for subject in SUBJECTS.iter() {
        for _ in 0..samples(subject).min(2000) {
            let mut file = subject.file.clone();
            let bytes = file.bytes_mut();
            for _ in 0..random.usize(1..=4) {
                let place = random.usize(..bytes.len() - 4);
                match random.u8(..4) {
                    0 => bytes[place] ^= 1 << random.u8(..8),
                    1 => bytes[place] = random.u8(..),
                    2 => bytes[place / 4 * 4..][..4].copy_from_slice(&random.u32(..).to_le_bytes()),
                    _ => bytes.copy_within(place..place + 4, random.usize(..bytes.len() / 4) * 4),
                }
            }
            restate_work(&mut file);
            tally.add(trial(&file));
        }
    }
    assert!(tally.total() > 50_000, "{tally:?}");
    assert!(tally.ran > tally.total() / 20, "{tally:?}");
}

#[test]
fn debug_tests_check_for_overflow() {
    let overflows = std::panic::catch_unwind(|| black_box(u8::MAX) + black_box(1)).is_err();
    assert_eq!(overflows, cfg!(debug_assertions));
}
