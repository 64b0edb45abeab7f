//! Opening a model for use: a `.sct` file, or a source model, which is converted in memory or run as it is.

use std::path::{Path, PathBuf};

use secateur::format::metadata::{self, Entry};
use secateur::{LoadError, Model, kernels};
use thiserror::Error;

use crate::dump::{self, NodeOutput};
use crate::facts::Facts;
use crate::io::{self, FileError};
use crate::limits::LimitError;
use crate::model_file::ModelFile;
use crate::pipeline::{self, ConvertError, Converted, Options, Quantization};
use crate::port::{self, Port};
use crate::source::float_model::FloatModelError;
use crate::source::{FloatModel, Network, SourceError, SourceModel, SourceOptions};

/// A model as a command finds it.
#[derive(Debug)]
pub enum Opened {
    /// A model that the runtime accepts.
    Runtime(Box<OpenModel>),
    /// A source model of real numbers, which only the host runs.
    Float(OpenFloat),
}

impl Opened {
    fn runtime(model: OpenModel) -> Self {
        Opened::Runtime(Box::new(model))
    }

    /// Where the model was read from.
    pub fn path(&self) -> &Path {
        match self {
            Opened::Runtime(model) => model.path(),
            Opened::Float(model) => &model.path,
        }
    }

    /// What the caller fills.
    ///
    /// # Errors
    /// None that can happen, since the model was checked when it was read.
    pub fn inputs(&self) -> Result<Vec<Port>, OpenError> {
        Ok(match self {
            Opened::Runtime(opened) => port::inputs(&opened.model()?, &opened.facts()?),
            Opened::Float(opened) => opened.model.inputs().to_vec(),
        })
    }

    /// What the caller reads.
    ///
    /// # Errors
    /// As [`Self::inputs`].
    pub fn outputs(&self) -> Result<Vec<Port>, OpenError> {
        Ok(match self {
            Opened::Runtime(opened) => port::outputs(&opened.model()?, &opened.facts()?),
            Opened::Float(opened) => opened.model.outputs().to_vec(),
        })
    }

    /// What the nodes write, in the order of execution.
    ///
    /// # Errors
    /// As [`Self::inputs`].
    pub fn node_outputs(&self) -> Result<Vec<NodeOutput>, OpenError> {
        Ok(match self {
            Opened::Runtime(opened) => dump::node_outputs(&opened.model()?),
            Opened::Float(opened) => opened.model.node_outputs(),
        })
    }

    /// Names of the classes; a source model has none.
    ///
    /// # Errors
    /// As [`Self::inputs`].
    pub fn labels(&self) -> Result<Vec<String>, OpenError> {
        Ok(match self {
            Opened::Runtime(opened) => opened.facts()?.labels,
            Opened::Float(_) => Vec::new(),
        })
    }
}

/// A float source model.
#[derive(Debug)]
pub struct OpenFloat {
    /// Where it was read from.
    pub path: PathBuf,
    /// The network.
    pub model: FloatModel,
}

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
    /// The file is no source model that can be used.
    #[error("{}: {}", .path.display(), headline(.source))]
    Source {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: SourceError,
    },
    /// The source model cannot be converted.
    #[error("{}: cannot be converted", .path.display())]
    Convert {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<ConvertError>,
    },
    /// The float model cannot be run.
    #[error("{}: cannot be run as it is", .path.display())]
    Float {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: FloatModelError,
    },
    /// A float model where only a converted one will do.
    #[error(
        "{}: a float model; quantize it first: `secateur convert {} -o OUT.sct --calibrate DATA`",
        .path.display(), .path.display()
    )]
    NotConverted {
        /// The file.
        path: PathBuf,
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

/// What a list of problems is headed by; the only problem where there is one.
fn headline(error: &SourceError) -> String {
    match error {
        SourceError::Import(_) | SourceError::Pass(_) => "cannot be converted".to_owned(),
        other => other.to_string(),
    }
}

/// Opens a model; a quantized source model is converted with `options`. The content decides, not the name.
///
/// # Errors
/// If the file is no model, or not one that can be run.
pub fn open(path: &Path, source_options: &SourceOptions, options: &Options) -> Result<Opened, OpenError> {
    let bytes = io::read(path)?;
    if ModelFile::looks_like_sct(&bytes) {
        return OpenModel::of_sct(path, &bytes, options).map(Opened::runtime);
    }
    let source = SourceModel::parse(&bytes, path, source_options)
        .map_err(|source| OpenError::Source { path: path.to_owned(), source })?;
    match source.network {
        Network::Quantized(_) => OpenModel::convert(path, source, None, options).map(Opened::runtime),
        Network::Float(graph) => {
            let path = path.to_owned();
            let model = FloatModel::new(graph);
            let model = model.map_err(|source| OpenError::Float { path: path.clone(), source })?;
            Ok(Opened::Float(OpenFloat { path, model }))
        }
    }
}

fn node_name(node: &str) -> String {
    if node.is_empty() { String::new() } else { format!(", at node '{node}'") }
}

impl OpenModel {
    /// Reads a `.sct` file, or reads a quantized source model and converts it with `options`.
    ///
    /// # Errors
    /// If the file is no model, or not one that the runtime can execute.
    pub fn read(path: &Path, options: &Options) -> Result<Self, OpenError> {
        match open(path, &SourceOptions::default(), options)? {
            Opened::Runtime(model) => Ok(*model),
            Opened::Float(model) => Err(OpenError::NotConverted { path: model.path }),
        }
    }

    /// Converts a source model that was read from `path`; a float one is quantized as `quantization` says.
    ///
    /// # Errors
    /// If it cannot be converted.
    pub fn convert(
        path: &Path,
        source: SourceModel,
        quantization: Option<Quantization<'_>>,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let (bytes, crc32) = (source.bytes, source.crc32);
        let converted = pipeline::convert_source(source, quantization, options)
            .map_err(|source| OpenError::Convert { path: path.to_owned(), source: Box::new(source) })?;
        let file = converted.file.clone();
        check(path, &file)?;
        Ok(Self { path: path.to_owned(), file, source: Some(Source { bytes, crc32, converted }) })
    }

    fn of_sct(path: &Path, bytes: &[u8], options: &Options) -> Result<Self, OpenError> {
        let file = ModelFile::new(bytes);
        let limits = options.limits.check(&check(path, &file)?);
        limits.map_err(|source| OpenError::Limit { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, source: None })
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
        assert!(message("x.keras", b"PK\x03\x04").contains("Keras models cannot be read: export"));
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
