//! Any bytes are converted or refused, and never by an error that is the converter's own.
#![no_main]

use std::error::Error;

use libfuzzer_sys::fuzz_target;
use secateur_converter::limits::Limits;
use secateur_converter::pipeline::{Options, convert};

/// Small, for speed.
const LIMITS: Limits = Limits { arena: 1 << 20, work: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    if let Err(error) = convert(data, "fuzzed", &Options { limits: LIMITS, ..Options::default() }) {
        let mut next: Option<&dyn Error> = Some(&error);
        while let Some(error) = next {
            assert!(!error.to_string().contains("please report"), "{error}");
            next = error.source();
        }
    }
});
