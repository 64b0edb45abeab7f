//! Source models: read from any format, normalized, ready to be converted or to be run as they are.
//!
//! | module | holds |
//! |---|---|
//! | [`format`](mod@format) | which kind of file it is |
//! | [`float_model`] | float models that run on the host |

pub mod float_model;
pub mod format;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use float_model::FloatModel;
pub use format::{Foreign, Format};

use crate::import::torch::Replaced;
use crate::import::{self, ImportErrors, Imported};
use crate::io::{self, FileError};
use crate::ir::{Float, Graph, Quantized};
use crate::passes::{self, PassError};
use crate::pipeline::crc32;
use crate::quantize::from_qdq::{self, FromQdqError};

/// What a source model's file does not say itself.
#[derive(Clone, Debug, Default)]
pub struct SourceOptions {
    /// Shapes of inputs that the file leaves open, by name.
    pub shapes: BTreeMap<String, Vec<usize>>,
    /// Description of a network whose file holds only weights.
    pub architecture: Option<PathBuf>,
    /// Weights that take the place of those in the file.
    pub weights: Option<PathBuf>,
}

/// A source model, read and normalized.
#[derive(Clone, Debug)]
pub struct SourceModel {
    /// Its file name, without folders.
    pub name: String,
    /// Length of its file in bytes.
    pub bytes: usize,
    /// CRC-32 of its file.
    pub crc32: u32,
    /// Its format.
    pub format: Format,
    /// The network.
    pub network: Network,
    /// What normalization did.
    pub passes: passes::Report,
    /// Which weights took the place of others, where some were given.
    pub replaced: Option<Replaced>,
}

/// A network as its file left it.
#[derive(Clone, Debug)]
pub enum Network {
    /// Integers throughout: it can be lowered.
    Quantized(Graph<Quantized>),
    /// Real numbers: it can be run on the host, and has to be quantized.
    Float(Graph<Float>),
}

/// Why a file is no source model that can be used.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is something else.
    #[error("{}", foreign(.0))]
    Foreign(Foreign),
    /// The file is damaged or holds what is not supported.
    #[error(transparent)]
    Import(#[from] ImportErrors),
    /// A description or weights beside the model cannot be used.
    #[error("{}: cannot be used", .path.display())]
    Beside {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: ImportErrors,
    },
    /// A file of weights without a network.
    #[error(
        "{format} weights without a network: describe it with --architecture NET.toml, or export the model to ONNX \
         (torch.onnx.export) and give these weights with --with-weights"
    )]
    NoArchitecture {
        /// The format.
        format: Format,
    },
    /// A network described twice.
    #[error("{format} models hold their network: --architecture is for files of weights")]
    HasArchitecture {
        /// The format.
        format: Format,
    },
    /// Weights for a quantized model.
    #[error("a quantized model, whose weights real numbers cannot replace: give the float model")]
    QuantizedWeights,
    /// A pass failed; a fault of this program.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// The file says how it is quantized, but not so that integers can do it.
    #[error(transparent)]
    Qdq(#[from] FromQdqError),
}

fn foreign(foreign: &Foreign) -> String {
    match foreign {
        Foreign::Sct => "a .sct file, not a source model".to_owned(),
        Foreign::Unsupported { kind, advice } => format!("{kind} models cannot be read: {advice}"),
        Foreign::NotAModel { what, hint } => {
            format!("{what}, not a model (.sct, .tflite, .onnx, .pt or .safetensors){hint}")
        }
    }
}

impl SourceModel {
    /// Reads a source model from a file.
    ///
    /// # Errors
    /// If it is none, or is not supported.
    pub fn read(path: &Path, options: &SourceOptions) -> Result<Self, SourceError> {
        Self::parse(&io::read(path)?, path, options)
    }

    /// Reads a source model from its bytes; `path` names it, and its folder holds what belongs to it.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn parse(bytes: &[u8], path: &Path, options: &SourceOptions) -> Result<Self, SourceError> {
        let format = Format::of(path, bytes).map_err(SourceError::Foreign)?;
        let (imported, replaced) = import(format, bytes, path, options)?;
        let mut report = passes::Report::default();
        let network = match imported {
            Imported::Quantized(graph) => Network::Quantized(graph),
            Imported::Float(graph) if from_qdq::applies(&graph) => {
                let (graph, passes) = from_qdq::from_qdq(graph)?;
                report = passes;
                Network::Quantized(graph)
            }
            Imported::Float(mut graph) | Imported::Hybrid(mut graph) => {
                report = passes::normalize(&mut graph)?;
                Network::Float(graph)
            }
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(SourceModel {
            name,
            bytes: bytes.len(),
            crc32: crc32(bytes),
            format,
            network,
            passes: report,
            replaced,
        })
    }
}

/// The network as its file, or its description, has it.
fn import(
    format: Format,
    bytes: &[u8],
    path: &Path,
    options: &SourceOptions,
) -> Result<(Imported, Option<Replaced>), SourceError> {
    let mut imported = match (format, &options.architecture) {
        (Format::TfLite, None) => import::tflite::import(bytes)?,
        (Format::Onnx, None) => {
            let folder = path.parent().map(Path::to_owned);
            import::onnx::import(bytes, &import::onnx::Options { folder, shapes: options.shapes.clone() })?
        }
        (Format::PyTorch | Format::Safetensors, Some(description)) => {
            let text = String::from_utf8_lossy(&io::read(description)?).into_owned();
            let weights = import::torch::read_weights(bytes)?;
            let graph = import::torch::architecture::build(&text, &weights);
            Imported::Float(graph.map_err(|source| beside(description, source))?)
        }
        (Format::PyTorch | Format::Safetensors, None) => return Err(SourceError::NoArchitecture { format }),
        (Format::TfLite | Format::Onnx, Some(_)) => return Err(SourceError::HasArchitecture { format }),
    };
    let Some(weights) = &options.weights else { return Ok((imported, None)) };
    let (Imported::Float(graph) | Imported::Hybrid(graph)) = &mut imported else {
        return Err(SourceError::QuantizedWeights);
    };
    let read = import::torch::read_weights(&io::read(weights)?).map_err(|source| beside(weights, source))?;
    let replaced = import::torch::replace_weights(graph, &read).map_err(|source| beside(weights, source))?;
    Ok((imported, Some(replaced)))
}

/// The error of a file that is used beside the model.
fn beside(path: &Path, source: ImportErrors) -> SourceError {
    SourceError::Beside { path: path.to_owned(), source }
}
