//! Any bytes are read as the weights of a state dict or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_converter::import::torch::read_weights;

fuzz_target!(|data: &[u8]| {
    match read_weights(data) {
        Ok(weights) => assert!(!weights.is_empty()),
        Err(errors) => assert!(!errors.problems.is_empty()),
    }
});
