//! Targets of the user's own toolchain.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace;

/// rustup is given up after this time: where its server cannot be reached, it may wait for long.
const LIMIT: Duration = Duration::from_secs(120);

/// Those of the targets whose `core` the toolchain has.
pub(super) fn installed(targets: &BTreeSet<String>) -> Result<BTreeSet<String>> {
    let mut installed = BTreeSet::new();
    for target in targets {
        let library = PathBuf::from(ask_rustc(&["--print", "target-libdir", "--target", target])?);
        let has_core = library.read_dir().is_ok_and(|mut files| {
            files
                .any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libcore-")))
        });
        if has_core {
            installed.insert(target.clone());
        }
    }
    Ok(installed)
}

/// Lets rustup add the targets. Whether it could shows in [`installed`].
pub(super) fn add(targets: &[&String]) {
    if workspace::find_program(&["rustup"]).is_none() {
        return;
    }
    let list = targets.iter().map(|target| target.as_str()).collect::<Vec<_>>().join(" ");
    eprintln!("set-up: rustup target add {list}");
    let mut command = process::command("rustup");
    command.args(["target", "add"]).args(targets).current_dir(workspace::root());
    let reason = match process::run(&mut command, LIMIT, |_| ()) {
        Ok(finished) if finished.ending.is_success() => return,
        Ok(finished) => finished.ending.to_string(),
        Err(error) => format!("{error:#}"),
    };
    eprintln!("set-up: rustup could not ({reason}); trying Debian's compiler");
}

/// The first line of what the user's compiler answers.
pub(super) fn ask_rustc(arguments: &[&str]) -> Result<String> {
    let mut command = process::command("rustc");
    command.args(arguments).current_dir(workspace::root());
    let finished = process::run(&mut command, LIMIT, |_| ())?;
    if !finished.ending.is_success() {
        let complaint = String::from_utf8_lossy(&finished.stderr).into_owned();
        bail!("rustc {}: {}", arguments.join(" "), complaint.trim());
    }
    let answer = String::from_utf8(finished.stdout).context("rustc answered in no UTF-8")?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
