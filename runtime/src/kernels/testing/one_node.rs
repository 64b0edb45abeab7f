//! Models of one node: checked by `Model::load`, run by a `Session`.

extern crate std;
use std::vec;
use std::vec::Vec;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::format::{
    ALIGN, Header, NodeRecord, OpCode, Packing, Place, Shape, Tables, TensorRecord, Writer, seal,
};
use crate::kernels::{ALL, Element, NodeError};
use crate::{Model, Session};

/// What the arena holds before a run.
const GARBAGE: u8 = 0x5a;

/// A node with its operands, put together call by call.
#[derive(Debug, Clone)]
pub(crate) struct OneNode {
    record: NodeRecord,
    params: Vec<u8>,
    constants: Vec<u8>,
    /// Inputs, then outputs.
    tensors: Vec<TensorRecord>,
    /// What each input holds.
    values: Vec<Vec<u8>>,
    arena_len: u32,
}

impl OneNode {
    /// A node without operands and parameters.
    pub(crate) fn new(op: OpCode) -> Self {
        let record = NodeRecord {
            op: op as u16,
            packing: Packing::Plain as u16,
            operands: 0,
            inputs: 0,
            outputs: 0,
            reserved: 0,
            params: 0,
            scratch: 0,
            scratch_len: 0,
        };
        Self { record, params: vec![], constants: vec![], tensors: vec![], values: vec![], arena_len: 0 }
    }

    /// Appends values to the constant section and gives their offset.
    pub(crate) fn constants<T: IntoBytes + Immutable>(&mut self, values: &[T]) -> u32 {
        let offset = self.constants.len();
        self.constants.extend_from_slice(values.as_bytes());
        self.constants.resize(self.constants.len().next_multiple_of(ALIGN), 0);
        offset as u32
    }

    /// Sets how the weights are stored.
    pub(crate) fn packing(mut self, packing: Packing) -> Self {
        self.record.packing = packing as u16;
        self
    }

    /// Sets the parameters.
    pub(crate) fn params<P: IntoBytes + Immutable>(mut self, params: &P) -> Self {
        self.params = params.as_bytes().to_vec();
        self
    }

    /// Adds an input in the arena.
    pub(crate) fn input<T: Element>(mut self, dims: &[usize], values: &[T]) -> Self {
        let offset = self.reserve(size_of_val(values));
        self.push_input(dims, values, Place::Arena, offset)
    }

    /// Adds an input in the constant section.
    pub(crate) fn constant_input<T: Element>(mut self, dims: &[usize], values: &[T]) -> Self {
        let offset = self.constants(values);
        self.push_input(dims, values, Place::Constant, offset)
    }

    /// Adds an output in a place of its own.
    pub(crate) fn output<T: Element>(mut self, dims: &[usize]) -> Self {
        let shape = shape(dims);
        let offset = self.reserve(shape.elements() * size_of::<T>());
        self.push_output(TensorRecord::new(shape, T::DTYPE, Place::Arena, offset))
    }

    /// Adds an output in the place of input `index`.
    pub(crate) fn output_in_place<T: Element>(self, index: usize, dims: &[usize]) -> Self {
        let offset = self.tensors[index].offset;
        self.push_output(TensorRecord::new(shape(dims), T::DTYPE, Place::Arena, offset))
    }

    /// Reserves scratch.
    pub(crate) fn scratch(mut self, len: usize) -> Self {
        self.record.scratch = self.reserve(len);
        self.record.scratch_len = len as u32;
        self
    }

    /// Sets the quantization of the operand added last.
    pub(crate) fn quantization(mut self, scale: f32, zero_point: i32) -> Self {
        let last = self.tensors.last_mut().unwrap();
        (last.scale, last.zero_point) = (scale, zero_point);
        self
    }

    /// What the operator's check says: the node's work, or why it cannot run.
    pub(crate) fn check(&self) -> Result<u64, NodeError> {
        check(&self.file(0)).expect("the structure of the file is valid")
    }

