//! What the operators on two tensors share: broadcasting, constant operands and results in place.
//!
//! Shapes broadcast as in NumPy: aligned at the last dimension, a dimension of 1 repeats. The output is walked in blocks
//! of consecutive elements; each block of each operand is first copied to the stack, so that an operand may be a constant,
//! may repeat, and may share its place with the output.

use zerocopy::{FromBytes, Immutable, KnownLayout};

use crate::format::{MAX_RANK, Node, Shape};
use crate::kernels::call::overlap;
use crate::kernels::{Call, Element, NodeError, require};

/// Elements per block.
pub const BLOCK: usize = 64;

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

/// The part of [`run`] that is the same for every operator, and therefore not generic: it is in a firmware once.
fn for_each_block(call: &mut Call<'_, '_>, block: &BlockFunction<'_>) {
    let node = call.node;
    let (Some(a), Some(b), Some(output)) = (node.input(0), node.input(1), node.output(0)) else { return };
    let start = output.range().start;
    Broadcast::new([&a.shape, &b.shape], &output.shape).for_each_block(|at, offsets, repeats, len| {
        let mut blocks = [[0i8; BLOCK]; 2];
        for (index, block) in blocks.iter_mut().enumerate() {
            let Some(source) = call.input::<i8>(index) else { return };
            let (Some(block), offset) = (block.get_mut(..len), offsets[index]) else { return };
            if repeats[index] {
                block.fill(source.data.get(offset).copied().unwrap_or_default());
            } else if let Some(source) = source.data.get(offset..offset + len) {
                block.copy_from_slice(source);
            }
        }
        let target = call.arena.get_mut(start + at..start + at + len);
        let Some(Ok(target)) = target.map(<[i8]>::mut_from_bytes) else { return };
        let [a, b] = &blocks;
        block(a.get(..len).unwrap_or_default(), b.get(..len).unwrap_or_default(), target);
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
