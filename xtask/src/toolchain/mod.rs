//! Finds or installs what firmware is built and run with.
//!
//! For each target, the first of these that works:
//!
//! 1. the target of the user's toolchain, when it is installed;
//! 2. a compiler of our own choosing that builds `core` from source, when all of it is there (see [`source`]);
//! 3. `rustup target add`;
//! 4. that compiler from Debian's packages. They come from a package mirror, so they also work where rustup cannot
//!    reach its server.
//!
//! Nothing of this changes the user's settings: what the compiler needs is in the environment of the child alone.
//! `SECATEUR_COMPILER=source` passes over 1 and 3.

mod apt;
mod rustup;
pub mod source;

use std::collections::BTreeSet;
use std::env;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::plugin;
use crate::process;
use crate::qemu;
use crate::workspace;

use source::SourceCompiler;

/// What a command is about to use.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Target triples to build for.
    pub targets: BTreeSet<String>,
    /// Whether clippy has to know these targets too.
    pub clippy: bool,
    /// Whether a firmware will run.
    pub qemu: bool,
    /// Whether its instructions will be counted: that takes a C compiler for QEMU's plugin.
    pub profiler: bool,
    /// Whether accuracy will be measured: that takes the packaged data sets.
    pub datasets: bool,
}

/// The means to build firmware for the targets that were asked for.
#[derive(Debug, Clone)]
pub struct Toolchain {
    installed: BTreeSet<String>,
    source: Option<SourceCompiler>,
}

/// Sees to it that everything needed is there; installs only what is missing, and says so.
///
/// # Errors
/// When something is missing and cannot be installed. The message then is the command that would install it.
pub fn set_up(needs: &Needs) -> Result<Toolchain> {
    let mut inventory = Inventory::take(needs)?;
    if inventory.source.is_none() && !may_use_source_alone() {
        let missing: Vec<&String> = needs.targets.difference(&inventory.installed).collect();
        if !missing.is_empty() {
            rustup::add(&missing);
            inventory = Inventory::take(needs)?;
        }
    }
    let packages = inventory.missing_packages(needs);
    if !packages.is_empty() {
        apt::install(&packages)?;
        inventory = Inventory::take(needs)?;
    }
    inventory.into_toolchain(needs)
}

/// The same without installing anything.
///
/// # Errors
/// When something is missing.
pub fn find(needs: &Needs) -> Result<Toolchain> {
    Inventory::take(needs)?.into_toolchain(needs)
}

/// What is there of what is needed.
struct Inventory {
    installed: BTreeSet<String>,
    source: Option<SourceCompiler>,
}

impl Inventory {
    fn take(needs: &Needs) -> Result<Self> {
        let installed =
            if may_use_source_alone() { BTreeSet::new() } else { rustup::installed(&needs.targets)? };
        let source = if installed == needs.targets { None } else { SourceCompiler::find() };
        Ok(Self { installed, source })
    }

    /// The Debian packages of the parts that are missing.
    fn missing_packages(&self, needs: &Needs) -> Vec<&'static str> {
        let mut packages = Vec::new();
        if self.installed != needs.targets {
            if self.source.is_none() {
                packages.extend(source::missing_packages());
            }
            if needs.clippy && !self.source.as_ref().is_some_and(SourceCompiler::has_clippy) {
                packages.push("rust-web-clippy");
            }
        }
        if needs.qemu && workspace::find_program(&[qemu::PROGRAM]).is_none() {
            packages.push("qemu-system-arm");
        }
        if needs.profiler && workspace::find_program(plugin::COMPILERS).is_none() {
            packages.extend(["gcc", "libc6-dev"]);
        }
        if needs.datasets && workspace::fashion_mnist().is_none() {
            packages.push(workspace::FASHION_MNIST_PACKAGE);
        }
        packages
    }

    fn into_toolchain(self, needs: &Needs) -> Result<Toolchain> {
        let missing = self.missing_packages(needs);
        if !missing.is_empty() {
            bail!("missing {}; `cargo xtask setup` installs what is missing", missing.join(", "));
        }
        Ok(Toolchain { installed: self.installed, source: self.source })
    }
}

fn may_use_source_alone() -> bool {
    env::var_os("SECATEUR_COMPILER").is_some_and(|value| value == "source")
}

impl Toolchain {
    /// `cargo SUBCOMMAND --target TARGET` with the right compiler and a target directory apart from the host's.
    ///
    /// # Errors
    /// When the target was not among the needs at set-up.
    pub fn cargo(&self, subcommand: &str, target: &str) -> Result<Command> {
        let from_source = !self.installed.contains(target);
        let source = if from_source {
            Some(self.source.as_ref().with_context(|| format!("{target} was not set up"))?)
        } else {
            None
        };
        let mut command = match source {
            Some(source) if subcommand == "clippy" => process::command(source.cargo_clippy()),
            _ => process::command(workspace::cargo()),
        };
        // Settings for the host's builds. They would break or needlessly repeat a build for a board.
        for name in [
            "RUSTC",
            "RUSTC_BOOTSTRAP",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_RUSTC",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
        ] {
            command.env_remove(name);
        }
        command.current_dir(workspace::root()).arg(subcommand).args(["--target", target]);
        command.env("CARGO_TARGET_DIR", workspace::firmware_directory()?);
        if let Some(source) = source {
            source.apply(&mut command, target);
        }
        Ok(command)
    }

    /// One line per target: which compiler builds for it.
    #[must_use]
    pub fn describe(&self, targets: &BTreeSet<String>) -> Vec<String> {
        let line = |target: &String| match &self.source {
            Some(source) if !self.installed.contains(target) => format!("{target}: {source}"),
            _ => format!("{target}: installed in the toolchain"),
        };
        targets.iter().map(line).collect()
    }
}
