//! What the test suites share: where golden data is, how it is read, which files are damaged and what they may do then,
//! and how firmware is run.

use std::path::{Path, PathBuf};

pub mod golden;
pub mod layers;
pub mod subjects;
pub mod target;
pub mod trial;
pub mod vectors;

use secateur_converter::core::Core;

/// One core for each set of packings.
pub const CORES: [Core; 2] = [Core::CortexM0, Core::CortexM4];

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The folder of shared models and golden vectors, which is not part of the project, if it is there:
/// `SECATEUR_DATA`, or `../shared/data` beside the workspace.
pub fn shared_data() -> Option<PathBuf> {
    let path = match std::env::var_os("SECATEUR_DATA") {
        Some(path) => PathBuf::from(path),
        None => workspace().join("../shared/data"),
    };
    path.is_dir().then_some(path)
}

/// Says that a test was left out for want of data; `cargo xtask test` counts and lists it as skipped.
pub fn skipped(test: &str, reason: &str) {
    xtask::skip::without_data(test, reason);
}
