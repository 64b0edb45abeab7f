//! A model that has been checked: everything the engine needs to run it without failing.

use crate::format::{FormatError, Tables};
use crate::kernels::{KernelSet, NodeError};

/// A checked model with the kernels that run it. The bytes stay where they are, in flash or RAM.
#[derive(Debug, Clone, Copy)]
pub struct Model<'m> {
    tables: Tables<'m>,
    kernels: KernelSet,
}

/// Why a model cannot be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LoadError {
    /// The bytes are not a valid file.
    Format(FormatError),
    /// A node asks for what its operator does not do.
    Node {
        /// Index of the node.
        index: u16,
        /// Code of its operator.
        op: u16,
        /// What is wrong.
        error: NodeError,
    },
    /// The header's work is not the sum of the nodes' work.
    Work,
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Format(error) => error.fmt(f),
            Self::Node { index, op, error } => {
                let name = crate::format::OpCode::from_code(*op).map_or("unknown", |op| op.name());
                write!(f, "node {index} ({name}): {error}")
            }
            Self::Work => f.write_str("the work stated in the header is not that of the nodes"),
        }
    }
}

impl core::error::Error for LoadError {}

impl From<FormatError> for LoadError {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

impl<'m> Model<'m> {
    /// Checks `file` completely: structure, checksum, every tensor and every node against the operator in `kernels`.
    ///
    /// Takes time linear in the file's length, no memory. A model that loads cannot make the engine panic, leave its
    /// bounds or run longer than [`Self::work`] steps.
    ///
    /// # Errors
    /// The first fault, with the record it is in.
    pub fn load(file: &'m [u8], kernels: &KernelSet) -> Result<Self, LoadError> {
        let tables = Tables::read(file)?;
        let mut work = 0u64;
        for (node, index) in tables.nodes().zip(0u16..) {
            let fault = |error| LoadError::Node { index, op: node.record().op, error };
            let operator = kernels.find(&node).ok_or(fault(NodeError::NotLinked))?;
            work = work.saturating_add((operator.check)(&node).map_err(fault)?);
        }
        if work != tables.header().work.get() {
            return Err(LoadError::Work);
        }
        Ok(Self { tables, kernels: *kernels })
    }

    /// Bytes of arena that a session needs.
    pub fn arena_len(&self) -> usize {
        self.tables.header().arena_len as usize
    }

    /// Inner-loop steps of one inference: multiply-accumulates, comparisons or elements moved.
    pub fn work(&self) -> u64 {
        self.tables.header().work.get()
    }

    /// Typed views of the file.
    pub fn tables(&self) -> &Tables<'m> {
        &self.tables
    }

    /// The kernels that the model was loaded with.
    pub fn kernels(&self) -> &KernelSet {
        &self.kernels
    }
}
