//! Any bytes are imported as a TensorFlow Lite model or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_converter::import::tflite::import;

fuzz_target!(|data: &[u8]| {
    if let Err(errors) = import(data) {
        assert!(!errors.problems.is_empty());
    }
});
