//! Why a model cannot be imported.

use std::fmt;

use thiserror::Error;

use super::onnx::OnnxFault;
use super::tflite::Broken;
use super::torch::architecture::ArchitectureFault;
use super::torch::{ReplaceFault, WeightsFault};
use crate::ir::{Fault, Place, Problem};

/// Everything found wrong with a model: at least one problem.
#[derive(Clone, Debug, PartialEq, Error)]
pub struct ImportErrors {
    /// The problems, those of the file first, then tensors, then nodes.
    pub problems: Vec<ImportProblem>,
}

/// One problem a line, the first [`ImportErrors::SHOWN`] of them.
impl fmt::Display for ImportErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.problems.len();
        write!(f, "the model cannot be imported: {count} problem{}", if count == 1 { "" } else { "s" })?;
        for problem in self.problems.iter().take(Self::SHOWN) {
            write!(f, "\n  {problem}")?;
        }
        match count.saturating_sub(Self::SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl ImportErrors {
    /// How many problems the printed form lists.
    pub const SHOWN: usize = 100;

    pub(crate) fn one(place: Place, fault: impl Into<ImportFault>) -> Self {
        ImportErrors { problems: vec![ImportProblem { place, fault: fault.into() }] }
    }
}

/// One thing that is wrong, and its place in the file.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{place}: {fault}")]
pub struct ImportProblem {
    /// Where; operators are named as the file's format names them.
    pub place: Place,
    /// What, and what to do.
    pub fault: ImportFault,
}

impl From<Problem> for ImportProblem {
    fn from(problem: Problem) -> Self {
        ImportProblem { place: problem.place, fault: ImportFault::Graph(problem.fault) }
    }
}

/// What can be wrong with a model file.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum ImportFault {
    /// The file is of another kind.
    #[error("not a {expected} file")]
    NotThisFormat {
        /// The format that was expected.
        expected: &'static str,
    },
    /// The file's structure is damaged.
    #[error("the file is damaged: {0}")]
    Damaged(#[from] Broken),
    /// The format's version is not the known one.
    #[error("schema version {found}: only version {known} is known")]
    SchemaVersion {
        /// The version in the file.
        found: u32,
        /// The version that can be read.
        known: u32,
    },
    /// The file holds no network.
    #[error("no subgraphs")]
    NoSubgraphs,
    /// The file holds several networks that can be called.
    #[error("{count} signatures with subgraphs of their own: export one signature only")]
    SeveralSignatures {
        /// How many.
        count: usize,
    },
    /// An index points past the end of its list.
    #[error("{field} {index}: there are {count}; the file is damaged")]
    Index {
        /// The field that holds the index.
        field: &'static str,
        /// Its value.
        index: i64,
        /// Length of the list.
        count: usize,
    },
    /// The operator is known but not supported.
    #[error("operator {name} ({number}) is not supported; replace it in the model and export again")]
    UnsupportedOperator {
        /// Its name.
        name: &'static str,
        /// Its number in the format.
        number: i32,
    },
    /// The operator is of a version newer than those that are known.
    #[error("version {found}: only versions up to {known} are supported; convert for an older runtime")]
    OperatorVersion {
        /// The version in the file.
        found: i32,
        /// The newest that can be read.
        known: i32,
    },
    /// The operator's number is not known.
    #[error("operator number {number} is not known: the file is damaged or newer than this importer")]
    UnknownOperator {
        /// Its number in the format.
        number: i32,
    },
    /// The operator is not part of the format.
    #[error("custom operator '{name}' is not supported; export the model without it")]
    CustomOperator {
        /// Its name.
        name: String,
    },
    /// The operator's options are those of another operator.
    #[error("its options are of kind {found}, not {expected}; the file is damaged")]
    Options {
        /// The kind of options in the file, by number.
        found: u8,
        /// The kind that the operator has.
        expected: &'static str,
    },
    /// An attribute has a value that exists in the format but is not supported.
    #[error("{attribute} = {value} is not supported; {advice}")]
    UnsupportedAttribute {
        /// The attribute's name.
        attribute: &'static str,
        /// Its value.
        value: String,
        /// What to do.
        advice: &'static str,
    },
    /// An input that must be known at conversion is computed by the network.
    #[error("the {role} is computed by the network: it must be a constant; fix it and export again")]
    NotConstant {
        /// The input's role.
        role: &'static str,
    },
    /// A constant that gives an attribute has too many or too few elements.
    #[error("the {role} has {found} elements: {expected} expected")]
    ConstantLength {
        /// The input's role.
        role: &'static str,
        /// Its number of elements.
        found: usize,
        /// How many there should be.
        expected: String,
    },
    /// Tensors of a type that is not supported.
    #[error("{name} (and {others} more of this type): {advice}")]
    UnsupportedType {
        /// The format's name of the type.
        name: String,
        /// Number of further tensors of the type.
        others: usize,
        /// What to do.
        advice: &'static str,
    },
    /// A dimension is not known.
    #[error("dimension {axis} is {value}: export the model with a fixed input shape")]
    DynamicShape {
        /// The axis.
        axis: usize,
        /// The dimension in the file.
        value: i64,
    },
    /// Too many dimensions.
    #[error("rank {rank}: at most {most} dimensions are supported")]
    RankTooHigh {
        /// Number of dimensions.
        rank: usize,
        /// Most allowed.
        most: usize,
    },
    /// A tensor keeps its value from one inference to the next.
    #[error("is a variable: state kept between inferences is not supported yet")]
    Variable,
    /// A tensor is stored in the format's sparse form.
    #[error("is stored sparse: export it dense (zeros cost nothing here: sparsity is found again)")]
    Sparse,
    /// A tensor's quantization is of a custom kind.
    #[error("has custom quantization: only scales and zero points are supported")]
    CustomQuantization,
    /// An operator of a quantized model computes with real numbers.
    #[error("computes in floating point amid a quantized model; convert with full-integer quantization")]
    FloatInQuantized,
    /// A file of weights cannot be read.
    #[error(transparent)]
    Weights(#[from] WeightsFault),
    /// A description of a network is wrong or does not suit the weights.
    #[error(transparent)]
    Architecture(#[from] ArchitectureFault),
    /// Weights do not suit the model that they are meant for.
    #[error(transparent)]
    Replace(#[from] ReplaceFault),
    /// What can only be wrong with an ONNX file.
    #[error(transparent)]
    Onnx(#[from] OnnxFault),
    /// The graph is not well-formed.
    #[error(transparent)]
    Graph(#[from] Fault),
}
