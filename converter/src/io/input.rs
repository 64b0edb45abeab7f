//! What a path given as input or reference holds: arrays, or raw bytes.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::folder::{self, FolderError};
use super::idx::{self, IdxError};
use super::image::{self, ImageError};
use super::npy::{self, NpyError};
use super::{Array, FileError, file};

/// The content of one file, or of a folder with one sample per file.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A `.bin`: elements in the model's own type, without a header.
    Raw(Vec<u8>),
    /// A `.npy`, an IDX file, a picture, or a folder of `.npy` files or pictures.
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
    /// The IDX file is damaged.
    #[error("{}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: IdxError,
    },
    /// The picture is damaged.
    #[error("{}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ImageError,
    },
    /// The folder's files are not samples of one kind.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file is a model.
    #[error("{}: this is a model, but input values are expected (.npy, .npz, a picture or .bin); are two arguments exchanged?", .path.display())]
    Model {
        /// The file.
        path: PathBuf,
    },
    /// The file is of an unknown kind.
    #[error(
        "{}: input values come from .npy, .npz, IDX files, pictures, or .bin files (raw elements in the model's own type)",
        .path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
    },
}

/// Reads input values. The name's ending decides between raw bytes and formats that tell themselves.
///
/// # Errors
/// If the file cannot be read, is damaged or of another kind.
pub fn read(path: &Path) -> Result<Input, InputError> {
    if path.is_dir() {
        return Ok(Input::Array(folder::read(path)?));
    }
    let bytes = file::read(path)?;
    let own = || path.to_owned();
    let damaged = |source| InputError::Npy { path: own(), source };
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match extension.to_str() {
        Some("bin" | "raw") => Ok(Input::Raw(bytes)),
        Some("sct" | "tflite" | "onnx" | "pt" | "pth" | "safetensors") => {
            Err(InputError::Model { path: own() })
        }
        _ if bytes.starts_with(npy::MAGIC) => npy::read(&bytes).map(Input::Array).map_err(damaged),
        _ if bytes.starts_with(npy::ARCHIVE_MAGIC) => {
            npy::read_archive(&bytes).map(Input::Named).map_err(damaged)
        }
        Some("npy") => npy::read(&bytes).map(Input::Array).map_err(damaged),
        Some("npz") => npy::read_archive(&bytes).map(Input::Named).map_err(damaged),
        _ if is_idx(path) => {
            idx::read(&bytes).map(Input::Array).map_err(|source| InputError::Idx { path: own(), source })
        }
        _ if image::looks_like(&bytes) => {
            image::read(&bytes).map(Input::Array).map_err(|source| InputError::Image { path: own(), source })
        }
        _ => Err(InputError::Unknown { path: own() }),
    }
}

/// Whether the name is that of an IDX file: its first bytes say too little.
fn is_idx(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.ends_with("ubyte") || name.ends_with(".idx") || name.contains("-idx")
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
        let labels = [0, 0, 8, 1, 0, 0, 0, 1, 7];
        assert!(matches!(read(&write("t10k-labels-idx1-ubyte", &labels)), Ok(Input::Array(_))));
        assert!(matches!(read(&write("labels.idx", &labels[..8])), Err(InputError::Idx { .. })));
        assert!(matches!(read(&directory.path().join("none")), Err(InputError::File(_))));
    }
}
