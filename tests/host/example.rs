//! The converted model in `boards/models`, which the example firmware carries, is what the converter makes today.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::pipeline::{self, Options};
use secateur_converter::rust_module;
use secateur_tests::workspace;

#[test]
fn the_firmware_carries_todays_model() -> Result<()> {
    let source = workspace().join("tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite");
    let folder = workspace().join("boards/models");
    let labels = fs::read_to_string(folder.join("labels.txt"))?.lines().map(str::to_owned).collect();
    let options = Options { labels, ..Options::default() };
    let converted = pipeline::convert(&fs::read(source)?, "fashion_dscnn_int8.tflite", &options)?;

    let same = fs::read(folder.join("fashion_dscnn.sct"))? == converted.file.bytes();
    ensure!(same, "fashion_dscnn.sct is old: boards/models/README.md says how to write it anew");
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let module = fs::read_to_string(folder.join("fashion_dscnn.rs"))?;
    ensure!(module == rust_module::text(&model, Path::new("fashion_dscnn.sct")), "fashion_dscnn.rs is old");
    Ok(())
}
