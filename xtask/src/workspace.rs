//! Where things lie.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::process;

/// The folder that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// The cargo that started this process, or the one on the path.
#[must_use]
pub fn cargo() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// The target directory of everything that runs on a board: apart from the host's, because it has a compiler of its
/// own.
///
/// # Errors
/// When cargo cannot say where the workspace's target directory is.
pub fn firmware_directory() -> Result<PathBuf> {
    Ok(target_directory()?.join("firmware"))
}

/// The target directory of host builds, as cargo sees it with all settings of the user.
///
/// # Errors
/// When `cargo metadata` fails.
pub fn target_directory() -> Result<&'static Path> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    if let Some(directory) = DIRECTORY.get() {
        return Ok(directory);
    }
    let mut command = process::command(cargo());
    command.args(["metadata", "--no-deps", "--offline", "--format-version", "1"]).current_dir(root());
    let output = command.output().context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("unexpected answer of cargo metadata")?;
    Ok(DIRECTORY.get_or_init(|| metadata.target_directory))
}

/// The folder of shared models and golden vectors, which is not part of the project, if it is there:
/// `SECATEUR_DATA`, or `../shared/data` beside the workspace.
#[must_use]
pub fn shared_data() -> Option<PathBuf> {
    let path = env::var_os("SECATEUR_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    path.is_dir().then_some(path)
}

/// Debian's package of Fashion-MNIST (MIT, Zalando SE): 60,000 images to calibrate with, 10,000 to test with.
pub const FASHION_MNIST_PACKAGE: &str = "dataset-fashion-mnist";

/// The folder of IDX files that the package installs; none where it is not installed.
#[must_use]
pub fn fashion_mnist() -> Option<PathBuf> {
    let folder = PathBuf::from("/usr/share/datasets/fashion-mnist");
    folder.join("train-images-idx3-ubyte.gz").is_file().then_some(folder)
}

/// Every full-int8 model of the shared data, in its folder `models`.
pub const INT8_MODELS: [&str; 8] = [
    "ad01_int8",
    "hello_world_int8",
    "kws_ref_model",
    "micro_speech_quantized",
    "person_detect",
    "pretrainedResnet_quant",
    "str_ww_ref_model",
    "vww_96_int8",
];

/// The first of the programs that the search path has.
#[must_use]
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| file.is_file())
}
