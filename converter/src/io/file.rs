//! Reading a file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// There is no such file.
    #[error("{}: there is no such file", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The path names a directory.
    #[error("{}: this is a directory, but a file is expected", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The file holds nothing.
    #[error("{}: the file is empty", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The directory that should hold a file to be written does not exist.
    #[error("{}: there is no directory {}; create it first", .path.display(), .parent.display())]
    NoParent {
        /// The file or directory to be written.
        path: PathBuf,
        /// The missing directory.
        parent: PathBuf,
    },
    /// The system refuses to read it.
    #[error("{}: cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system refuses to write it.
    #[error("{}: cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Reads a file that holds at least one byte.
///
/// # Errors
/// If the path does not name such a file; see [`FileError`].
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let path = || path.to_owned();
    match fs::read(path()) {
        Ok(bytes) if bytes.is_empty() => Err(FileError::Empty { path: path() }),
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(FileError::Missing { path: path() }),
        Err(error) if error.kind() == ErrorKind::IsADirectory => Err(FileError::Directory { path: path() }),
        Err(source) => Err(FileError::Read { path: path(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_has_its_own_error() {
        let directory = tempfile::tempdir().unwrap();
        let empty = directory.path().join("empty");
        fs::write(&empty, []).unwrap();
        assert!(matches!(read(directory.path()), Err(FileError::Directory { .. })));
        assert!(matches!(read(&empty), Err(FileError::Empty { .. })));
        assert!(matches!(read(&directory.path().join("none")), Err(FileError::Missing { .. })));
    }
}
