//! Entries of any bytes are read without panic and written as they were read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur::format::metadata::{encode, entries};

fuzz_target!(|data: &[u8]| {
    let mut buffer = vec![0; data.len() + 64];
    for entry in entries(data) {
        let written = encode(&entry, &mut buffer).expect("no entry grows");
        assert!(entries(written).eq([entry]));
    }
});
