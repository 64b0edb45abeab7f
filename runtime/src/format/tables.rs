//! Typed views of a file's sections, checked once.

use core::ops::Range;

use zerocopy::FromBytes;

use super::{ALIGN, FormatError, Header, NodeFault, NodeRecord, OpCode, Packing, Section, TensorRecord};

/// The sections of a file whose structure has been checked.
///
/// Holds for every value: all offsets, indices, counts, shapes and types are in range. What an operator demands of its
/// operands and parameters is checked by `Model::load`.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'m> {
    header: &'m Header,
    tensors: &'m [TensorRecord],
    nodes: &'m [NodeRecord],
    operands: &'m [u16],
    params: &'m [u8],
    constants: &'m [u8],
    metadata: &'m [u8],
}

impl<'m> Tables<'m> {
    /// Reads and checks a file. Takes time linear in its length.
    ///
    /// # Errors
    /// The first fault found, with the record it is in.
    pub fn read(file: &'m [u8]) -> Result<Self, FormatError> {
        let header = Header::read(file)?;
        let bytes = |section: Section| {
            let start = section.offset as usize;
            file.get(start..start + section.len as usize).unwrap_or_default()
        };
        let tables = Self {
            header,
            tensors: records(bytes(header.tensors), 0)?,
            nodes: records(bytes(header.nodes), 1)?,
            operands: records(bytes(header.operands), 2)?,
            params: bytes(header.params),
            constants: bytes(header.constants),
            metadata: bytes(header.metadata),
        };
        tables.check()?;
        Ok(tables)
    }

    fn check(&self) -> Result<(), FormatError> {
        let too_many = |index| FormatError::Section { index };
        u16::try_from(self.tensors.len()).map_err(|_| too_many(0))?;
        u16::try_from(self.nodes.len()).map_err(|_| too_many(1))?;
        let arena_len = self.header.arena_len as usize;
        // Indices come second: `zip` would step them past the last of 65,535 otherwise.
        for (tensor, index) in self.tensors.iter().zip(0u16..) {
            tensor
                .check(arena_len, self.constants.len())
                .map_err(|what| FormatError::Tensor { index, what })?;
        }
        if self.operands.iter().any(|&t| usize::from(t) >= self.tensors.len()) {
            return Err(FormatError::Section { index: 2 });
        }
        let port = |range: Range<usize>| {
            self.operands.get(range).is_some_and(|ports| ports.iter().all(|&t| self.is_in_arena(t)))
        };
        let inputs = usize::from(self.header.input_count);
        if !port(0..inputs) || !port(inputs..inputs + usize::from(self.header.output_count)) {
            return Err(FormatError::Ports);
        }
        // They are all filled before a run, so no two of them share a byte.
        let filled = self.inputs().iter().filter_map(|&t| self.tensor(t));
        if filled.map(|tensor| tensor.byte_len() as u64).sum::<u64>() > u64::from(self.header.arena_len) {
            return Err(FormatError::Ports);
        }
        let mut operands = inputs + usize::from(self.header.output_count);
        for (record, index) in self.nodes.iter().zip(0u16..) {
            let fault = |what| FormatError::Node { index, what };
            if record.operands as usize != operands {
                return Err(fault(NodeFault::Operands));
            }
            operands += usize::from(record.inputs) + usize::from(record.outputs);
            self.check_node(record).map_err(fault)?;
        }
        if operands == self.operands.len() { Ok(()) } else { Err(FormatError::Section { index: 2 }) }
    }

    fn check_node(&self, record: &'m NodeRecord) -> Result<(), NodeFault> {
        let op = OpCode::from_code(record.op).ok_or(NodeFault::Operator)?;
        if self.header.required.get() & (1 << (op as u16)) == 0 || record.reserved != 0 {
            return Err(NodeFault::Operator);
        }
        let count = usize::from(record.inputs) + usize::from(record.outputs);
        let start = record.operands as usize;
        if start.checked_add(count).is_none_or(|end| end > self.operands.len()) {
            return Err(NodeFault::Operands);
        }
        let params = record.params as usize;
        if params > self.params.len() || !params.is_multiple_of(ALIGN) {
            return Err(NodeFault::Params);
        }
        let scratch = record.scratch_range();
        if scratch.end > self.header.arena_len as usize || !scratch.start.is_multiple_of(ALIGN) {
            return Err(NodeFault::Scratch);
        }
        let node = Node { tables: *self, record };
        if !node.outputs().iter().all(|&t| self.is_in_arena(t)) {
            return Err(NodeFault::ConstantOutput);
        }
        Ok(())
    }

