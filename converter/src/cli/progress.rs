//! Progress on a terminal: bars, and a spinner where no length is known. Nothing is shown elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for vectors that run.
pub(super) fn vectors(count: usize) -> ProgressBar {
    let bar = steps();
    bar.set_message("running vectors");
    bar.set_length(count as u64);
    bar
}

/// A bar for work in stages, which [`show`] tells of.
pub(super) fn steps() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Shows where a stage stands.
pub(super) fn show(bar: &ProgressBar, stage: &'static str, done: usize, total: usize) {
    bar.set_message(stage);
    bar.set_length(total as u64);
    bar.set_position(done as u64);
}

/// A sign of life while something runs whose length is unknown.
pub(super) fn spinner(message: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(message.to_owned());
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
