//! What the operators on two tensors share: broadcasting, constant operands and results in place.
//!
//! Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of 1 repeats. The output is walked in blocks
//! of consecutive elements. An operand that repeats or shares its place with the output is copied to the stack block by
//! block; others are read where they are.

use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::format::{MAX_RANK, Node, Shape, TensorRecord};
use crate::kernels::call::overlap;
use crate::kernels::{Call, Element, NodeError, require};

/// Elements per block.
pub const BLOCK: usize = 128;

/// [`Binary::block`] with its parameters.
type BlockFunction<'p> = dyn Fn(&[i8], &[i8], &mut [i8]) + 'p;

/// An operator on two tensors of int8.
pub trait Binary {
    /// Its record in the file.
    type Params: FromBytes + KnownLayout + Immutable;

    /// Whether the parameters are in range.
    fn is_valid(params: &Self::Params) -> bool;

    /// `output[i] = f(a[i], b[i])` for one block: three slices of equal length, at most [`BLOCK`].
    fn block(params: &Self::Params, a: &[i8], b: &[i8], output: &mut [i8]);
}

/// Checks a node of a [`Binary`] operator; its work is the number of output elements.
///
/// # Errors
/// If operands, shapes, places or parameters do not fit.
pub fn check<B: Binary>(node: &Node<'_>) -> Result<u64, NodeError> {
    require(node.params::<B::Params>().is_some_and(B::is_valid), NodeError::Params)?;
    check_operands(node)
}

/// Runs a node of a [`Binary`] operator.
pub fn run<B: Binary>(call: &mut Call<'_, '_>) {
    if let Some(params) = call.node.params::<B::Params>() {
        for_each_block(call, &|a, b, output| B::block(params, a, b, output));
    }
}

/// The part of [`check`] that is the same for every operator.
fn check_operands(node: &Node<'_>) -> Result<u64, NodeError> {
    let record = node.record();
    require(record.inputs == 2 && record.outputs == 1, NodeError::OperandCount)?;
    let output = node.output(0).ok_or(NodeError::OperandCount)?;
    let dims = output.shape.extended();
    let mut largest = [1; MAX_RANK];
    for index in 0..2 {
        let input = node.input(index).ok_or(NodeError::OperandCount)?;
        require(input.dtype() == Some(i8::DTYPE) && output.dtype() == Some(i8::DTYPE), NodeError::DType)?;
        for ((seen, &dim), &out) in largest.iter_mut().zip(&input.shape.extended()).zip(&dims) {
            require(dim == out || dim == 1, NodeError::Shape)?;
            *seen = dim.max(*seen);
        }
        let (from, to) = (input.range(), output.range());
        require(!input.in_arena() || from == to || !overlap(&from, &to), NodeError::Overlap)?;
    }
    require(largest == dims, NodeError::Shape)?;
    Ok(output.shape.elements() as u64)
}

/// Where an operand is.
struct Source<'m> {
    /// Its bytes, if it is a constant.
    constant: Option<&'m [u8]>,
    /// Its first byte in the arena otherwise.
    start: usize,
    /// Whether it shares bytes of the arena with the output or the other operand.
    shares: bool,
}

impl Source<'_> {
    /// `len` of its bytes.
    fn bytes<'a>(&'a self, arena: &'a [u8], offset: usize, len: usize) -> &'a [u8] {
        let bytes = match self.constant {
            Some(constant) => constant.get(offset..offset + len),
            None => arena.get(self.start + offset..self.start + offset + len),
        };
        bytes.unwrap_or_default()
    }
}

/// The part of [`run`] that is the same for every operator, and therefore not generic: it is in a firmware once.
fn for_each_block(call: &mut Call<'_, '_>, block: &BlockFunction<'_>) {
    let node = call.node;
    let (Some(a), Some(b), Some(output)) = (node.input(0), node.input(1), node.output(0)) else { return };
    let shares = |a: &TensorRecord, b: &TensorRecord| a.in_arena() && overlap(&a.range(), &b.range());
    let sources = [a, b].map(|record| Source {
        constant: node.constant(record),
        start: record.range().start,
        shares: shares(record, output) || (b.in_arena() && shares(a, b)),
    });
    let start = output.range().start;
    let arena = &mut *call.arena;
    let mut copies = [[0u8; BLOCK]; 2];
    Broadcast::new([&a.shape, &b.shape], &output.shape).for_each_block(|at, offsets, repeats, len| {
        let mut places = [0..0, 0..0];
        for (index, source) in sources.iter().enumerate() {
            let offset = offsets[index];
            let Some(copy) = copies[index].get_mut(..len) else { return };
            if repeats[index] {
                copy.fill(source.bytes(arena, offset, 1).first().copied().unwrap_or_default());
            } else if source.shares {
                copy.iter_mut().zip(source.bytes(arena, offset, len)).for_each(|(to, &from)| *to = from);
            } else if source.constant.is_none() {
                places[index] = source.start + offset..source.start + offset + len;
            }
        }
        let [a, b] = places;
        let Ok([a, b, output]) = arena.get_disjoint_mut([a, b, start + at..start + at + len]) else { return };
        let operand = |index: usize, place| match &sources[index] {
            source if repeats[index] || source.shares => copies[index].get(..len),
            Source { constant: Some(constant), .. } => constant.get(offsets[index]..offsets[index] + len),
            _ => Some(place),
        };
        let (Some(a), Some(b)) = (operand(0, &*a), operand(1, &*b)) else { return };
        let operands = [<[i8]>::ref_from_bytes(a), <[i8]>::ref_from_bytes(b)];
        let ([Ok(a), Ok(b)], Ok(output)) = (operands, <[i8]>::mut_from_bytes(output)) else { return };
        block(a, b, output);
    });
}

