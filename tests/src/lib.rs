//! What the test suites share: where golden data is, how it is read, which files are damaged and what they may do then,
//! and how firmware is run.

use std::path::Path;

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

pub use xtask::workspace::{INT8_MODELS, shared_data};

/// Says that a test was left out for want of data; `cargo xtask test` counts and lists it as skipped.
pub fn skipped(test: &str, reason: &str) {
    xtask::skip::without_data(test, reason);
}
