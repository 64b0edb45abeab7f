//! Operands of one node while it runs: typed, disjoint views of arena and constants.

use core::ops::Range;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{DType, Node, Shape, TensorRecord};
use crate::kernels::{NodeError, require};

/// A Rust type that tensors are made of.
pub trait Element: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + Default + 'static {
    /// Its code in the file.
    const DTYPE: DType;
}

impl Element for i8 {
    const DTYPE: DType = DType::I8;
}
impl Element for i16 {
    const DTYPE: DType = DType::I16;
}
impl Element for i32 {
    const DTYPE: DType = DType::I32;
}
impl Element for f32 {
    const DTYPE: DType = DType::F32;
}

/// A tensor to read: `data` has as many elements as `shape`, the last dimension innermost.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a, T> {
    /// Dimensions.
    pub shape: &'a Shape,
    /// Elements.
    pub data: &'a [T],
}

/// A tensor to write.
#[derive(Debug)]
pub struct TensorMut<'a, T> {
    /// Dimensions.
    pub shape: &'a Shape,
    /// Elements; their present values mean nothing.
    pub data: &'a mut [T],
}

/// The operands of an operator with one input and one output.
#[derive(Debug)]
pub struct Unary<'a, In, Out> {
    /// Input 0.
    pub input: Tensor<'a, In>,
    /// Output 0, disjoint from the input.
    pub output: TensorMut<'a, Out>,
    /// The node's scratch, disjoint from both.
    pub scratch: &'a mut [u8],
}

/// One node about to run, with the arena.
///
/// The accessors give `None` where a model is not what `check` accepted. That cannot happen; a kernel returns without
/// writing then, which keeps the path free of panics.
#[derive(Debug)]
pub struct Call<'c, 'm> {
    /// The node.
    pub node: &'c Node<'m>,
    /// The whole arena.
    pub arena: &'c mut [u8],
}

impl<'m> Call<'_, 'm> {
    /// Input 0, output 0 and scratch as disjoint slices.
    pub fn unary<In: Element, Out: Element>(&mut self) -> Option<Unary<'_, In, Out>> {
        self.unary_inline()
    }

    /// As [`Self::unary`], for operators whose layers may be so small that a call counts.
    #[inline(always)]
    pub(super) fn unary_inline<In: Element, Out: Element>(&mut self) -> Option<Unary<'_, In, Out>> {
        let (input, output) = (self.node.input(0)?, self.node.output(0)?);
        let scratch = self.node.record().scratch_range();
        let [from, to, scratch] = disjoint(self.arena, [input.range(), output.range(), scratch])?;
        Some(Unary {
            input: Tensor { shape: &input.shape, data: <[In]>::ref_from_bytes(from).ok()? },
            output: TensorMut { shape: &output.shape, data: <[Out]>::mut_from_bytes(to).ok()? },
            scratch,
        })
    }

    /// Input `index`, wherever it is.
    pub fn input<T: Element>(&self, index: usize) -> Option<Tensor<'_, T>> {
        let record = self.node.input(index)?;
        let bytes = match self.node.constant(record) {
            Some(constant) => constant,
            None => self.arena.get(record.range())?,
        };
        Some(Tensor { shape: &record.shape, data: <[T]>::ref_from_bytes(bytes).ok()? })
    }

    /// Bytes of input `index`, wherever it is, and of output 0, which is apart from it.
    pub fn bytes(&mut self, index: usize) -> Option<(&[u8], &mut [u8])> {
        let (input, output) = (self.node.input(index)?, self.node.output(0)?);
        match self.node.constant(input) {
            Some(constant) => Some((constant, self.arena.get_mut(output.range())?)),
            None => {
                let [from, to] = self.arena.get_disjoint_mut([input.range(), output.range()]).ok()?;
                Some((from, to))
            }
        }
    }

    /// Output 0.
    pub fn output<T: Element>(&mut self) -> Option<TensorMut<'_, T>> {
        let record = self.node.output(0)?;
        let bytes = self.arena.get_mut(record.range())?;
        Some(TensorMut { shape: &record.shape, data: <[T]>::mut_from_bytes(bytes).ok()? })
    }
}