/// Consecutive dimensions along which each operand either advances or repeats.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    len: usize,
    /// Elements that an operand advances per position: 0 where it repeats.
    step: [usize; 2],
}

/// How two operands spread over an output.
#[derive(Debug)]
struct Broadcast {
    /// Innermost first; at least one.
    groups: [Group; MAX_RANK],
    count: usize,
}

impl Broadcast {
    fn new(inputs: [&Shape; 2], output: &Shape) -> Self {
        let dims = output.extended();
        let sides = inputs.map(Shape::extended);
        let mut groups = [Group { len: 1, step: [1; 2] }; MAX_RANK];
        let mut count = 0;
        let mut advance = [1; 2];
        let mut last = [false; 2];
        for d in (0..MAX_RANK).rev().filter(|&d| dims[d] > 1) {
            let full = [sides[0][d] > 1, sides[1][d] > 1];
            if count > 0 && full == last {
                groups[count - 1].len *= dims[d];
            } else {
                let step = core::array::from_fn(|i| if full[i] { advance[i] } else { 0 });
                groups[count] = Group { len: dims[d], step };
                count += 1;
                last = full;
            }
            for (advance, side) in advance.iter_mut().zip(&sides) {
                *advance *= side[d];
            }
        }
        Self { groups, count: count.max(1) }
    }

    /// Calls `visit(output offset, operand offsets, operand repeats, length)` for each block of the output, in order.
    fn for_each_block(&self, mut visit: impl FnMut(usize, [usize; 2], [bool; 2], usize)) {
        let Some((inner, outer)) = self.groups.get(..self.count).and_then(<[Group]>::split_first) else {
            return;
        };
        let repeats = inner.step.map(|step| step == 0);
        let mut counters = [0usize; MAX_RANK];
        let mut row = [0usize; 2];
        let mut at = 0;
        loop {
            let mut done = 0;
            while done < inner.len {
                let len = BLOCK.min(inner.len - done);
                visit(at + done, core::array::from_fn(|i| row[i] + done * inner.step[i]), repeats, len);
                done += len;
            }
            at += inner.len;
            let mut carried = true;
            for (counter, group) in counters.iter_mut().zip(outer) {
                *counter += 1;
                if *counter < group.len {
                    row = core::array::from_fn(|i| row[i] + group.step[i]);
                    carried = false;
                    break;
                }
                *counter = 0;
                row = core::array::from_fn(|i| row[i] - (group.len - 1) * group.step[i]);
            }
            if carried {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// The offsets that NumPy's rule gives, one output element at a time.
    fn naive(inputs: [&Shape; 2], output: &Shape) -> Vec<[usize; 2]> {
        let dims = output.extended();
        (0..output.elements())
            .map(|flat| {
                inputs.map(|shape| {
                    let side = shape.extended();
                    let (mut rest, mut offset, mut stride) = (flat, 0, 1);
                    for d in (0..MAX_RANK).rev() {
                        offset += (rest % dims[d]).min(side[d] - 1) * stride;
                        rest /= dims[d];
                        stride *= side[d];
                    }
                    offset
                })
            })
            .collect()
    }

    proptest! {
        #[test]
        fn blocks_visit_every_element_once_with_numpy_offsets(
            dims in prop::collection::vec(1u32..5, 1..=MAX_RANK),
            long in 1u32..200,
            masks in prop::array::uniform2(0u32..64),
        ) {
            let mut dims = dims;
            dims[0] = if dims.len() == 1 { long } else { dims[0] };
            let side = |mask: u32| {
                let sides: Vec<u32> =
                    dims.iter().enumerate().map(|(i, &d)| if mask >> i & 1 == 1 { 1 } else { d }).collect();
                Shape::new(&sides).unwrap()
            };
            let (a, b) = (side(masks[0]), side(masks[1] & !masks[0]));
            let output = Shape::new(&dims).unwrap();
            let expected = naive([&a, &b], &output);
            let mut seen = vec![None; expected.len()];
            Broadcast::new([&a, &b], &output).for_each_block(|at, offsets, repeats, len| {
                assert!(len <= BLOCK);
                for i in 0..len {
                    let own: [usize; 2] =
                        core::array::from_fn(|k| offsets[k] + if repeats[k] { 0 } else { i });
                    assert!(seen[at + i].replace(own).is_none());
                }
            });
            let seen: Vec<_> = seen.into_iter().map(Option::unwrap).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
