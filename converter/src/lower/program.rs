//! What lowering gives: the content of a `.sct` file, without order and places.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

use secateur::format::{ALIGN, DType, OpCode, Packing, Shape};
use zerocopy::{Immutable, IntoBytes};

use crate::ir::{Quantization, Tensor};

/// Position of a value in [`Program::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValueId(pub usize);

/// A lowered network.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Name of the model.
    pub name: String,
    /// Everything that a step reads or writes.
    pub values: Vec<Value>,
    /// Sizes in bytes of the arena buffers that [`Storage::Buffer`] numbers.
    pub buffers: Vec<usize>,
    /// In an order in which they may run.
    pub steps: Vec<Step>,
    /// The constant section.
    pub constants: Vec<u8>,
    /// Filled by the caller.
    pub inputs: Vec<ValueId>,
    /// Read by the caller.
    pub outputs: Vec<ValueId>,
}

/// A tensor of the runtime.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Name for reports and metadata.
    pub name: String,
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Shape,
    /// Scale and zero point, where the tensor is quantized.
    pub quantization: Option<(f32, i32)>,
    /// Where the bytes are.
    pub storage: Storage,
}

/// Where a value's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In this buffer, which the planner places in the arena. Views share a buffer.
    Buffer(usize),
    /// At this offset in the constant section.
    Constant(u32),
}

impl Value {
    /// A value that stands for `tensor`, with no storage of its own yet.
    pub fn new(tensor: &Tensor, dtype: DType, shape: Shape) -> Self {
        let quantization = tensor.quantization.as_ref().and_then(Quantization::single);
        Self { name: tensor.name.clone(), dtype, shape, quantization, storage: Storage::Buffer(usize::MAX) }
    }

    /// Bytes of all elements.
    pub fn byte_len(&self) -> usize {
        self.shape.elements() * self.dtype.size()
    }
}

/// One node of the runtime.
#[derive(Clone, Debug)]
pub struct Step {
    /// Name for reports and metadata.
    pub name: String,
    /// Operator.
    pub op: OpCode,
    /// How its weights are stored.
    pub packing: Packing,
    /// Its record in the parameter section.
    pub params: Vec<u8>,
    /// What it reads.
    pub inputs: Vec<ValueId>,
    /// What it writes.
    pub outputs: Vec<ValueId>,
    /// Bytes of scratch.
    pub scratch_len: usize,
    /// Inputs in whose place output 0 may stand.
    pub in_place: Vec<ValueId>,
}

impl Step {
    /// A step without scratch that wants its output in a place of its own.
    pub fn new<P: IntoBytes + Immutable + ?Sized>(
        name: &str,
        op: OpCode,
        params: &P,
        inputs: Vec<ValueId>,
        outputs: Vec<ValueId>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            op,
            packing: Packing::Plain,
            params: params.as_bytes().to_vec(),
            inputs,
            outputs,
            scratch_len: 0,
            in_place: Vec::new(),
        }
    }
}

impl Program {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn with_constants(mut self, constants: Constants) -> Self {
        self.constants = constants.bytes;
        self
    }

    /// Adds a value and remembers it in `slot`; one that is not a constant gets a buffer of its own.
    pub(super) fn add_value(&mut self, mut value: Value, slot: &mut Option<ValueId>) -> ValueId {
        if let Storage::Buffer(_) = value.storage {
            value.storage = Storage::Buffer(self.buffers.len());
            self.buffers.push(value.byte_len());
        }
        self.add_view(value, slot)
    }

    /// Adds a value whose storage is that of another one and remembers it in `slot`.
    pub(super) fn add_view(&mut self, value: Value, slot: &mut Option<ValueId>) -> ValueId {
        let id = ValueId(self.values.len());
        self.values.push(value);
        *slot = Some(id);
        id
    }

    /// Whether two values are the same bytes.
    pub fn shares_bytes(&self, a: ValueId, b: ValueId) -> bool {
        self.values[a.0].storage == self.values[b.0].storage
    }

    /// The buffer of a value in the arena.
    pub fn buffer(&self, value: ValueId) -> Option<usize> {
        match self.values[value.0].storage {
            Storage::Buffer(buffer) => Some(buffer),
            Storage::Constant(_) => None,
        }
    }
}

/// The constant section while it grows; equal contents are stored once.
#[derive(Debug, Default)]
pub(super) struct Constants {
    bytes: Vec<u8>,
    /// Where contents of each hash are.
    seen: HashMap<u64, Vec<Range<usize>>>,
    hasher: RandomState,
}

impl Constants {
    /// Adds `data`, aligned, and gives its offset.
    pub(super) fn add<T: IntoBytes + Immutable + ?Sized>(&mut self, data: &T) -> u32 {
        let data = data.as_bytes();
        let seen = self.seen.entry(self.hasher.hash_one(data)).or_default();
        let start = match seen.iter().find(|range| self.bytes.get((*range).clone()) == Some(data)) {
            Some(range) => range.start,
            None => {
                let start = self.bytes.len().next_multiple_of(ALIGN);
                self.bytes.resize(start, 0);
                self.bytes.extend_from_slice(data);
                seen.push(start..self.bytes.len());
                start
            }
        };
        // Lowering ends long before the section has 2^32 bytes.
        u32::try_from(start).unwrap_or(u32::MAX)
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}
