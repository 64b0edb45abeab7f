//! Broken files are refused with an error, at once.

use std::time::{Duration, Instant};

use secateur_converter::import::tflite::import;

use crate::files;

#[test]
fn broken_files_are_refused() {
    let Some(folder) = files::shared("malformed") else { return };
    for entry in files::json(folder.join("index.json"))["files"].as_array().expect("a list") {
        let name = entry["file"].as_str().expect("a name");
        let bytes = files::read(folder.join(name));
        let start = Instant::now();
        let result = import(&bytes);
        let took = start.elapsed();
        assert!(took < Duration::from_millis(500), "{name} took {took:?}");
        match result {
            Ok(_) => assert_eq!(entry["may_load"], true, "{name} ({}) was imported", entry["what"]),
            Err(errors) => {
                assert!(!errors.problems.is_empty(), "{name}");
                eprintln!("{name:32} {}", errors.problems[0]);
            }
        }
    }
}

#[test]
fn every_truncation_of_a_model_is_taken() {
    let bytes = files::read(files::project("golden/fashion_dscnn/fashion_dscnn_int8.tflite"));
    for length in (0..bytes.len()).step_by(97).chain(bytes.len() - 200..bytes.len()) {
        if let Err(errors) = import(&bytes[..length]) {
            assert!(!errors.problems.is_empty());
        }
    }
}
