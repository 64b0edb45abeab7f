//! Opening a model for use: a `.sct` file, or a source model that is converted in memory.

use std::path::{Path, PathBuf};

use secateur::format::metadata::{self, Entry};
use secateur::{LoadError, Model, kernels};
use thiserror::Error;

use crate::facts::Facts;
use crate::io::{self, FileError, idx, npy};
use crate::limits::LimitError;
use crate::model_file::ModelFile;
use crate::pipeline::{self, ConvertError, Converted, Options};

/// A model in memory that the runtime accepts.
#[derive(Debug)]
pub struct OpenModel {
    path: PathBuf,
    file: ModelFile,
    source: Option<Source>,
}

/// The source model, if the file was one.
#[derive(Debug)]
pub struct Source {
    /// Length of its file in bytes.
    pub bytes: usize,
    /// CRC-32 of its file.
    pub crc32: u32,
    /// What came of it.
    pub converted: Converted,
}

/// Why a file is no usable model.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is something else.
    #[error("{}: {what}, not a model (.sct or .tflite){hint}", .path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        what: &'static str,
        /// What to do, with the separator before it; may be empty.
        hint: &'static str,
    },
    /// The file is a model of a kind that cannot be read.
    #[error("{}: {kind} models cannot be read yet; export the model as a full-int8 .tflite", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// The kind.
        kind: &'static str,
    },
    /// The source model cannot be converted.
    #[error("{}: cannot be converted", .path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<ConvertError>,
    },
    /// The model is too large.
    #[error("{}: too large", .path.display())]
    Limit {
        /// The file.
        path: PathBuf,
        /// In what.
        source: LimitError,
    },
    /// The runtime does not accept the file.
    #[error("{}: not a usable .sct model{}", .path.display(), node_name(.node))]
    Load {
        /// The file.
        path: PathBuf,
        /// Name of the node that is at fault; empty if none is.
        node: String,
        /// What is wrong.
        source: LoadError,
    },
}

fn node_name(node: &str) -> String {
    if node.is_empty() { String::new() } else { format!(", at node '{node}'") }
}

impl OpenModel {
    /// Reads a `.sct` file, or reads a source model and converts it with `options`. The content decides, not the name.
    ///
    /// # Errors
    /// If the file is no model, or not one that the runtime can execute.
    pub fn read(path: &Path, options: &Options) -> Result<Self, OpenError> {
        let bytes = io::read(path)?;
        if ModelFile::looks_like_sct(&bytes) {
            let file = ModelFile::new(&bytes);
            let limits = options.limits.check(&check(path, &file)?);
            limits.map_err(|source| OpenError::Limit { path: path.to_owned(), source })?;
            return Ok(Self { path: path.to_owned(), file, source: None });
        }
        let own = || path.to_owned();
        if let Some(error) = foreign(path, &bytes) {
            return Err(error);
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let converted = pipeline::convert(&bytes, &name, options)
            .map_err(|source| OpenError::Convert { path: own(), source: Box::new(source) })?;
        let file = converted.file.clone();
        check(path, &file)?;
        let source = Source { bytes: bytes.len(), crc32: pipeline::crc32(&bytes), converted };
        Ok(Self { path: own(), file, source: Some(source) })
    }

    /// The model, ready to run.
    ///
    /// # Errors
    /// None that can happen, since the bytes were checked when they were read.
    pub fn model(&self) -> Result<Model<'_>, OpenError> {
        check(&self.path, &self.file)
    }

    /// Where the model was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of the `.sct` file.
    pub fn file(&self) -> &ModelFile {
        &self.file
    }

    /// The source model, if this is not a `.sct` file.
    pub fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// What the metadata says.
    ///
    /// # Errors
    /// As [`Self::model`].
    pub fn facts(&self) -> Result<Facts, OpenError> {
        Ok(Facts::of(self.model()?.tables()))
    }
}

