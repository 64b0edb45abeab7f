//! Models of one node, for the tests of operators: checked by `Model::load`, run by a `Session`.

extern crate std;
use core::ops::Range;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::format::{
    ALIGN, Header, NodeRecord, OpCode, Place, Section, Shape, Tables, TensorRecord, Writer, seal,
};
use crate::kernels::{ALL, Element, NodeError};
use crate::quant::{Multiplier, OutputStage};
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
            packing: 0,
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

    /// Sets the parameters.
    pub(crate) fn params<P: IntoBytes + Immutable>(mut self, params: &P) -> Self {
        self.params = params.as_bytes().to_vec();
        self
    }

    /// Adds an input in the arena.
    pub(crate) fn input<T: Element>(mut self, dims: &[u32], values: &[T]) -> Self {
        let offset = self.reserve(size_of_val(values));
        self.push_input(dims, values, Place::Arena, offset)
    }

    /// Adds an input in the constant section.
    pub(crate) fn constant_input<T: Element>(mut self, dims: &[u32], values: &[T]) -> Self {
        let offset = self.constants(values);
        self.push_input(dims, values, Place::Constant, offset)
    }

    /// Adds an output in a place of its own.
    pub(crate) fn output<T: Element>(mut self, dims: &[u32]) -> Self {
        let shape = Shape::new(dims).unwrap();
        let offset = self.reserve(shape.elements() * size_of::<T>());
        self.push_output(TensorRecord::new(shape, T::DTYPE, Place::Arena, offset))
    }

    /// Adds an output in the place of input `index`.
    pub(crate) fn output_in_place<T: Element>(self, index: usize, dims: &[u32]) -> Self {
        let offset = self.tensors[index].offset;
        self.push_output(TensorRecord::new(Shape::new(dims).unwrap(), T::DTYPE, Place::Arena, offset))
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

    /// Runs the node in thousands of variants with a few words changed: records, parameters, constants. Asserts that
    /// whatever its check accepts neither panics nor writes anything but its output and its scratch.
    pub(crate) fn assert_mutants_stay_within_bounds(&self) {
        /// Inner-loop steps of a mutant that is still run.
        const PATIENCE: u64 = 1 << 20;
        let file = self.file(self.check().unwrap());
        let header = *Tables::read(file.as_bytes()).unwrap().header();
        let sections = [header.tensors, header.nodes, header.params, header.constants];
        let sections: Vec<Section> = sections.into_iter().filter(|section| section.len >= 4).collect();
        let mutations = proptest::collection::vec((any::<Index>(), any::<Index>(), Change::any()), 1..=3);
        let mut runner = TestRunner::new(ProptestConfig::with_cases(5000));
        let result = runner.run(&mutations, |mutations| {
            let mut mutant = file.clone();
            for (section, word, change) in mutations {
                let section = section.get(&sections);
                let word = section.offset as usize / 4 + word.index(section.len as usize / 4);
                mutant[word] = change.apply(mutant[word]);
            }
            seal_words(&mut mutant, 0);
            if let Some(Ok(work)) = check(&mutant)
                && work <= PATIENCE
            {
                seal_words(&mut mutant, work);
                self.run_file(&mutant);
            }
            Ok(())
        });
        result.unwrap();
    }

    /// Runs the node in `file`, which has this arena, and gives the bytes of output 0.
    fn run_file(&self, file: &[u32]) -> Vec<u8> {
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

    fn push_input<T: Element>(mut self, dims: &[u32], values: &[T], place: Place, offset: u32) -> Self {
        let shape = Shape::new(dims).unwrap();
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
    fn file(&self, work: u64) -> Vec<u32> {
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
fn check(file: &[u32]) -> Option<Result<u64, NodeError>> {
    let node = Tables::read(file.as_bytes()).ok()?.node(0)?;
    Some((ALL.find(&node)?.check)(&node))
}

/// Writes the work and the checksum into the header of a file.
fn seal_words(file: &mut [u32], work: u64) {
    let (header, _) = Header::mut_from_prefix(file.as_mut_bytes()).unwrap();
    header.work = work.into();
    let len = header.total_len as usize;
    seal(&mut file.as_mut_bytes()[..len]);
}

/// How a word of a file is changed.
#[derive(Debug, Clone, Copy)]
enum Change {
    Set(u32),
    Flip(u32),
    Add(u32),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        prop_oneof![
            any::<u32>().prop_map(Self::Set),
            (0u32..8).prop_map(Self::Set),
            proptest::sample::select(&[u32::MAX, 1 << 31, i32::MAX as u32, 0x0101_0101]).prop_map(Self::Set),
            (0u32..32).prop_map(|bit| Self::Flip(1 << bit)),
            proptest::sample::select(&[1, u32::MAX, 0x0100, 0x1_0000]).prop_map(Self::Add),
        ]
    }

    fn apply(self, word: u32) -> u32 {
        match self {
            Self::Set(value) => value,
            Self::Flip(bits) => word ^ bits,
            Self::Add(summand) => word.wrapping_add(summand),
        }
    }
}

/// `x` times the factor as TensorFlow Lite's `MultiplyByQuantizedMultiplier` defines it, in wide arithmetic.
pub(crate) fn multiply_by_definition(x: i64, factor: Multiplier) -> i64 {
    let shifted = i64::from((x << factor.shift.max(0)) as i32);
    let product = i128::from(shifted) * i128::from(factor.mantissa);
    let nudge = if product >= 0 { 1 << 30 } else { 1 - (1 << 30) };
    let high = ((product + nudge) / (1 << 31)) as i64;
    let right = (-factor.shift).max(0);
    let half = (1i64 << right) / 2;
    ((high.abs() + half) >> right) * high.signum()
}

/// Factors between `2^(shifts.start - 1)` and `2^(shifts.end - 1)`.
pub(crate) fn multipliers(shifts: Range<i32>) -> impl Strategy<Value = Multiplier> {
    ((1i32 << 30)..=i32::MAX, shifts).prop_map(|(mantissa, shift)| Multiplier { mantissa, shift })
}

/// Output stages with any zero point and any bounds in order.
pub(crate) fn stages() -> impl Strategy<Value = OutputStage> {
    (any::<i8>(), any::<i8>(), any::<i8>(), any::<bool>()).prop_map(|(zero_point, a, b, whole)| {
        let stage = OutputStage::new(zero_point);
        if whole { stage } else { OutputStage { min: a.min(b), max: a.max(b), ..stage } }
    })
}

/// Shapes of 1 to 6 dimensions with up to about a thousand elements.
pub(crate) fn shapes() -> impl Strategy<Value = Vec<u32>> {
    prop_oneof![
        proptest::collection::vec(1u32..4, 1..=6),
        proptest::collection::vec(1u32..10, 1..=3),
        proptest::collection::vec(1u32..150, 1..=1),
    ]
}

/// As many values as a shape has elements.
pub(crate) fn values(dims: &[u32]) -> impl Strategy<Value = Vec<i8>> + use<> {
    proptest::collection::vec(any::<i8>(), dims.iter().product::<u32>() as usize)
}

/// Position of element `flat` along each dimension.
pub(crate) fn position(dims: &[u32], flat: usize) -> Vec<usize> {
    let mut rest = flat;
    let mut position: Vec<usize> = dims
        .iter()
        .rev()
        .map(|&d| {
            let p = rest % d as usize;
            rest /= d as usize;
            p
        })
        .collect();
    position.reverse();
    position
}

/// Row-major number of the element at `position`.
pub(crate) fn flat(dims: &[u32], position: &[usize]) -> usize {
    dims.iter().zip(position).fold(0, |flat, (&d, &p)| flat * d as usize + p)
}

/// Two operands whose shapes broadcast to `dims`.
#[derive(Debug, Clone)]
pub(crate) struct BinaryCase {
    dims: Vec<u32>,
    sides: [(Vec<u32>, Vec<i8>); 2],
}

/// Cases with every way of broadcasting, leading dimensions left out or not.
pub(crate) fn binary_cases() -> impl Strategy<Value = BinaryCase> {
    let dims = (shapes(), 0u32..64, 0u32..64, 0usize..6);
    dims.prop_flat_map(|(dims, mask, other_mask, skip)| {
        let side = |mask: u32| -> Vec<u32> {
            dims.iter().enumerate().map(|(i, &d)| if mask >> i & 1 == 1 { 1 } else { d }).collect()
        };
        let (a, mut b) = (side(mask & !other_mask), side(other_mask));
        let ones = b.iter().take(b.len() - 1).take_while(|&&d| d == 1).count();
        b.drain(..skip.min(ones));
        let sides = (values(&a), values(&b));
        sides.prop_map(move |(x, y)| BinaryCase {
            dims: dims.clone(),
            sides: [(a.clone(), x), (b.clone(), y)],
        })
    })
}

impl BinaryCase {
    /// Asserts that operator `op` gives `f(a, b)` everywhere: with operands in the arena, with either as a constant, and
    /// with the output in the place of each operand that does not repeat.
    pub(crate) fn assert<P: IntoBytes + Immutable>(&self, op: OpCode, params: &P, f: impl Fn(i8, i8) -> i8) {
        let [(a, x), (b, y)] = &self.sides;
        let count = self.dims.iter().product::<u32>() as usize;
        let expected: Vec<i8> = (0..count)
            .map(|i| {
                let at = position(&self.dims, i);
                let [a, b] = [(a, x), (b, y)].map(|(side, values)| {
                    let own = &at[at.len() - side.len()..];
                    let own: Vec<usize> =
                        own.iter().zip(side).map(|(&p, &d)| p.min(d as usize - 1)).collect();
                    values[flat(side, &own)]
                });
                f(a, b)
            })
            .collect();
        let node = OneNode::new(op).params(params);
        let both = node.clone().input(a, x).input(b, y);
        assert_eq!(both.clone().output::<i8>(&self.dims).run::<i8>(), expected);
        let constant = node.clone().input(a, x).constant_input(b, y).output::<i8>(&self.dims);
        assert_eq!(constant.run::<i8>(), expected);
        let constant = node.constant_input(a, x).input(b, y).output::<i8>(&self.dims);
        assert_eq!(constant.run::<i8>(), expected);
        for (index, side) in [x, y].into_iter().enumerate().filter(|(_, side)| side.len() == count) {
            let in_place = both.clone().output_in_place::<i8>(index, &self.dims);
            assert_eq!(in_place.run::<i8>(), expected, "in place of operand {index} ({} values)", side.len());
        }
    }
}
