//! What is to be planned: steps, the buffers they read and write, and how both may be wrong.

use std::fmt;

use thiserror::Error;

/// Every buffer and every scratch starts at a multiple of this many bytes, and takes a multiple of it.
pub const ALIGN: u32 = 4;

/// A buffer's or a scratch's size as it is placed: rounded up to [`ALIGN`].
pub(super) fn placed_bytes(bytes: u32) -> u64 {
    u64::from(bytes).next_multiple_of(u64::from(ALIGN))
}

/// A set of steps to be put in an order and the buffers to be given places in one arena.
///
/// Buffers and steps are named by their index. Tensors that are views of one another are one buffer here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// The steps, in an order of the caller's choice; it is tried as it stands if it is possible.
    pub steps: Vec<Step>,
    /// The buffers that steps hand to one another.
    pub buffers: Vec<Buffer>,
}

/// A block of memory that is written once and then read, any number of times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buffer {
    /// For messages and drawings.
    pub name: String,
    /// Size in bytes, before rounding to [`ALIGN`].
    pub bytes: u32,
    /// An input of the graph: the caller fills it before each run, and no step writes it.
    pub lives_from_start: bool,
    /// An output of the graph: it must still be there after the last step.
    pub lives_to_end: bool,
}

/// One operator. It depends on the steps that write what it reads, and on nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// For messages and drawings.
    pub name: String,
    /// Buffers read; one that is read twice may stand here twice.
    pub reads: Vec<usize>,
    /// Buffers written, each by this step alone.
    pub writes: Vec<usize>,
    /// Working memory that holds nothing before or after this step.
    pub scratch_bytes: u32,
    /// The pairs that the step's kernel can handle at one address.
    pub in_place: Vec<InPlace>,
}

/// A permission: the step may write one buffer over another that it reads.
///
/// The planner uses it only if the step is the last reader, the buffer read is no output of the graph, and the
/// buffer written is not the larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InPlace {
    /// The buffer that is overwritten.
    pub read: usize,
    /// The buffer that starts at the same offset.
    pub write: usize,
}

/// A step or a buffer in a message: its index and, if it has one, its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Place in [`Problem::steps`] or [`Problem::buffers`].
    pub index: usize,
    /// The name given by the caller, maybe empty.
    pub name: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => write!(f, "{}", self.index),
            name => write!(f, "{} ({name})", self.index),
        }
    }
}

impl Problem {
    /// The label of a buffer; one that does not exist has no name.
    pub fn buffer_label(&self, index: usize) -> Label {
        Label { index, name: self.buffers.get(index).map(|buffer| buffer.name.clone()).unwrap_or_default() }
    }

    /// The label of a step; one that does not exist has no name.
    pub fn step_label(&self, index: usize) -> Label {
        Label { index, name: self.steps.get(index).map(|step| step.name.clone()).unwrap_or_default() }
    }
}

/// Why a problem has no plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProblemError {
    /// A step names a buffer that is not in the list.
    #[error("step {step} uses buffer {buffer}, but there are only {count} buffers")]
    UnknownBuffer {
        /// The step.
        step: Label,
        /// The index that it names.
        buffer: usize,
        /// The length of the list.
        count: usize,
    },
    /// Two steps, or one step twice, write the same buffer.
    #[error("buffer {buffer} is written by step {first} and again by step {second}")]
    WrittenTwice {
        /// The buffer.
        buffer: Label,
        /// The step that comes first in the list.
        first: Label,
        /// The other one.
        second: Label,
    },
    /// A step writes an input of the graph.
    #[error("buffer {buffer} is an input of the graph, but step {step} writes it")]
    InputWritten {
        /// The buffer.
        buffer: Label,
        /// The step that writes it.
        step: Label,
    },
    /// A buffer is read by a step or wanted as an output, but nothing fills it.
    #[error("buffer {buffer} is used, but it is no input of the graph and no step writes it")]
    NeverWritten {
        /// The buffer.
        buffer: Label,
    },
    /// An in-place pair names a buffer that the step does not read, or one that it does not write.
    #[error("step {step} offers to write buffer {write} over buffer {read}, but does not use them so")]
    ForeignPair {
        /// The step.
        step: Label,
        /// The buffer that it should read.
        read: usize,
        /// The buffer that it should write.
        write: usize,
    },
    /// The steps wait for one another.
    #[error(
        "step {step} can never run, because steps before it, or it itself, need what they write themselves"
    )]
    Cycle {
        /// The first step in the list that is in the circle or behind it.
        step: Label,
    },
    /// Planning would take too much time and memory.
    #[error("too many buffers are alive for too long: planning is limited to {limit} in all slots together")]
    TooManyAlive {
        /// Most buffers alive, counted once per slot.
        limit: usize,
    },
    /// The arena would be larger than a 32-bit address space.
    #[error("the buffers need {bytes} bytes at once, more than 32 bits can address")]
    TooLarge {
        /// Size of the smallest arena found, or of what is live at once.
        bytes: u64,
    },
}
