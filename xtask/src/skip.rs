//! How a test says that it did not run.
//!
//! Rust's test harness knows no test that finds out at run time that it cannot run. Such a test calls one of these
//! functions with its own name and returns; `cargo xtask test` then counts it as skipped, and lists it with the reason.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::thread;

/// Names the file that collects the skipped tests, one `name<TAB>reason` a line.
pub const FILE_VARIABLE: &str = "SECATEUR_SKIPPED";

/// Whether this machine has to run every on-target test.
#[must_use]
pub fn is_continuous_integration() -> bool {
    env::var_os("CI").is_some_and(|value| value == "true")
}

/// The calling test needs data that is not part of the repository.
pub fn without_data(test: &str, reason: &str) {
    record(test, reason);
}

/// The calling test needs a data set that the set-up installs.
///
/// # Panics
/// When `CI=true`: there, accuracy that was not measured is a failure.
pub fn without_dataset(test: &str, reason: &str) {
    assert!(!is_continuous_integration(), "a test on a data set may not be skipped here: {reason}");
    record(test, reason);
}

/// The calling test needs an emulator or a compiler that is not there.
///
/// # Panics
/// When `CI=true`: there, a board that was not tested is a failure.
pub fn without_board(test: &str, reason: &str) {
    assert!(!is_continuous_integration(), "an on-target test may not be skipped here: {reason}");
    record(test, reason);
}

/// Notes the test. The harness names its threads after the tests, modules included, unless it runs but one.
fn record(test: &str, reason: &str) {
    let current = thread::current();
    let name = current.name().filter(|name| name.ends_with(test)).unwrap_or(test);
    eprintln!("skipped: {name}: {reason}");
    let Some(file) = env::var_os(FILE_VARIABLE) else { return };
    let line = format!("{name}\t{}\n", reason.replace('\n', " "));
    // A note that is lost only turns a skipped test into a passed one in the summary.
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(file) {
        let _ = file.write_all(line.as_bytes());
    }
}

/// The names and reasons that were noted in the file. None were when there is no file.
#[must_use]
pub fn read(file: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, reason)| (name.into(), reason.into()))
        .collect()
}
