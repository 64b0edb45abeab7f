//! What a path given as input or reference holds: arrays, or raw bytes.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::npy::{self, NpyError};
use super::{Array, FileError, file};

/// The content of one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A `.bin`: elements in the model's own type, without a header.
    Raw(Vec<u8>),
    /// A `.npy`.
    Array(Array),
    /// A `.npz`: arrays by name.
    Named(Vec<(String, Array)>),
}

/// Why a file is no input.
#[derive(Debug, Error)]
pub enum InputError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is damaged.
    #[error("{}", .path.display())]
    Npy {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: NpyError,
    },
    /// The file is a model.
    #[error("{}: this is a model, but input values are expected (.npy, .npz or .bin); are two arguments exchanged?", .path.display())]
    Model {
        /// The file.
        path: PathBuf,
    },
    /// The file is of an unknown kind.
    #[error("{}: input values come from .npy, .npz or .bin files (raw elements in the model's own type)", .path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// Reads input values. The name's ending decides between raw bytes and NumPy's formats.
///
/// # Errors
/// If the file cannot be read, is damaged or of another kind.
pub fn read(path: &Path) -> Result<Input, InputError> {
    let bytes = file::read(path)?;
    let own = || path.to_owned();
    let damaged = |source| InputError::Npy { path: own(), source };
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("bin" | "raw") => Ok(Input::Raw(bytes)),
        Some("sct" | "tflite" | "onnx") => Err(InputError::Model { path: own() }),
        _ if bytes.starts_with(npy::MAGIC) => npy::read(&bytes).map(Input::Array).map_err(damaged),
        _ if bytes.starts_with(npy::ARCHIVE_MAGIC) => {
            npy::read_archive(&bytes).map(Input::Named).map_err(damaged)
        }
        Some("npy") => npy::read(&bytes).map(Input::Array).map_err(damaged),
        Some("npz") => npy::read_archive(&bytes).map(Input::Named).map_err(damaged),
        _ => Err(InputError::Unknown { path: own() }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_ending_decides_and_mistakes_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = directory.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let npy = npy::write(&[1], &[1i8]).unwrap();
        assert_eq!(read(&write("x.bin", &npy)).unwrap(), Input::Raw(npy.clone()));
        assert!(matches!(read(&write("x.npy", &npy)), Ok(Input::Array(_))));
        assert!(matches!(read(&write("x.npy", b"text")), Err(InputError::Npy { .. })));
        assert!(matches!(read(&write("x.sct", b"SCT")), Err(InputError::Model { .. })));
        assert!(matches!(read(&write("x.txt", b"text")), Err(InputError::Unknown { .. })));
    }
}