impl<'m> Node<'m> {
    /// Input 0 and output 0 of a node with one of each, which must be apart from each other and from the scratch.
    ///
    /// # Errors
    /// If the counts, types or places are others, the operands overlap or the scratch is too small.
    pub fn check_unary<In: Element, Out: Element>(
        &self,
        scratch_len: usize,
    ) -> Result<(&'m TensorRecord, &'m TensorRecord), NodeError> {
        let record = self.record();
        require(record.inputs == 1 && record.outputs == 1, NodeError::OperandCount)?;
        let input = self.input(0).ok_or(NodeError::OperandCount)?;
        let output = self.output(0).ok_or(NodeError::OperandCount)?;
        require(input.dtype() == Some(In::DTYPE) && output.dtype() == Some(Out::DTYPE), NodeError::DType)?;
        require(input.in_arena(), NodeError::Place)?;
        require(record.scratch_len as usize >= scratch_len, NodeError::Scratch)?;
        let scratch = record.scratch_range();
        let apart = !overlap(&input.range(), &output.range())
            && !overlap(&scratch, &input.range())
            && !overlap(&scratch, &output.range());
        require(apart, NodeError::Overlap)?;
        Ok((input, output))
    }
}

/// As many whole elements as the bytes hold.
#[inline]
pub(super) fn whole<T: FromBytes + IntoBytes>(bytes: &mut [u8]) -> Option<&mut [T]> {
    let len = bytes.len() / size_of::<T>() * size_of::<T>();
    <[T]>::mut_from_bytes(bytes.get_mut(..len)?).ok()
}

/// Three parts of the arena, none of which shares a byte with another. Written out: the standard library's way is a loop
/// that costs small layers more than their products.
#[inline(always)]
fn disjoint(arena: &mut [u8], [first, second, third]: [Range<usize>; 3]) -> Option<[&mut [u8]; 3]> {
    let swapped = second.start < first.start;
    let (low, high) = if swapped { (second, first) } else { (first, second) };
    let (lower, upper) = arena.split_at_mut_checked(high.start)?;
    let (high_part, above) = upper.split_at_mut_checked(high.end.wrapping_sub(high.start))?;
    let (below, lower) = lower.split_at_mut_checked(low.start)?;
    let (low_part, between) = lower.split_at_mut_checked(low.end.wrapping_sub(low.start))?;
    let (gap, start) = if third.start >= high.end {
        (above, high.end)
    } else if third.start >= low.end {
        (between, low.end)
    } else {
        (below, 0)
    };
    let third = gap.get_mut(third.start - start..third.end.wrapping_sub(start))?;
    Some(if swapped { [high_part, low_part, third] } else { [low_part, high_part, third] })
}

/// Whether two ranges share a byte.
pub(super) fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_had_in_any_order_and_refused_if_they_overlap() {
        let mut arena = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        let ranges = [0..2, 3..6, 7..9, 9..10, 1..4, 8..11, 0..0];
        let apart = |a: &Range<usize>, b: &Range<usize>| !overlap(a, b);
        // The scratch alone may be empty.
        for a in &ranges[..6] {
            for b in &ranges[..6] {
                for c in &ranges {
                    let fit = [a, b, c].iter().all(|range| range.end <= 10);
                    let expected = fit && apart(a, b) && apart(b, c) && apart(a, c);
                    let got = disjoint(&mut arena, [a.clone(), b.clone(), c.clone()]);
                    assert_eq!(got.is_some(), expected, "{a:?} {b:?} {c:?}");
                    for (part, range) in got.into_iter().flatten().zip([a, b, c]) {
                        assert!(part.iter().map(|&x| usize::from(x)).eq(range.clone()));
                    }
                }
            }
        }
    }
}
