//! Running a model: one arena, one node after another.

use zerocopy::FromBytes;

use crate::format::{ALIGN, DType, Node, TensorRecord, metadata};
use crate::kernels::{Call, Element, Operator};
use crate::model::Model;

/// A model with its arena, ready to run.
///
/// Inputs and outputs live in the arena, and an input's bytes are reused once the model has read them: write every input
/// before each run, read the outputs before writing inputs again. Between sessions an arena holds nothing, so several
/// models may take turns on one.
#[derive(Debug)]
pub struct Session<'s, 'm> {
    model: &'s Model<'m>,
    arena: &'s mut [u8],
    next: u16,
    /// What ran the node before: often it runs the next one too.
    last: Option<&'static Operator>,
}

/// Why a session cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SessionError {
    /// The arena is too small.
    ArenaTooSmall {
        /// Bytes that the model needs.
        needed: u32,
        /// Bytes that were given.
        given: u32,
    },
    /// The arena's address is not a multiple of [`ALIGN`].
    Unaligned,
}

impl core::fmt::Display for SessionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ArenaTooSmall { needed, given } => {
                write!(f, "the arena has {given} bytes, the model needs {needed}")
            }
            Self::Unaligned => write!(f, "the arena's address is not a multiple of {ALIGN}"),
        }
    }
}

impl core::error::Error for SessionError {}

/// Why an input or output cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PortError {
    /// The model has no input or output with that index or name.
    Absent,
    /// Its elements are of another type.
    DType {
        /// The type that they have.
        is: DType,
    },
}

impl core::fmt::Display for PortError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Absent => f.write_str("the model has no such input or output"),
            Self::DType { is } => write!(f, "the elements are of type {is:?}"),
        }
    }
}

impl core::error::Error for PortError {}

/// Which input or output: by position, or by the name that the metadata gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port<'a> {
    /// Position in the model's list.
    Index(usize),
    /// Name of the tensor.
    Name(&'a str),
}

impl From<usize> for Port<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl<'a> From<&'a str> for Port<'a> {
    fn from(name: &'a str) -> Self {
        Self::Name(name)
    }
}

/// How far an inference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Progress {
    /// The node with this index has run; more follow.
    Ran(u16),
    /// All nodes have run: the outputs are valid.
    Done,
}

/// What happens around each node, for profiling and for dumps. Both methods do nothing unless replaced.
pub trait Observer {
    /// Before node `index` runs.
    fn before(&mut self, index: u16, node: &Node<'_>) {
        let _ = (index, node);
    }

    /// After node `index` has run; `arena` holds its outputs.
    fn after(&mut self, index: u16, node: &Node<'_>, arena: &[u8]) {
        let _ = (index, node, arena);
    }
}

/// The observer that does nothing.
impl Observer for () {}

impl<'s, 'm> Session<'s, 'm> {
    /// Starts a session on an arena of at least [`Model::arena_len`] bytes, aligned to [`ALIGN`].
    ///
    /// # Errors
    /// If the arena is too small or not aligned.
    pub fn new(model: &'s Model<'m>, arena: &'s mut [u8]) -> Result<Self, SessionError> {
        if !arena.as_ptr().addr().is_multiple_of(ALIGN) {
            return Err(SessionError::Unaligned);
        }
        let given = u32::try_from(arena.len()).unwrap_or(u32::MAX);
        let needed = model.arena_len() as u32;
        let arena =
            arena.get_mut(..model.arena_len()).ok_or(SessionError::ArenaTooSmall { needed, given })?;
        Ok(Self { model, arena, next: 0, last: None })
    }

    /// The model.
    pub fn model(&self) -> &'s Model<'m> {
        self.model
    }

