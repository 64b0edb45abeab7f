//! `cargo xtask COMMAND`: everything that is done to this workspace beside writing it.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Build tooling of the workspace", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Find or install what firmware is built and run with
    Setup(commands::setup::Options),
    /// The main job once: a trained model on the host and on an emulated Cortex-M4
    Demo(commands::demo::Options),
    /// Build a firmware for a board
    Build(commands::build::Options),
    /// Build a firmware and run it on an emulated board
    Qemu(commands::qemu::Options),
    /// Set up what is missing, then run every check and every test
    Test(commands::test::Options),
    /// Check the rules of the source tree that no compiler checks
    Tidy,
    /// Show what a firmware takes of a board's flash and RAM
    Size(commands::size::Options),
    /// Count a model's instructions and estimate its cycles, operator by operator
    Profile(commands::profile::Options),
    /// Hold what models take of each core against the committed figures
    Bench(commands::bench::Options),
    /// Fit the cost table of a core to the cycle profiler
    Costs(commands::costs::Options),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup(options) => commands::setup::run(&options),
        Command::Demo(options) => commands::demo::run(&options),
        Command::Build(options) => commands::build::run(&options),
        Command::Qemu(options) => commands::qemu::run(&options),
        // Its summary is the last word, also when tests failed.
        Command::Test(options) => {
            return match commands::test::run(&options) {
                Ok(true) => ExitCode::SUCCESS,
                Ok(false) => ExitCode::FAILURE,
                Err(error) => complain(&error),
            };
        }
        Command::Tidy => commands::tidy::run(),
        Command::Size(options) => commands::size::run(&options),
        Command::Profile(options) => commands::profile::run(&options),
        Command::Bench(options) => commands::bench::run(&options),
        Command::Costs(options) => commands::costs::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}