    /// The header.
    pub fn header(&self) -> &'m Header {
        self.header
    }

    /// Every tensor record.
    pub fn tensors(&self) -> &'m [TensorRecord] {
        self.tensors
    }

    /// Number of nodes.
    pub fn node_count(&self) -> u16 {
        self.nodes.len() as u16
    }

    /// Node `index`, in the order of execution; `None` past the last.
    #[inline]
    pub fn node(&self, index: u16) -> Option<Node<'m>> {
        self.nodes.get(usize::from(index)).map(|record| Node { tables: *self, record })
    }

    /// Every node, in the order of execution.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'m>> + use<'m> {
        let tables = *self;
        self.nodes.iter().map(move |record| Node { tables, record })
    }

    /// Tensor indices of the model's inputs.
    pub fn inputs(&self) -> &'m [u16] {
        self.operands.get(..usize::from(self.header.input_count)).unwrap_or_default()
    }

    /// Tensor indices of the model's outputs.
    pub fn outputs(&self) -> &'m [u16] {
        let start = usize::from(self.header.input_count);
        self.operands.get(start..start + usize::from(self.header.output_count)).unwrap_or_default()
    }

    /// The constant section.
    pub fn constants(&self) -> &'m [u8] {
        self.constants
    }

    /// The metadata section.
    pub fn metadata(&self) -> &'m [u8] {
        self.metadata
    }

    /// Tensor `index`; always there for one from the operand section.
    #[inline]
    fn tensor(&self, index: u16) -> Option<&'m TensorRecord> {
        self.tensors.get(usize::from(index))
    }

    fn is_in_arena(&self, index: u16) -> bool {
        self.tensor(index).is_some_and(TensorRecord::in_arena)
    }
}

/// One node with the tables that its indices refer to.
#[derive(Debug, Clone, Copy)]
pub struct Node<'m> {
    tables: Tables<'m>,
    record: &'m NodeRecord,
}

impl<'m> Node<'m> {
    /// The record.
    #[inline]
    pub fn record(&self) -> &'m NodeRecord {
        self.record
    }

    /// Makes this node `index` of the same file, if there is one.
    #[inline]
    pub fn move_to(&mut self, index: u16) -> bool {
        let record = self.tables.nodes.get(usize::from(index));
        self.record = record.unwrap_or(self.record);
        record.is_some()
    }

    /// The operator. `None` cannot occur in a file that has been read.
    pub fn op(&self) -> Option<OpCode> {
        OpCode::from_code(self.record.op)
    }

    /// How the weights are stored; `None` for an unknown packing.
    pub fn packing(&self) -> Option<Packing> {
        Packing::from_code(self.record.packing)
    }

    /// Tensor indices of the inputs.
    #[inline]
    pub fn inputs(&self) -> &'m [u16] {
        self.operands(0, self.record.inputs)
    }

    /// Tensor indices of the outputs.
    #[inline]
    pub fn outputs(&self) -> &'m [u16] {
        self.operands(self.record.inputs, self.record.outputs)
    }

    /// Input `index`.
    #[inline]
    pub fn input(&self, index: usize) -> Option<&'m TensorRecord> {
        if index < usize::from(self.record.inputs) { self.operand(index) } else { None }
    }

    /// Output `index`.
    #[inline]
    pub fn output(&self, index: usize) -> Option<&'m TensorRecord> {
        let inputs = usize::from(self.record.inputs);
        if index < usize::from(self.record.outputs) { self.operand(inputs + index) } else { None }
    }

    /// Operand `index` of inputs and outputs together.
    #[inline]
    fn operand(&self, index: usize) -> Option<&'m TensorRecord> {
        let operand = self.tables.operands.get((self.record.operands as usize).wrapping_add(index));
        operand.and_then(|&tensor| self.tables.tensor(tensor))
    }

    /// The parameters as the operator's own record; `None` if they are cut.
    #[inline]
    pub fn params<P>(&self) -> Option<&'m P>
    where
        P: FromBytes + zerocopy::KnownLayout + zerocopy::Immutable,
    {
        let bytes = self.tables.params.get(self.record.params as usize..)?;
        P::ref_from_prefix(bytes).ok().map(|(params, _)| params)
    }

    /// `count` values of the constant section from byte `offset` on; `None` if they lie outside or are misaligned.
    #[inline]
    pub fn constants<T>(&self, offset: u32, count: usize) -> Option<&'m [T]>
    where
        T: FromBytes + zerocopy::Immutable,
    {
        let bytes = self.tables.constants.get(offset as usize..)?;
        <[T]>::ref_from_prefix_with_elems(bytes, count).ok().map(|(values, _)| values)
    }

    /// The bytes of a constant tensor; `None` for one in the arena.
    pub fn constant(&self, tensor: &TensorRecord) -> Option<&'m [u8]> {
        if tensor.in_arena() { None } else { self.tables.constants.get(tensor.range()) }
    }

    #[inline]
    fn operands(&self, skip: u8, count: u8) -> &'m [u16] {
        let start = self.record.operands as usize + usize::from(skip);
        self.tables.operands.get(start..start + usize::from(count)).unwrap_or_default()
    }
}

fn records<T>(bytes: &[u8], index: u8) -> Result<&[T], FormatError>
where
    T: FromBytes + zerocopy::Immutable,
{
    <[T]>::ref_from_bytes(bytes).map_err(|_| FormatError::Section { index })
}
