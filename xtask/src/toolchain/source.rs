//! A compiler that builds `core` for any target from source.
//!
//! It needs three parts: a `rustc` whose library sources are installed, the permission to use cargo's unstable
//! `-Zbuild-std` on a stable release, and a linker. Debian has the first as `rustc-web` and `rust-web-src`; it is a
//! compiler beside the user's, used for firmware alone. The linker comes with every rustup toolchain.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::rustup::ask_rustc;
use crate::process;
use crate::workspace;

/// Where Debian's packages put the compiler.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// The oldest compiler that the workspace allows.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// A compiler with its library sources, and a linker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCompiler {
    rustc: PathBuf,
    linker: PathBuf,
}

impl SourceCompiler {
    /// The compiler that is installed on this machine with all parts, if there is one.
    pub(super) fn find() -> Option<Self> {
        Some(Self { rustc: find_rustc()?, linker: find_linker()? })
    }

    /// Whether clippy of the same release is installed beside the compiler.
    pub(super) fn has_clippy(&self) -> bool {
        self.cargo_clippy().is_file()
    }

    pub(super) fn cargo_clippy(&self) -> PathBuf {
        self.rustc.with_file_name("cargo-clippy")
    }

    /// Makes a cargo command use this compiler.
    pub(super) fn apply(&self, command: &mut Command, target: &str) {
        let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace(['-', '.'], "_"));
        command
            .arg("-Zbuild-std=core")
            .env("CARGO", workspace::cargo())
            .env("RUSTC", &self.rustc)
            .env("RUSTC_BOOTSTRAP", "1")
            .env(variable, &self.linker)
            // Set by cargo to the libraries of the user's compiler, which are not this one's.
            .env_remove("LD_LIBRARY_PATH");
    }
}

impl fmt::Display for SourceCompiler {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "core built from source with {}", self.rustc.display())
    }
}

/// The Debian packages that would complete a compiler.
pub(super) fn missing_packages() -> Vec<&'static str> {
    let mut packages = Vec::new();
    if find_rustc().is_none() {
        packages.extend(["rustc-web", "rust-web-src"]);
    }
    if find_linker().is_none() {
        packages.push("lld");
    }
    packages
}

fn find_rustc() -> Option<PathBuf> {
    let own = ask_rustc(&["--print", "sysroot"]).ok().map(|sysroot| Path::new(&sysroot).join("bin/rustc"));
    own.into_iter().chain([PathBuf::from(DEBIAN_RUSTC)]).find(|rustc| {
        has_sources(rustc) && version_of(rustc).is_some_and(|version| at_least(&version, OLDEST))
    })
}

fn has_sources(rustc: &Path) -> bool {
    let sysroot = rustc.parent().and_then(Path::parent);
    sysroot.is_some_and(|sysroot| sysroot.join("lib/rustlib/src/rust/library/core/Cargo.toml").is_file())
}

/// The linker of the user's toolchain, or one on the path.
fn find_linker() -> Option<PathBuf> {
    let bundled = || {
        let sysroot = ask_rustc(&["--print", "sysroot"]).ok()?;
        let host = ask_rustc(&["--print", "host-tuple"]).ok()?;
        Some(Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld"))
    };
    bundled().filter(|linker| linker.is_file()).or_else(|| workspace::find_program(&["rust-lld", "ld.lld"]))
}

/// The second word of `rustc 1.96.0 (…)`.
fn version_of(rustc: &Path) -> Option<String> {
    let mut command = process::command(rustc);
    command.arg("--version").env_remove("LD_LIBRARY_PATH");
    let finished = process::run(&mut command, Duration::from_secs(60), |_| ()).ok()?;
    String::from_utf8_lossy(&finished.stdout).split_whitespace().nth(1).map(str::to_owned)
}

/// Compares the leading numbers of two versions; a part that is missing counts as zero.
fn at_least(version: &str, oldest: &str) -> bool {
    let numbers = |text: &str| {
        let mut parts = text.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
        [(); 3].map(|()| parts.next().unwrap_or(0))
    };
    numbers(version) >= numbers(oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(at_least("1.96.0", "1.95"));
        assert!(at_least("1.95.0-nightly", "1.95"));
        assert!(at_least("1.100.0", "1.95"));
        assert!(!at_least("1.85.1", "1.95"));
        assert!(!at_least("", "1.95"));
    }

    #[test]
    fn a_command_names_compiler_and_linker_for_its_target_alone() {
        let compiler = SourceCompiler { rustc: "/usr/bin/rustc".into(), linker: "/opt/rust-lld".into() };
        let mut command = Command::new("cargo");
        compiler.apply(&mut command, "thumbv8m.main-none-eabihf");
        let set = |name: &str| {
            command
                .get_envs()
                .find(|(variable, _)| *variable == name)
                .and_then(|(_, value)| value.map(Path::new))
        };
        assert_eq!(set("RUSTC"), Some(Path::new("/usr/bin/rustc")));
        assert_eq!(set("CARGO_TARGET_THUMBV8M_MAIN_NONE_EABIHF_LINKER"), Some(Path::new("/opt/rust-lld")));
        assert_eq!(set("LD_LIBRARY_PATH"), None);
    }
}
