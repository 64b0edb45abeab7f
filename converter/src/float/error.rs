//! Why a float graph cannot be run.

use thiserror::Error;

use crate::ir::{DType, Place, Problem};

/// Why a graph cannot be run, or not with these inputs.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ExecuteError {
    /// The graph is not well-formed.
    #[error("the graph cannot be run: {}", lines(.0))]
    IllFormed(Vec<Problem>),
    /// A node cannot be computed.
    #[error("{place}: {fault}")]
    Node {
        /// The node.
        place: Place,
        /// What is wrong with it.
        fault: OperatorFault,
    },
    /// A constant's scales do not fit its shape, or are absent where they are needed.
    #[error("{place}: the weights have no scales that fit their shape")]
    Weights {
        /// The tensor.
        place: Place,
    },
    /// The tensors that are alive at once are too large.
    #[error(
        "{place}: {bytes} bytes of activations are alive here, at most {limit} are allowed; use a smaller input"
    )]
    Memory {
        /// The node that runs at that time.
        place: Place,
        /// Bytes of all values.
        bytes: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// One inference takes too long.
    #[error("one inference takes {steps} steps, at most {limit} are allowed; {place} alone takes {own}")]
    Work {
        /// Multiply-accumulates and elements moved.
        steps: u64,
        /// Steps that are allowed.
        limit: u64,
        /// The node that takes most.
        place: Place,
        /// Its steps.
        own: u64,
    },
    /// Not as many inputs as the graph has.
    #[error("{found} inputs are given, the model has {expected}")]
    InputCount {
        /// Inputs given.
        found: usize,
        /// Inputs of the graph.
        expected: usize,
    },
    /// An input of another length.
    #[error("input {index} '{name}' has {found} elements, the model takes {expected}")]
    InputLength {
        /// Position among the inputs.
        index: usize,
        /// The tensor's name.
        name: String,
        /// Elements given.
        found: usize,
        /// Elements of the tensor.
        expected: usize,
    },
}

/// What is wrong with a node.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum OperatorFault {
    /// An operator on real numbers got integers.
    #[error("{role} is {dtype}: the operator is computed on real numbers only")]
    Integers {
        /// Which operand.
        role: &'static str,
        /// Its type.
        dtype: DType,
    },
    /// Integers that should stand for real numbers do not say for which.
    #[error("{role} has no scale and zero point")]
    NotQuantized {
        /// Which operand.
        role: &'static str,
    },
    /// There is no slice of this index.
    #[error("index {index} is outside the axis")]
    Index {
        /// The index.
        index: i64,
    },
    /// An operand is absent or of another kind than the operator takes.
    #[error("an operand is absent or of a type that the operator does not take")]
    Operand,
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
