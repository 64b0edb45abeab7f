//! Folders of files that each hold one sample: pictures or `.npy`.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::input::{self, Input, InputError};
use super::{Array, Elements, image};
use crate::ir::shape::Dimensions;

/// Why a folder's files do not make one array.
#[derive(Debug, Error)]
pub enum FolderError {
    /// The folder cannot be listed.
    #[error("{}: cannot be listed", .path.display())]
    List {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// There is no file of a known kind.
    #[error("{}: no samples there: pictures (PNG, JPEG, BMP, PNM) or .npy files are looked for", .path.display())]
    Nothing {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] Box<InputError>),
    /// Files differ in size or type.
    #[error("{}: {found}, but {} is {expected}: all samples must have one size and type", .path.display(), .first.display())]
    Mixed {
        /// The file that differs.
        path: PathBuf,
        /// Its type and shape.
        found: String,
        /// The first file.
        first: PathBuf,
        /// Its type and shape.
        expected: String,
    },
}

/// The folder's samples in the order of their names, along a new first axis, with the files that they come from.
///
/// # Errors
/// If there are none or they are not alike.
pub fn read(folder: &Path) -> Result<Array, FolderError> {
    stack(&files(folder)?, folder)
}

/// The folders in a folder, in the order of their names.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The files of a folder that may hold samples, in the order of their names.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let is_sample = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        ending.to_str().is_some_and(|ending| ending == "npy" || image::ENDINGS.contains(&ending))
    };
    Ok(entries(folder)?.into_iter().filter(is_sample).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, FolderError> {
    let failed = |source| FolderError::List { path: folder.to_owned(), source };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(failed))
        .collect::<Result<Vec<_>, FolderError>>()?;
    // `.DS_Store` and its like are nobody's samples.
    paths.retain(|path| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b".")));
    paths.sort();
    Ok(paths)
}

/// One array of the samples in `files`, along a new first axis; `folder` is where they were looked for.
pub(super) fn stack(files: &[PathBuf], folder: &Path) -> Result<Array, FolderError> {
    let mut stacked: Option<(Array, &Path)> = None;
    for path in files {
        let array = match input::read(path).map_err(Box::new)? {
            Input::Array(array) => array,
            // Only pictures and `.npy` files are listed.
            Input::Raw(_) | Input::Named(_) => continue,
        };
        match &mut stacked {
            None => stacked = Some((Array { shape: [&[1], array.shape.as_slice()].concat(), ..array }, path)),
            Some((all, first)) => {
                let alike = all.shape[1..] == array.shape && append(&mut all.elements, &array.elements);
                if !alike {
                    let of_one = format!("{} {}", all.elements.type_name(), Dimensions(&all.shape[1..]));
                    return Err(FolderError::Mixed {
                        path: path.clone(),
                        found: array.to_string(),
                        first: first.to_owned(),
                        expected: of_one,
                    });
                }
                all.shape[0] += 1;
            }
        }
    }
    stacked.map(|(array, _)| array).ok_or_else(|| FolderError::Nothing { path: folder.to_owned() })
}

/// Appends elements of the same type; `false` if the types differ.
fn append(all: &mut Elements, more: &Elements) -> bool {
    match (all, more) {
        (Elements::F32(all), Elements::F32(more)) => all.extend_from_slice(more),
        (Elements::I8(all), Elements::I8(more)) => all.extend_from_slice(more),
        (Elements::U8(all), Elements::U8(more)) => all.extend_from_slice(more),
        (Elements::I64(all), Elements::I64(more)) => all.extend_from_slice(more),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::npy;
    use super::*;

    #[test]
    fn files_are_stacked_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, values: &[u8]| {
            let bytes = npy::write(&[values.len()], values).unwrap();
            fs::write(directory.path().join(name), bytes).unwrap();
        };
        assert!(matches!(read(directory.path()), Err(FolderError::Nothing { .. })));
        write("b.npy", &[3, 4]);
        write("a.npy", &[1, 2]);
        fs::write(directory.path().join(".c.npy"), b"hidden").unwrap();
        fs::write(directory.path().join("notes.txt"), b"text").unwrap();
        let expected = Array { shape: vec![2, 2], elements: Elements::U8(vec![1, 2, 3, 4]) };
        assert_eq!(read(directory.path()).unwrap(), expected);
        write("c.npy", &[5]);
        let message = read(directory.path()).unwrap_err().to_string();
        assert!(message.contains("c.npy: uint8 [1], but"), "{message}");
        assert!(matches!(read(&directory.path().join("none")), Err(FolderError::List { .. })));
    }
}
