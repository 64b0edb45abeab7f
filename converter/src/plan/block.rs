//! What is placed: blocks, and which of them must keep apart.
//!
//! A block is a scratch, a buffer, or several buffers that in-place pairs tie to one offset. Each part takes its own
//! bytes in its own slots only, so seen over time a block has a flat bottom and a stepped top.

use super::SharedPlace;
use super::dataflow::Dataflow;
use super::lifetime::Span;

/// The owner of a part of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Buffer(usize),
    /// The scratch of a step.
    Scratch(usize),
}

/// A rectangle of a block: bytes by slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) owner: Owner,
    pub(super) span: Span,
    pub(super) bytes: u64,
}

/// Another block that is alive at the same time, and the room that the two need of one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Conflict {
    pub(super) other: usize,
    /// If the other block lies above this one, at least so far above.
    pub(super) below: u64,
    /// If the other block lies beneath this one, at least so far beneath.
    pub(super) above: u64,
}

/// Parts that share an offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) parts: Vec<Part>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Block {
    /// Bytes of the tallest part.
    pub(super) fn height(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).max().unwrap_or(0)
    }

    /// First slot of any part.
    pub(super) fn first(&self) -> usize {
        self.parts.iter().map(|part| part.span.first).min().unwrap_or(0)
    }

    /// Number of slots from the first to the last.
    pub(super) fn duration(&self) -> usize {
        let last = self.parts.iter().map(|part| part.span.last).max().unwrap_or(0);
        last + 1 - self.first()
    }

    /// Bytes times slots.
    pub(super) fn area(&self) -> u64 {
        let slots = |part: &Part| (part.span.last - part.span.first + 1) as u64;
        self.parts.iter().fold(0, |sum, part| part.bytes.saturating_mul(slots(part)).saturating_add(sum))
    }

    /// Whether the block is the scratch of a step.
    pub(super) fn is_scratch(&self) -> bool {
        matches!(self.parts.as_slice(), [Part { owner: Owner::Scratch(_), .. }])
    }
}

/// The blocks of an order with its in-place pairs. What takes no bytes or is never alive is in no block.
pub(super) fn blocks(
    flow: &Dataflow,
    order: &[usize],
    spans: &[Option<Span>],
    shared: &[SharedPlace],
) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut block_of_buffer = vec![None; spans.len()];
    let mut overwrites = vec![None; spans.len()];
    for pair in shared {
        overwrites[pair.write] = Some(pair.read);
    }
    let inputs = (0..spans.len()).filter(|&buffer| flow.problem.buffers[buffer].lives_from_start);
    let writes = order.iter().flat_map(|&step| flow.writes(step).iter().copied());
    for buffer in inputs.chain(writes) {
        let Some(span) = spans[buffer].filter(|_| flow.bytes[buffer] > 0) else { continue };
        let tied_to = overwrites[buffer].and_then(|read: usize| block_of_buffer[read]);
        let block = tied_to.unwrap_or_else(|| {
            blocks.push(Block::default());
            blocks.len() - 1
        });
        block_of_buffer[buffer] = Some(block);
        blocks[block].parts.push(Part { owner: Owner::Buffer(buffer), span, bytes: flow.bytes[buffer] });
    }
    for (position, &step) in order.iter().enumerate() {
        if flow.scratch[step] > 0 {
            let span = Span { first: position + 1, last: position + 1 };
            let part = Part { owner: Owner::Scratch(step), span, bytes: flow.scratch[step] };
            blocks.push(Block { parts: vec![part], conflicts: Vec::new() });
        }
    }
    find_conflicts(&mut blocks);
    blocks
}

/// Compares each part with those that begin while it is alive, in order of their beginning.
fn find_conflicts(blocks: &mut [Block]) {
    let mut parts: Vec<(usize, Part)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(index, block)| block.parts.iter().map(move |part| (index, *part)))
        .collect();
    parts.sort_by_key(|(index, part)| (part.span.first, *index));
    for (place, &(index, part)) in parts.iter().enumerate() {
        let later = parts[place + 1..].iter().take_while(|(_, later)| later.span.first <= part.span.last);
        for &(other, other_part) in later.filter(|(other, _)| *other != index) {
            blocks[index].conflicts.push(Conflict { other, below: part.bytes, above: other_part.bytes });
            blocks[other].conflicts.push(Conflict {
                other: index,
                below: other_part.bytes,
                above: part.bytes,
            });
        }
    }
    for block in blocks {
        block.conflicts.sort_by_key(|conflict| conflict.other);
        block.conflicts.dedup_by(|next, kept| {
            let same = next.other == kept.other;
            if same {
                kept.below = kept.below.max(next.below);
                kept.above = kept.above.max(next.above);
            }
            same
        });
    }
}

/// Blocks of one part each, given as first slot, last slot and bytes.
#[cfg(test)]
pub(super) fn rectangles(parts: &[(usize, usize, u64)]) -> Vec<Block> {
    let part = |(index, &(first, last, bytes)): (usize, &(usize, usize, u64))| Part {
        owner: Owner::Buffer(index),
        span: Span { first, last },
        bytes,
    };
    let block = |part| Block { parts: vec![part], conflicts: Vec::new() };
    let mut blocks: Vec<Block> = parts.iter().enumerate().map(part).map(block).collect();
    find_conflicts(&mut blocks);
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::lifetime::buffer_spans;
    use crate::plan::problem::{Buffer, InPlace, Problem, Step};

    #[test]
    fn a_block_keeps_apart_by_what_is_alive_at_the_time() {
        let buffer = |bytes| Buffer { bytes, ..Buffer::default() };
        let step = |read, write, scratch_bytes| Step {
            reads: vec![read],
            writes: vec![write],
            scratch_bytes,
            ..Step::default()
        };
        let mut problem = Problem {
            buffers: vec![buffer(40), buffer(10), buffer(20)],
            steps: vec![step(0, 1, 8), step(1, 2, 0)],
        };
        problem.buffers[0].lives_from_start = true;
        problem.steps[0].in_place.push(InPlace { read: 0, write: 1 });
        let flow = Dataflow::new(&problem).expect("the problem is sound");
        let spans = buffer_spans(&problem, &[0, 1]);
        let blocks = blocks(&flow, &[0, 1], &spans, &[SharedPlace { step: 0, read: 0, write: 1 }]);
        let heights: Vec<u64> = blocks.iter().map(Block::height).collect();
        assert_eq!(heights, [40, 20, 8]);
        assert_eq!((blocks[0].first(), blocks[0].duration(), blocks[0].area()), (0, 3, 40 * 2 + 12 * 2));
        assert!(blocks[2].is_scratch() && !blocks[0].is_scratch());
        let apart = |other, below, above| Conflict { other, below, above };
        assert_eq!(blocks[0].conflicts, [apart(1, 12, 20), apart(2, 40, 8)]);
        assert_eq!(blocks[1].conflicts, [apart(0, 20, 12)]);
    }
}
