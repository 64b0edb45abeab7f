//! Samples with labels.
//!
//! A data set is one of:
//!
//! - a directory with `info.json` and raw files: `{"classes": ["cat", …], "files": {"images.bin": {"dtype": "uint8",
//!   "shape": [1000, 28, 28]}, "labels.bin": {"dtype": "uint8", "shape": [1000]}}}`;
//! - a directory with a pair of IDX files as MNIST has them (`t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, also
//!   with `.gz`), or such a pair by path;
//! - a `.npz` with samples and labels under one of the pairs of names in [`PAIRS`];
//! - a directory with a folder of pictures or `.npy` files per class: the folders' names, in their order, are the classes;
//! - a pair of `.npy` files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::folder::{self, FolderError};
use super::idx::{self, IdxError};
use super::input::{self, Input, InputError};
use super::npy;
use super::{Array, Elements, FileError, file};

/// Samples with one label each.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The samples along the first axis.
    pub samples: Array,
    /// Class of each sample.
    pub labels: Vec<usize>,
    /// Names of the classes; empty if the data set does not tell.
    pub classes: Vec<String>,
}

/// Names of samples and labels, without endings, the first that exist are taken.
pub const PAIRS: [(&str, &str); 5] =
    [("images", "labels"), ("x", "y"), ("test_x", "test_y"), ("x_test", "y_test"), ("samples", "labels")];

/// Names of the IDX files of a directory; the test set before the training set.
const IDX_PAIRS: [(&str, &str); 2] = [
    ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
    ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
];

/// Why a path is no data set.
#[derive(Debug, Error)]
pub enum DatasetError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file with arrays is damaged or of another kind.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A folder's files are not samples of one kind.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// An IDX file is damaged.
    #[error("{}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: IdxError,
    },
    /// The description is not as documented.
    #[error("{}: not a description of a data set", .path.display())]
    Info {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A raw file has another length than described.
    #[error("{}: {found} bytes, but info.json describes {dtype} {shape:?}", .path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: usize,
        /// Type of its elements.
        dtype: String,
        /// Its dimensions.
        shape: Vec<usize>,
    },
    /// Samples and labels are not found.
    #[error("{}: no samples with labels found; {hint}", .path.display())]
    NoPair {
        /// The directory or file.
        path: PathBuf,
        /// What is looked for.
        hint: &'static str,
    },
    /// Labels are not numbers of classes.
    #[error("{}: labels must be one integer from 0 on for each sample", .path.display())]
    Labels {
        /// Where the labels come from.
        path: PathBuf,
    },
    /// There are more or fewer labels than samples.
    #[error("{}: {samples} samples, but {labels} labels", .path.display())]
    Count {
        /// Where the labels come from.
        path: PathBuf,
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
}

/// Names of the IDX files with samples, the training set first.
pub(super) const IDX_TRAINING_FIRST: [&str; 2] = [IDX_PAIRS[1].0, IDX_PAIRS[0].0];

/// The first of the files that a directory has, plain or compressed.
pub(super) fn find_idx<const N: usize>(directory: &Path, names: [&str; N]) -> Option<PathBuf> {
    let forms = names.into_iter().flat_map(|name| [name.to_owned(), format!("{name}.gz")]);
    forms.map(|name| directory.join(name)).find(|path| path.is_file())
}

/// Reads a data set; `labels` names the second file of a pair.
///
/// # Errors
/// If the path is none of the kinds above.
pub fn read(path: &Path, labels: Option<&Path>) -> Result<Dataset, DatasetError> {
    match labels {
        Some(labels) => {
            let samples = read_array(path, PAIRS.map(|(samples, _)| samples))?;
            let classes = read_array(labels, PAIRS.map(|(_, labels)| labels))?;
            assemble(samples, classes, Vec::new(), labels)
        }
        None if path.join("info.json").is_file() => read_described(path),
        None if path.is_dir() => read_directory(path),
        None => match input::read(path)? {
            Input::Named(arrays) => {
                let find =
                    |name: &str| arrays.iter().find(|(found, _)| found == name).map(|(_, a)| a.clone());
                let pair = PAIRS.iter().find_map(|&(s, l)| Some((find(s)?, find(l)?)));
                let hint = "the archive should hold arrays named x and y, or images and labels";
                let (samples, labels) =
                    pair.ok_or_else(|| DatasetError::NoPair { path: path.to_owned(), hint })?;
                assemble(samples, labels, Vec::new(), path)
            }
            Input::Array(_) | Input::Raw(_) => Err(DatasetError::NoPair {
                path: path.to_owned(),
                hint: "give the labels with --labels, or a directory or .npz that holds both",
            }),
        },
    }
}

/// One array from a `.npy`, an IDX file, or the first of `names` that a `.npz` has.
fn read_array<const N: usize>(path: &Path, names: [&str; N]) -> Result<Array, DatasetError> {
    let bytes = file::read(path)?;
    if !bytes.starts_with(npy::MAGIC) && !bytes.starts_with(npy::ARCHIVE_MAGIC) {
        return idx::read(&bytes).map_err(|source| DatasetError::Idx { path: path.to_owned(), source });
    }
    let hint = "the file should hold an array named x or images, y or labels";
    let missing = || DatasetError::NoPair { path: path.to_owned(), hint };
    match input::read(path)? {
        Input::Array(array) => Ok(array),
        Input::Named(arrays) => {
            let known = arrays.into_iter().find(|(name, _)| names.contains(&name.as_str()));
            known.map(|(_, array)| array).ok_or_else(missing)
        }
        Input::Raw(_) => Err(missing()),
    }
}

