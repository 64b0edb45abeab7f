//! Where test data lies: some in the project, more beside it, which need not be there.

use std::path::{Path, PathBuf};

use secateur_converter::import::torch::{Weights, read_weights};

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A small file of weights.
pub(crate) fn small(name: &str) -> Vec<u8> {
    read(package().join("tests/torch/data").join(name))
}

/// A file of the project.
pub(crate) fn project(path: &str) -> Vec<u8> {
    read(package().join("..").join(path))
}

/// A file or folder of the data beside the project; `None`, with a note, if there is none on this machine.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("SECATEUR_DATA").map_or_else(|| package().join("../../shared/data"), PathBuf::from);
    let path = root.join(path);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The bytes of a file that must be readable.
pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The weights of a file that must hold some.
pub(crate) fn weights(bytes: &[u8]) -> Weights {
    read_weights(bytes).unwrap_or_else(|errors| panic!("{errors}"))
}

/// What is wrong with a file that must not be taken.
pub(crate) fn refusal(bytes: &[u8]) -> String {
    match read_weights(bytes) {
        Ok(weights) => panic!("{} weights were read", weights.len()),
        Err(errors) => errors.to_string(),
    }
}
