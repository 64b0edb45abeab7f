//! `test`: set up what is missing, then run every check and every test.
//!
//! Nothing stops at the first failure: the summary at the end names all of them.

use std::io::{self, BufRead, BufReader};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;
use xtask::board::{self, Board};
use xtask::firmware::{self, Firmware};
use xtask::libtest;
use xtask::process;
use xtask::report::{Report, Verdict};
use xtask::skip;
use xtask::tidy::{self, Tree};
use xtask::toolchain::{self, Needs, Toolchain};
use xtask::workspace;

use super::targets;

/// The board for which clippy looks at the firmware.
const LINTED_BOARD: &str = "mps2-an386";

#[derive(Args)]
pub(crate) struct Options {
    /// Leave out formatting, clippy, documentation and tidy
    #[arg(long)]
    no_lints: bool,
}

/// Returns whether nothing failed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let boards = board::all()?;
    let mut report = Report::default();
    let needs = Needs {
        targets: targets(&boards),
        clippy: !options.no_lints,
        qemu: true,
        profiler: true,
        datasets: true,
    };
    let toolchain = toolchain::set_up(&needs).map_err(|error| {
        eprintln!("set-up: {error:#}");
        "the set-up did not succeed, see above".to_owned()
    });

    if !options.no_lints {
        check_sources(&mut report, &toolchain)?;
    }
    build_firmware(&mut report, &boards, &toolchain);
    run_workspace_tests(&mut report)?;

    println!("\n{report}");
    Ok(report.is_success())
}