    /// Elements of an input, to write before a run.
    ///
    /// # Errors
    /// If there is no such input or its elements are not of type `T`.
    pub fn input_mut<'p, T: Element>(&mut self, port: impl Into<Port<'p>>) -> Result<&mut [T], PortError> {
        let record = self.find(self.model.tables().inputs(), port.into())?;
        let bytes = self.arena.get_mut(record.range()).ok_or(PortError::Absent)?;
        check_type::<T>(record)?;
        <[T]>::mut_from_bytes(bytes).map_err(|_| PortError::Absent)
    }

    /// Elements of an output, valid after a run and until an input is written.
    ///
    /// # Errors
    /// If there is no such output or its elements are not of type `T`.
    pub fn output<'p, T: Element>(&self, port: impl Into<Port<'p>>) -> Result<&[T], PortError> {
        let record = self.find(self.model.tables().outputs(), port.into())?;
        let bytes = self.arena.get(record.range()).ok_or(PortError::Absent)?;
        check_type::<T>(record)?;
        <[T]>::ref_from_bytes(bytes).map_err(|_| PortError::Absent)
    }

    /// Bytes of input `index` in the tensor's own type, little-endian.
    ///
    /// # Errors
    /// If there is no such input.
    pub fn input_bytes_mut<'p>(&mut self, port: impl Into<Port<'p>>) -> Result<&mut [u8], PortError> {
        let record = self.find(self.model.tables().inputs(), port.into())?;
        self.arena.get_mut(record.range()).ok_or(PortError::Absent)
    }

    /// Bytes of output `index` in the tensor's own type, little-endian.
    ///
    /// # Errors
    /// If there is no such output.
    pub fn output_bytes<'p>(&self, port: impl Into<Port<'p>>) -> Result<&[u8], PortError> {
        let record = self.find(self.model.tables().outputs(), port.into())?;
        self.arena.get(record.range()).ok_or(PortError::Absent)
    }

    /// Runs the whole model on the inputs now in the arena. An inference that [`Self::step`] has begun starts afresh.
    pub fn run(&mut self) {
        self.run_observed(&mut ());
    }

    /// As [`Self::run`], with `observer` called around each node.
    pub fn run_observed<O: Observer + ?Sized>(&mut self, observer: &mut O) {
        let mut node = self.model.tables().node(0);
        let mut index = 0;
        while let Some(current) = &mut node {
            self.run_node(index, current, observer);
            index += 1;
            if !current.move_to(index) {
                break;
            }
        }
        self.next = 0;
    }

    /// Runs one node, so that other work may come between. After [`Progress::Done`] the next step begins anew.
    pub fn step(&mut self) -> Progress {
        let index = self.next;
        self.next = 0;
        let Some(mut node) = self.model.tables().node(index) else { return Progress::Done };
        self.run_node(index, &node, &mut ());
        if !node.move_to(index + 1) {
            return Progress::Done;
        }
        self.next = index + 1;
        Progress::Ran(index)
    }

    #[inline(always)]
    fn run_node<O: Observer + ?Sized>(&mut self, index: u16, node: &Node<'m>, observer: &mut O) {
        if !self.last.is_some_and(|operator| operator.runs(node)) {
            self.last = self.model.kernels().find(node);
        }
        observer.before(index, node);
        if let Some(operator) = self.last {
            (operator.run)(&mut Call { node, arena: self.arena });
        }
        observer.after(index, node, self.arena);
    }

    fn find(&self, ports: &[u16], port: Port<'_>) -> Result<&'m TensorRecord, PortError> {
        let tables = self.model.tables();
        let tensor = match port {
            Port::Index(index) => ports.get(index).copied(),
            Port::Name(name) => metadata::entries(tables.metadata()).find_map(|entry| match entry {
                metadata::Entry::TensorName(tensor, n) if n == name && ports.contains(&tensor) => {
                    Some(tensor)
                }
                _ => None,
            }),
        };
        tensor.and_then(|t| tables.tensors().get(usize::from(t))).ok_or(PortError::Absent)
    }
}

fn check_type<T: Element>(record: &TensorRecord) -> Result<(), PortError> {
    match record.dtype() {
        Some(is) if is != T::DTYPE => Err(PortError::DType { is }),
        Some(_) => Ok(()),
        None => Err(PortError::Absent),
    }
}
