//! The converted model in `boards/models`, which the example firmware carries, is what the converter makes today.

use anyhow::{Result, ensure};
use secateur_converter::pipeline::{self, Options};
use secateur_tests::workspace;

/// Set to write the file anew.
const REGENERATE: &str = "SECATEUR_REGENERATE";

#[test]
fn the_firmware_carries_todays_model() -> Result<()> {
    let source = workspace().join("tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite");
    let converted =
        pipeline::convert(&std::fs::read(source)?, "fashion_dscnn_int8.tflite", &Options::default())?;
    let path = workspace().join("boards/models/fashion_dscnn.sct");
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, converted.file.bytes())?;
    }
    let same = std::fs::read(&path)? == converted.file.bytes();
    ensure!(same, "boards/models/fashion_dscnn.sct is old: run the tests once with {REGENERATE}=1");
    Ok(())
}