    /// Runs the node and gives output 0. Asserts that nothing else in the arena but the scratch has changed.
    pub(crate) fn run<T: Element>(&self) -> Vec<T> {
        let output = &self.tensors[self.values.len()];
        assert_eq!(output.dtype(), Some(T::DTYPE));
        let bytes = self.run_file(&self.file(self.check().unwrap()));
        bytes.chunks_exact(size_of::<T>()).map(|element| T::read_from_bytes(element).unwrap()).collect()
    }

    /// Runs the node in `file`, which has this arena, and gives the bytes of output 0.
    pub(super) fn run_file(&self, file: &[u32]) -> Vec<u8> {
        let model = Model::load(file.as_bytes(), &ALL).unwrap();
        let mut arena = vec![u32::from_ne_bytes([GARBAGE; 4]); model.arena_len().div_ceil(4)];
        let arena = &mut arena.as_mut_bytes()[..model.arena_len()];
        for (record, value) in self.tensors.iter().zip(&self.values).filter(|(r, _)| r.in_arena()) {
            arena[record.range()].copy_from_slice(value);
        }
        let mut expected = arena.to_vec();
        Session::new(&model, arena).unwrap().run();
        let node = model.tables().node(0).unwrap();
        let output = arena[node.output(0).unwrap().range()].to_vec();
        for range in [node.output(0).unwrap().range(), node.record().scratch_range()] {
            expected[range.clone()].copy_from_slice(&arena[range]);
        }
        assert_eq!(arena, expected, "written outside the output");
        output
    }

    fn reserve(&mut self, len: usize) -> u32 {
        let offset = self.arena_len.next_multiple_of(ALIGN as u32);
        self.arena_len = offset + len as u32;
        offset
    }

    fn push_input<T: Element>(mut self, dims: &[usize], values: &[T], place: Place, offset: u32) -> Self {
        let shape = shape(dims);
        assert_eq!(shape.elements(), values.len(), "values of a shape {dims:?}");
        self.tensors.push(TensorRecord::new(shape, T::DTYPE, place, offset));
        self.values.push(values.as_bytes().to_vec());
        self.record.inputs += 1;
        self
    }

    fn push_output(mut self, record: TensorRecord) -> Self {
        self.arena_len = self.arena_len.max(record.range().end as u32);
        self.tensors.push(record);
        self.record.outputs += 1;
        self
    }

    /// The file, as words so that it is aligned.
    pub(super) fn file(&self, work: u64) -> Vec<u32> {
        let inputs = self.values.len() as u16;
        let ports = (0..inputs).filter(|&t| self.tensors[usize::from(t)].in_arena());
        let mut operands: Vec<u16> = ports.collect();
        let input_count = operands.len() as u16;
        operands.push(inputs);
        let node = NodeRecord { operands: operands.len() as u32, ..self.record };
        operands.extend(0..self.tensors.len() as u16);
        let writer = Writer {
            tensors: &self.tensors,
            nodes: &[node],
            operands: &operands,
            input_count,
            output_count: 1,
            params: &self.params,
            constants: &self.constants,
            metadata: &[],
            arena_len: self.arena_len,
            work,
        };
        let len = writer.file_len();
        let mut file = vec![0u32; len.div_ceil(4)];
        writer.write(&mut file.as_mut_bytes()[..len]).unwrap();
        file
    }
}

/// What the check of the only node's operator says; `None` if the file itself is not valid.
pub(super) fn check(file: &[u32]) -> Option<Result<u64, NodeError>> {
    let node = Tables::read(file.as_bytes()).ok()?.node(0)?;
    Some((ALL.find(&node)?.check)(&node))
}

/// Writes the work and the checksum into the header of a file.
pub(super) fn seal_words(file: &mut [u32], work: u64) {
    let (header, _) = Header::mut_from_prefix(file.as_mut_bytes()).unwrap();
    header.work = work.into();
    let len = header.total_len as usize;
    seal(&mut file.as_mut_bytes()[..len]);
}

fn shape(dims: &[usize]) -> Shape {
    Shape::new(&dims.iter().map(|&dim| dim as u32).collect::<Vec<_>>()).unwrap()
}
