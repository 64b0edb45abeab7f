//! The table of operators that a firmware links.

use crate::format::{Node, OpCode, Packing};
use crate::kernels::Call;

/// One operator: how to check a node and how to run it.
#[derive(Debug)]
pub struct Operator {
    /// Which operator this is.
    pub code: OpCode,
    /// How the weights it takes are stored: each packing of an operator has a kernel of its own.
    pub packing: Packing,
    /// Checks a node's operands and parameters, and gives its work: inner-loop steps that one run takes.
    pub check: fn(&Node<'_>) -> Result<u64, NodeError>,
    /// Runs a node that [`Self::check`] accepted.
    pub run: fn(&mut Call<'_, '_>),
}

/// The operators that are linked. A firmware that names only what its model needs carries no other kernel.
#[derive(Debug, Clone, Copy)]
pub struct KernelSet(pub &'static [&'static Operator]);

impl Operator {
    /// Whether it runs `node`.
    #[inline]
    pub fn runs(&self, node: &Node<'_>) -> bool {
        let record = node.record();
        self.code as u16 == record.op && self.packing as u16 == record.packing
    }
}

impl KernelSet {
    /// The operator that runs `node`, if it is linked.
    pub fn find(&self, node: &Node<'_>) -> Option<&'static Operator> {
        self.0.iter().copied().find(|operator| operator.runs(node))
    }
}

/// Why a node cannot run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NodeError {
    /// The operator, with the node's packing, is not in the [`KernelSet`].
    NotLinked,
    /// Wrong number of inputs or outputs.
    OperandCount,
    /// An operand has an element type that the operator does not take.
    DType,
    /// Shapes do not fit each other, or are larger than the operator can index.
    Shape,
    /// A parameter is out of range.
    Params,
    /// Weights, tables or per-channel records lie outside the constant section.
    Constants,
    /// A requantization multiplier or clamp is out of range.
    Quantization,
    /// The scratch is smaller than the kernel needs.
    Scratch,
    /// An operand that must be in the arena is a constant, or the other way round.
    Place,
    /// Operands overlap in the arena.
    Overlap,
}

impl core::fmt::Display for NodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotLinked => "operator not linked: add it to the kernel set",
            Self::OperandCount => "wrong number of inputs or outputs",
            Self::DType => "element type not supported by the operator",
            Self::Shape => "shapes do not fit",
            Self::Params => "parameter out of range",
            Self::Constants => "weights or tables outside the constant section",
            Self::Quantization => "requantization out of range",
            Self::Scratch => "scratch too small",
            Self::Place => "operand in the wrong memory",
            Self::Overlap => "operands overlap",
        })
    }
}

impl core::error::Error for NodeError {}

/// `Ok` if `condition` holds, else `error`.
///
/// # Errors
/// `error`, if the condition does not hold.
#[inline]
pub fn require(condition: bool, error: NodeError) -> Result<(), NodeError> {
    if condition { Ok(()) } else { Err(error) }
}
