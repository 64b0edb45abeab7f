//! A `.sct` file with the right checksum and work is refused, or runs within its arena.
#![no_main]

use libfuzzer_sys::fuzz_target;
use secateur_converter::model_file::ModelFile;
use secateur_tests::trial::{restate_work, trial_without_clock};

fuzz_target!(|data: &[u8]| {
    let mut file = ModelFile::new(data);
    restate_work(&mut file);
    trial_without_clock(&file);
});
