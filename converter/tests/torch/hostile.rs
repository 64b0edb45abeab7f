//! Files made to do harm: they are refused quickly, in little memory, and nothing in them is run.

use std::path::Path;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use secateur_converter::import::torch::read_weights;

use crate::files::{refusal, small};
use crate::malformed::{archive, packed, tensor};

/// Most time for one file, on a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(1);
const MEMORY: u64 = 200 << 20;

fn refused_within_bounds(bytes: &[u8]) -> String {
    let start = Instant::now();
    let mut errors = String::new();
    let info = measure(|| errors = refusal(bytes));
    assert!(start.elapsed() < BOUND, "took {:?}: {errors}", start.elapsed());
    assert!(info.bytes_max < MEMORY, "{} bytes in use: {errors}", info.bytes_max);
    errors
}

#[test]
fn functions_are_named_and_not_called() {
    for file in ["command.pt", "command_legacy.pt"] {
        let errors = refused_within_bounds(&small(file));
        assert!(errors.contains("would call posix.system; here nothing has been run"), "{errors}");
    }
    assert!(!Path::new("/tmp/secateur-must-not-exist").exists());
}

/// Pickles that name a function in every way there is.
#[test]
fn every_way_to_call_is_refused() {
    for pickle in [
        &b"\x80\x02cos\nsystem\nX\x01\0\0\0a\x85R."[..],
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01a\x85R.",
        b"\x80\x02cbuiltins\neval\nX\x01\0\0\0a\x85R.",
        b"\x80\x02csubprocess\nPopen\nX\x01\0\0\0a\x85\x81.",
        b"\x80\x04\x8c\x0asubprocess\x8c\x05Popen\x93)}\x92.",
        b"\x80\x02ccopy_reg\n_reconstructor\n(cx\nY\nc__builtin__\nobject\nNtR.",
        b"(S'a'\nios\nsystem\n.",
        b"(cos\nsystem\nS'a'\no.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n)NtR.",
    ] {
        let bytes = archive(&[("data.pkl", pickle)]);
        refused_within_bounds(&bytes);
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 300 << 20];
    let deflated = zip::CompressionMethod::Deflated;
    let pickle = tensor(75 << 20, 0, &[75 << 20], &[1]);
    let errors = refused_within_bounds(&packed(&[("data.pkl", &pickle), ("data/0", &zeros)], deflated));
    assert!(errors.contains("unpack to much more"), "{errors}");
    let errors = refused_within_bounds(&packed(&[("data.pkl", &zeros)], deflated));
    assert!(errors.contains("unpack to much more"), "{errors}");
}

#[test]
fn pickles_without_end_are_refused() {
    let megabytes = |unit: &[u8], count: usize| unit.repeat((count << 20) / unit.len());
    let mut doubling = b"\x80\x02(".to_vec();
    doubling.extend(b"2".repeat(1000));
    for (what, pickle) in [
        ("constants", megabytes(b"N", 40)),
        ("marks", megabytes(b"(", 40)),
        ("empty lists", megabytes(b"]", 40)),
        ("nested tuples", [b"N".to_vec(), megabytes(b"\x85", 40)].concat()),
        ("memo", [b"N".to_vec(), megabytes(b"\x94", 40)].concat()),
        ("copies", [b"N".to_vec(), megabytes(b"2", 40)].concat()),
        ("references", [b"Nq\0".to_vec(), megabytes(b"h\0", 40)].concat()),
        ("texts", megabytes(b"\x8c\x04abcd", 40)),
        ("names", megabytes(b"ca\nb\n", 40)),
        ("doubling", doubling),
        // A long list copied again and again.
        (
            "ordered dictionaries",
            [
                b"ccollections\nOrderedDict\nq\0]q\x01(".to_vec(),
                b"NN\x86".repeat(100_000),
                b"e0".to_vec(),
                b"h\0h\x01\x85R0".repeat(100_000),
                b".".to_vec(),
            ]
            .concat(),
        ),
    ] {
        let errors = refused_within_bounds(&archive(&[("data.pkl", &pickle)]));
        assert!(!errors.is_empty(), "{what}");
    }
}

/// One storage seen by many tensors: each view is small in the file and large in memory.
#[test]
fn overlapping_tensors_are_refused() {
    let count = 1 << 20;
    let one = tensor(count, 0, &[count], &[1]);
    let entry = &one[3..one.len() - 2];
    let mut pickle = b"\x80\x02}".to_vec();
    for index in 0..5000 {
        let mut entry = entry.to_vec();
        entry.splice(..6, [b"X\x04\0\0\0".to_vec(), format!("{index:04}").into_bytes()].concat());
        pickle.extend(entry);
        pickle.push(b's');
    }
    pickle.push(b'.');
    let errors = refused_within_bounds(&archive(&[("data.pkl", &pickle), ("data/0", &vec![0; 4 << 20])]));
    assert!(errors.contains("the tensors share elements"), "{errors}");
}

#[test]
fn values_that_contain_themselves_are_taken() {
    // A dictionary that is its own entry, and a list in itself, beside a tensor.
    let one = tensor(6, 0, &[6], &[1]);
    let mut pickle = b"\x80\x02}q\x01X\x04\0\0\0selfh\x01sX\x04\0\0\0list]q\x02h\x02as".to_vec();
    pickle.extend(&one[3..]);
    let start = Instant::now();
    let weights = read_weights(&archive(&[("data.pkl", &pickle), ("data/0", &[0; 24])]));
    assert!(start.elapsed() < BOUND);
    assert!(weights.is_ok_and(|weights| weights.len() == 1));
}

#[test]
fn memory_is_a_small_multiple_of_the_file() {
    for bytes in [
        small("zip.pt"),
        small("legacy.pt"),
        crate::files::project("tests/golden/fashion_dscnn/fashion_dscnn.pt"),
    ] {
        let info = measure(|| assert!(read_weights(&bytes).is_ok()));
        let bound = 4 * bytes.len() as u64 + (128 << 10);
        assert!(info.bytes_max < bound, "{} bytes in use for a file of {}", info.bytes_max, bytes.len());
    }
}
