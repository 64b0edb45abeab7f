//! Builds programs of the `boards` package.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::board::{Board, Isa};
use crate::toolchain::Toolchain;
use crate::workspace;

/// The package of all firmware.
pub const PACKAGE: &str = "secateur-boards";

/// The programs that the on-target tests run on every board.
pub const TESTED: &[&str] = &["hello", "endings", "runner"];

/// Where the inner loops are assembly, the rest of the runtime is built small: it hardly counts in time.
const SMALL_RUNTIME: &str = "profile.firmware.package.secateur.opt-level = 's'";

/// A program to build for a board.
#[derive(Debug, Clone, Copy)]
pub struct Firmware<'a> {
    /// The board to build for.
    pub board: &'a Board,
    /// Name of a program in `boards/src/bin`.
    pub program: &'a str,
    /// Features of the `boards` package, beside the board's own and those that the program cannot do without.
    pub features: &'a [&'a str],
    /// The Rust module of a model, for a program that is built around one.
    pub model: Option<&'a Path>,
}

impl<'a> Firmware<'a> {
    /// The program with what it cannot do without.
    #[must_use]
    pub fn new(board: &'a Board, program: &'a str) -> Self {
        Self { board, program, features: &[], model: None }
    }

    /// Builds the program and returns its ELF file, which later builds for other boards or models leave alone.
    ///
    /// # Errors
    /// When the build fails; the compiler's messages are already on the standard error.
    pub fn build(&self, toolchain: &Toolchain) -> Result<PathBuf> {
        let Self { board, program, .. } = self;
        let directory = workspace::firmware_directory()?;
        let _lock = lock(&directory)?;
        let mut command = toolchain.cargo("build", &board.target)?;
        command.args(["--quiet", "--profile", "firmware", "--package", PACKAGE, "--bin", program]);
        command.args(["--features", &self.feature_list()?, "--message-format", "json-render-diagnostics"]);
        command.env(ISA_VARIABLE, isa_name(board.isa));
        if board.isa == Isa::Dsp {
            command.args(["--config", SMALL_RUNTIME]);
        }
        match self.model {
            Some(module) => command.env(MODEL_VARIABLE, module),
            None => command.env_remove(MODEL_VARIABLE),
        };
        // Without it defmt leaves out all but errors when it compiles.
        command.env("DEFMT_LOG", env::var_os("DEFMT_LOG").unwrap_or_else(|| "info".into()));
        let output = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
        if !output.status.success() {
            bail!("{program} for {} does not build", board.name);
        }
        let built =
            executable(&output.stdout).with_context(|| format!("cargo built no program {program}"))?;

        let folder = directory.join("boards").join(board.label());
        let model = self.model.and_then(Path::file_stem).map(|stem| format!("-{}", stem.to_string_lossy()));
        let elf = folder.join(format!("{program}{}.elf", model.unwrap_or_default()));
        // The `secateur` command finds the facts of a board beside its programs.
        let facts = [board.folder().join(FACTS), folder.join(FACTS)];
        fs::create_dir_all(&folder)
            .and_then(|()| replace(&facts[0], &facts[1]))
            .and_then(|()| replace(&built, &elf))
            .with_context(|| format!("cannot write {}", elf.display()))?;
        Ok(elf)
    }

    fn feature_list(&self) -> Result<String> {
        let mut features = required_features(self.program)?;
        features.insert(0, self.board.name.clone());
        features.extend(self.features.iter().map(|&feature| feature.to_owned()));
        Ok(features.join(","))
    }
}

/// The features that a program cannot do without, those left out that a board brings along.
///
/// # Errors
/// When there is no such program.
fn required_features(program: &str) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Manifest {
        bin: Vec<Program>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Program {
        name: String,
        required_features: Vec<String>,
    }
    let path = workspace::root().join("boards/Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: Manifest = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let names: Vec<String> = manifest.bin.iter().map(|program| program.name.clone()).collect();
    let Some(found) = manifest.bin.into_iter().find(|candidate| candidate.name == program) else {
        bail!("there is no program `{program}`; there are {}", names.join(", "));
    };
    Ok(found.required_features.into_iter().filter(|feature| !feature.starts_with('_')).collect())
}

/// File name of a board's facts.
const FACTS: &str = "board.toml";

/// Tells the runtime's build script which kernels a board can run, where the target triple alone does not.
pub const ISA_VARIABLE: &str = "SECATEUR_ISA";

/// Tells the build script of the programs which model to build them around.
const MODEL_VARIABLE: &str = "SECATEUR_MODEL";

/// The value of [`ISA_VARIABLE`].
#[must_use]
pub fn isa_name(isa: Isa) -> &'static str {
    match isa {
        Isa::Scalar => "scalar",
        Isa::Dsp => "dsp",
    }
}

/// Holds off other builds, of this process or another, until the result is dropped: boards of one target share cargo's
/// place for the program, and it has to be copied away before the next build puts another one there.
fn lock(directory: &Path) -> Result<File> {
    let path = directory.join("build.lock");
    let open = || {
        fs::create_dir_all(directory)?;
        let file = File::create(&path)?;
        file.lock()?;
        Ok::<File, io::Error>(file)
    };
    open().with_context(|| format!("cannot lock {}", path.display()))
}

/// Copies whole or not at all, since an emulator may be reading the old file.
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh)?;
    fs::rename(&fresh, to)
}

/// The executable that cargo's messages name last.
fn executable(messages: &[u8]) -> Option<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    String::from_utf8_lossy(messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok()?.executable)
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_state_what_they_cannot_do_without() {
        assert_eq!(required_features("hello").unwrap(), ["logs"]);
        assert!(required_features("runner").unwrap().is_empty());
        assert!(required_features("hullo").unwrap_err().to_string().contains("hello"));
    }

    #[test]
    fn the_executable_is_taken_from_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"/t/hello"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
            "\n",
        );
        assert_eq!(executable(messages.as_bytes()), Some(PathBuf::from("/t/hello")));
        assert_eq!(executable(b"{}"), None);
    }
}