fn read_directory(directory: &Path) -> Result<Dataset, DatasetError> {
    let find = |name: &str| find_idx(directory, [name]);
    let pair = IDX_PAIRS.iter().find_map(|&(samples, labels)| Some((find(samples)?, find(labels)?)));
    if pair.is_none() {
        let folders = folder::folders(directory)?;
        if folders.len() > 1 {
            return read_folders(directory, &folders);
        }
    }
    let hint = "the directory should hold info.json with raw files, t10k-images-idx3-ubyte and \
                t10k-labels-idx1-ubyte, or a folder of pictures per class";
    let (samples, labels) = pair.ok_or_else(|| DatasetError::NoPair { path: directory.to_owned(), hint })?;
    read(&samples, Some(&labels))
}

/// A folder per class.
fn read_folders(directory: &Path, folders: &[PathBuf]) -> Result<Dataset, DatasetError> {
    let (mut files, mut labels, mut classes) = (Vec::new(), Vec::new(), Vec::new());
    for (class, folder) in folders.iter().enumerate() {
        let samples = folder::files(folder)?;
        labels.resize(labels.len() + samples.len(), class);
        files.extend(samples);
        classes.push(folder.file_name().unwrap_or_default().to_string_lossy().into_owned());
    }
    Ok(Dataset { samples: folder::stack(&files, directory)?, labels, classes })
}

/// `info.json`.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    classes: Vec<String>,
    files: BTreeMap<String, RawFile>,
}

#[derive(Deserialize)]
struct RawFile {
    dtype: RawType,
    shape: Vec<usize>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawType {
    Uint8,
    Int8,
    Int32,
    Float32,
}

impl RawType {
    fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Float32 => "float32",
        }
    }
}

fn read_described(directory: &Path) -> Result<Dataset, DatasetError> {
    let path = directory.join("info.json");
    let info: Info = serde_json::from_slice(&file::read(&path)?)
        .map_err(|source| DatasetError::Info { path: path.clone(), source })?;
    let find = |name: &str| info.files.get_key_value(&format!("{name}.bin"));
    let pair = PAIRS.iter().find_map(|&(samples, labels)| Some((find(samples)?, find(labels)?)));
    let hint = "info.json should list images.bin and labels.bin, or x.bin and y.bin, under \"files\"";
    let (samples, labels) = pair.ok_or(DatasetError::NoPair { path, hint })?;
    let read = |(name, raw): (&String, &RawFile)| read_raw(&directory.join(name), raw);
    assemble(read(samples)?, read(labels)?, info.classes, &directory.join(labels.0))
}

fn read_raw(path: &Path, raw: &RawFile) -> Result<Array, DatasetError> {
    let bytes = file::read(path)?;
    let elements = match raw.dtype {
        RawType::Uint8 => Elements::U8(bytes.clone()),
        RawType::Int8 => Elements::I8(bytes.iter().map(|&byte| byte.cast_signed()).collect()),
        RawType::Int32 => {
            Elements::I64(bytes.as_chunks().0.iter().map(|&b| i32::from_le_bytes(b).into()).collect())
        }
        RawType::Float32 => {
            Elements::F32(bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect())
        }
    };
    let expected = raw.shape.iter().try_fold(1usize, |product, &d| product.checked_mul(d));
    let whole = match raw.dtype {
        RawType::Uint8 | RawType::Int8 => true,
        RawType::Int32 | RawType::Float32 => bytes.len().is_multiple_of(4),
    };
    if expected != Some(elements.len()) || !whole {
        return Err(DatasetError::Length {
            path: path.to_owned(),
            found: bytes.len(),
            dtype: raw.dtype.name().to_owned(),
            shape: raw.shape.clone(),
        });
    }
    Ok(Array { shape: raw.shape.clone(), elements })
}

/// `path` is where the labels come from.
fn assemble(
    samples: Array,
    labels: Array,
    classes: Vec<String>,
    path: &Path,
) -> Result<Dataset, DatasetError> {
    let count = samples.shape.first().copied().unwrap_or(0);
    let integers = labels.elements.integers();
    let labels: Option<Vec<usize>> =
        integers.and_then(|labels| labels.into_iter().map(|label| usize::try_from(label).ok()).collect());
    let labels = labels.ok_or_else(|| DatasetError::Labels { path: path.to_owned() })?;
    if labels.len() != count {
        return Err(DatasetError::Count { path: path.to_owned(), samples: count, labels: labels.len() });
    }
    Ok(Dataset { samples, labels, classes })
}

impl Dataset {
    /// The first `count` samples, or all there are.
    pub fn first(mut self, count: usize) -> Self {
        self.labels.truncate(count);
        Self { samples: self.samples.first(count), ..self }
    }
}

#[cfg(test)]
mod tests;
