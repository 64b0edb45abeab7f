//! Copies between tensors of which either may be walked with a stride per dimension: what Transpose, StridedSlice and Pad
//! share. Any element type, as bytes.

use crate::format::{MAX_RANK, Node, TensorRecord};
use crate::kernels::call::overlap;
use crate::kernels::{NodeError, require};

/// Loops of a copy: the dimensions, and the bytes of one element.
const LOOPS: usize = MAX_RANK + 1;

/// One loop of a copy. Steps are in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Loop {
    /// Passes.
    pub(super) len: usize,
    /// How far the source advances per pass.
    pub(super) from: isize,
    /// How far the target advances per pass.
    pub(super) to: isize,
}

/// A copy of every element that the loops visit.
#[derive(Debug)]
pub(super) struct Strided {
    /// Innermost first. Neighbours that advance as one are one loop.
    loops: [Loop; LOOPS],
    count: usize,
}

impl Strided {
    /// One element of `size` bytes.
    pub(super) fn new(size: usize) -> Self {
        let mut loops = [Loop::default(); LOOPS];
        loops[0] = Loop { len: size, from: 1, to: 1 };
        Self { loops, count: 1 }
    }

    /// Repeats what is there along a further, outer dimension. At most [`MAX_RANK`] times.
    pub(super) fn repeat(&mut self, outer: Loop) {
        let Some(last) = self.loops.get_mut(self.count - 1) else { return };
        if outer.len == 1 {
            return;
        }
        let inner_len = last.len as isize;
        let continues = |outer: isize, inner: isize| inner.checked_mul(inner_len) == Some(outer);
        if last.len == 1 {
            *last = outer;
        } else if continues(outer.from, last.from) && continues(outer.to, last.to) {
            last.len *= outer.len;
        } else if let Some(next) = self.loops.get_mut(self.count) {
            *next = outer;
            self.count += 1;
        }
    }

    /// Copies from byte `from` of `source` on to byte `to` of `target` on. What lies outside a slice is left out.
    pub(super) fn copy(&self, source: &[u8], target: &mut [u8], mut from: usize, mut to: usize) {
        let Some((inner, outer)) = self.loops.get(..self.count).and_then(<[Loop]>::split_first) else {
            return;
        };
        let mut counters = [0usize; LOOPS];
        loop {
            inner.copy(source, target, from, to);
            let mut carried = true;
            for (counter, outer) in counters.iter_mut().zip(outer) {
                *counter += 1;
                carried = *counter == outer.len;
                let passes = if carried { 1 - outer.len as isize } else { 1 };
                from = from.wrapping_add_signed(outer.from * passes);
                to = to.wrapping_add_signed(outer.to * passes);
                if !carried {
                    break;
                }
                *counter = 0;
            }
            if carried {
                return;
            }
        }
    }
}

impl Loop {
    /// The innermost loop: one byte per pass.
    fn copy(&self, source: &[u8], target: &mut [u8], mut from: usize, mut to: usize) {
        if (self.from, self.to) == (1, 1) {
            let target = target.get_mut(to..to + self.len).unwrap_or_default();
            for (target, &source) in target.iter_mut().zip(source.get(from..).unwrap_or_default()) {
                *target = source;
            }
            return;
        }
        for _ in 0..self.len {
            if let (Some(&source), Some(target)) = (source.get(from), target.get_mut(to)) {
                *target = source;
            }
            from = from.wrapping_add_signed(self.from);
            to = to.wrapping_add_signed(self.to);
        }
    }
}

/// Bytes between neighbours along each dimension, outermost first, and the bytes of one element.
pub(super) fn strides(tensor: &TensorRecord) -> ([isize; MAX_RANK], usize) {
    let size = tensor.dtype().map_or(1, |dtype| dtype.size());
    let mut strides = [0; MAX_RANK];
    let mut next = size as isize;
    for (stride, &dim) in strides.iter_mut().zip(tensor.shape.dims()).rev() {
        *stride = next;
        next *= dim as isize;
    }
    (strides, size)
}

/// Input and output of a node with one of each, of one element type, which copies elements from one to the other.
///
/// # Errors
/// If the counts or types are others, or the operands overlap.
pub(super) fn check_operands<'m>(node: &Node<'m>) -> Result<(&'m TensorRecord, &'m TensorRecord), NodeError> {
    let record = node.record();
    require(record.inputs == 1 && record.outputs == 1, NodeError::OperandCount)?;
    let (input, output) = node.input(0).zip(node.output(0)).ok_or(NodeError::OperandCount)?;
    require(input.dtype() == output.dtype(), NodeError::DType)?;
    let apart = !input.in_arena() || !overlap(&input.range(), &output.range());
    require(apart, NodeError::Overlap)?;
    Ok((input, output))
}