fn check<'f>(path: &Path, file: &'f ModelFile) -> Result<Model<'f>, OpenError> {
    Model::load(file.bytes(), &kernels::ALL).map_err(|source| OpenError::Load {
        path: path.to_owned(),
        node: match source {
            LoadError::Node { index, .. } => name_of_node(file.bytes(), index).unwrap_or_default(),
            _ => String::new(),
        },
        source,
    })
}

/// Name of a node of a file whose records, but not whose nodes, are in order.
fn name_of_node(file: &[u8], node: u16) -> Option<String> {
    let tables = secateur::format::Tables::read(file).ok()?;
    metadata::entries(tables.metadata()).find_map(|entry| match entry {
        Entry::NodeName(index, name) if index == node => Some(name.to_owned()),
        _ => None,
    })
}

/// The error for a file that is known not to be a model that can be read.
fn foreign(path: &Path, bytes: &[u8]) -> Option<OpenError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let unsupported = |kind| Some(OpenError::Unsupported { path: path.to_owned(), kind });
    let not_a_model = |what, hint| Some(OpenError::NotAModel { path: path.to_owned(), what, hint });
    let exchanged = "; are two arguments exchanged?";
    match extension.to_str() {
        Some("tflite") => None,
        Some("onnx") => unsupported("ONNX"),
        Some("pt" | "pth" | "safetensors") => unsupported("PyTorch"),
        Some("h5" | "keras") => unsupported("Keras"),
        Some("sct") if is_tflite(bytes) => None,
        Some("sct") => not_a_model("the first bytes are not those of a .sct file, so this is", ""),
        _ if bytes.starts_with(npy::MAGIC) => not_a_model("a NumPy array", exchanged),
        _ if bytes.starts_with(npy::ARCHIVE_MAGIC) => not_a_model("a zip or .npz archive", exchanged),
        _ if bytes.starts_with(idx::GZIP_MAGIC) => {
            not_a_model("compressed with gzip", "; decompress it first")
        }
        _ if is_tflite(bytes) => None,
        _ => not_a_model("of an unknown kind", exchanged),
    }
}

fn is_tflite(bytes: &[u8]) -> bool {
    bytes.get(4..8) == Some(b"TFL3")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn message(name: &str, bytes: &[u8]) -> String {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        OpenModel::read(&path, &Options::default()).unwrap_err().to_string()
    }

    #[test]
    fn each_kind_of_wrong_file_is_told_apart() {
        assert!(message("x.npy", b"\x93NUMPY\x01\x00").contains("a NumPy array, not a model"));
        assert!(message("x.onnx", b"\x08\x07").contains("ONNX models cannot be read yet"));
        assert!(message("x.sct", b"hello").contains("not those of a .sct file"));
        assert!(message("x.tflite", b"hello").contains("cannot be converted"));
        assert!(message("x.txt", b"hello").contains("of an unknown kind"));
    }

    #[test]
    fn a_large_sct_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tiny.sct");
        let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime/tests/data/tiny.sct");
        std::fs::copy(tiny, &path).unwrap();
        let open = |limits| OpenModel::read(&path, &Options { limits, ..Options::default() });
        assert!(open(Limits { arena: 8, work: 16 }).is_ok());
        let small = open(Limits { arena: 7, work: 16 }).unwrap_err();
        assert!(matches!(small, OpenError::Limit { source: LimitError::Arena { needed: 8, .. }, .. }));
        let short = open(Limits { arena: 8, work: 15 }).unwrap_err();
        let OpenError::Limit { source: LimitError::Work { steps, index, own, .. }, .. } = short else {
            panic!()
        };
        assert_eq!((steps, index, own), (16, 1, 12));
    }

    #[test]
    fn a_damaged_sct_is_refused_by_the_runtime() {
        let damaged = [&secateur::format::MAGIC[..], &[0; 200]].concat();
        assert!(message("x", &damaged).contains("not a usable .sct model"));
    }
}