fn check_sources(report: &mut Report, toolchain: &Result<Toolchain, String>) -> Result<()> {
    const GROUP: &str = "source checks";
    let cargo = |arguments: &[&str]| {
        let mut command = process::command(workspace::cargo());
        command.args(arguments).current_dir(workspace::root());
        command
    };
    let format = cargo(&["fmt", "--all", "--check"]);
    tool(report, GROUP, "formatting", "cargo-fmt", format)?;

    let lint = ["clippy", "--quiet", "--workspace", "--exclude", firmware::PACKAGE, "--all-targets"];
    let host = cargo(&[&lint[..], &["--", "-D", "warnings"]].concat());
    tool(report, GROUP, "clippy", "cargo-clippy", host)?;

    match toolchain {
        Ok(toolchain) => {
            let board = board::select(LINTED_BOARD)?.remove(0);
            let mut command = toolchain.cargo("clippy", &board.target)?;
            let features = format!("{0}/{1},{0}/logs", firmware::PACKAGE, board.name);
            command.args(["--quiet", "--package", "secateur", "--package", firmware::PACKAGE]);
            command.args(["--features", &features, "--", "-D", "warnings"]);
            command.env(firmware::ISA_VARIABLE, firmware::isa_name(board.isa));
            tool(report, GROUP, "clippy of the firmware", "cargo-clippy", command)?;
        }
        Err(reason) => skip_on_target(report, GROUP, "clippy of the firmware", reason),
    }

    let mut documentation =
        cargo(&["doc", "--quiet", "--workspace", "--exclude", firmware::PACKAGE, "--no-deps"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    tool(report, GROUP, "documentation", "rustdoc", documentation)?;

    let findings = tidy::check(&Tree::read(workspace::root())?);
    for finding in &findings {
        println!("{finding}");
    }
    let is_tidy = findings.iter().all(|finding| finding.is_warning);
    record(report, GROUP, "tidy", if is_tidy { Verdict::Passed } else { Verdict::Failed });
    Ok(())
}

/// Runs a tool that the toolchain may lack; its messages go to the terminal.
fn tool(report: &mut Report, group: &str, name: &str, program: &str, mut command: Command) -> Result<()> {
    let beside_cargo = workspace::cargo().with_file_name(program);
    let verdict = if beside_cargo.is_file() || workspace::find_program(&[program]).is_some() {
        let status = command.status().with_context(|| format!("cannot start {program}"))?;
        if status.success() { Verdict::Passed } else { Verdict::Failed }
    } else {
        Verdict::Skipped(format!("{program} is not installed"))
    };
    record(report, group, name, verdict);
    Ok(())
}

/// Builds what the on-target tests run, so that a build that fails is seen as such and a long one is not taken for a
/// test that hangs.
fn build_firmware(report: &mut Report, boards: &[Board], toolchain: &Result<Toolchain, String>) {
    const GROUP: &str = "firmware builds";
    for board in boards {
        let toolchain = match toolchain {
            Ok(toolchain) => toolchain,
            Err(reason) => {
                skip_on_target(report, GROUP, &board.name, reason);
                continue;
            }
        };
        let built = firmware::TESTED
            .iter()
            .try_for_each(|program| Firmware::new(board, program).build(toolchain).map(drop));
        let verdict = match built {
            Ok(()) => Verdict::Passed,
            Err(error) => {
                eprintln!("{error:#}");
                Verdict::Failed
            }
        };
        record(report, GROUP, &board.name, verdict);
    }
}

/// Runs `cargo test` of everything that is no firmware, and shows each binary's verdict.
fn run_workspace_tests(report: &mut Report) -> Result<()> {
    let skipped = workspace::target_directory()?.join("skipped-tests");
    // Left over from an earlier run, where there was one.
    let _ = std::fs::remove_file(&skipped);

    let command = || {
        let mut command = process::command(workspace::cargo());
        command.args(["test", "--workspace", "--exclude", firmware::PACKAGE, "--no-fail-fast"]);
        command.current_dir(workspace::root()).env(skip::FILE_VARIABLE, &skipped);
        command
    };
    let built = command().args(["--no-run", "--quiet"]).status().context("cannot start cargo")?;
    if !built.success() {
        record(report, "cargo test", "build", Verdict::Failed);
        return Ok(());
    }
    let (output, success) = stream(command())?;
    let suites = libtest::parse(&output);
    let all_passed = suites.iter().all(|suite| suite.complete && suite.failed.is_empty());
    report.add_suites(&suites, &skip::read(&skipped));
    if !success && all_passed {
        record(report, "cargo test", "ended with an error of its own", Verdict::Failed);
    }
    Ok(())
}

/// Runs the command with both streams in one, in the order in which they were written, and passes on what a reader
/// wants to see: which binary runs, what fails and why.
fn stream(mut command: Command) -> Result<(String, bool)> {
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn().context("cannot start cargo")?;
    // The command holds the other end of the pipe open.
    drop(command);

    let mut output = String::new();
    let mut heading = None;
    for line in BufReader::new(reader).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if line.starts_with("     Running ") || line.starts_with("   Doc-tests ") {
            heading = Some(line.clone());
        } else if !is_noise(&line) {
            // A binary without tests is not worth its heading.
            if !line.starts_with("test result: ok. 0 passed;") {
                heading.iter().for_each(|heading| println!("{heading}"));
                println!("{line}");
            }
            heading = None;
        }
        output.push_str(&line);
        output.push('\n');
    }
    Ok((output, child.wait()?.success()))
}

/// Whether a line tells of a test that passed, or separates such lines.
fn is_noise(line: &str) -> bool {
    line.is_empty()
        || line.starts_with("running ")
        || (line.starts_with("test ") && line.ends_with(" ... ok"))
}

fn skip_on_target(report: &mut Report, group: &str, name: &str, reason: &str) {
    let verdict =
        if skip::is_continuous_integration() { Verdict::Failed } else { Verdict::Skipped(reason.to_owned()) };
    record(report, group, name, verdict);
}

fn record(report: &mut Report, group: &str, name: &str, verdict: Verdict) {
    let word = match &verdict {
        Verdict::Passed => "ok",
        Verdict::Failed => "FAILED",
        Verdict::Skipped(_) => "skipped",
    };
    println!("{group}: {name} ... {word}");
    report.add(group, name, verdict);
}
