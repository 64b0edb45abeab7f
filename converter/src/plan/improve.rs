//! A search for a better placement when no rule of thumb reached the bound.
//!
//! Some sequence of the blocks, each placed as low as possible, gives the smallest arena: take the best placement
//! there is and go through it from the bottom up. So the search walks over sequences. Each round moves blocks that
//! stick out above the target forward by a random number of places, or swaps two at random; a sequence that is no
//! worse is kept. After a number of rounds without progress it starts again from another rule's sequence. Random
//! numbers come from a fixed seed: the same problem always gets the same plan.

use super::block::Block;
use super::place::{Fit, Placement, PlacementRule, in_sequence};

/// Rounds without progress before the next start.
const PATIENCE: usize = 120;

/// Work that is still allowed, counted in conflicts looked at: some tens of millions a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget(pub(super) usize);

impl Budget {
    /// Takes the cost of placing the blocks once; false when it is not covered any more.
    pub(super) fn spend(&mut self, blocks: &[Block]) -> bool {
        let conflicts: usize = blocks.iter().map(|block| block.conflicts.len() + 1).sum();
        let covered = self.0 >= conflicts;
        self.0 = self.0.saturating_sub(conflicts);
        covered
    }

    /// Splits off half of what is left.
    pub(super) fn take_half(&mut self) -> Self {
        let half = self.0 / 2;
        self.0 -= half;
        Self(half)
    }

    /// Adds what another did not use.
    pub(super) fn give_back(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// Looks for a placement that is smaller than the smallest of `starts`, and stops at `target` or without budget.
pub(super) fn improve(
    blocks: &[Block],
    starts: &[Placement],
    target: u64,
    budget: &mut Budget,
) -> Option<Placement> {
    let mut random = Random(0x5eca_7e0a);
    let mut starts: Vec<&Placement> = starts.iter().collect();
    starts.sort_by_key(|start| start.arena);
    let smallest = starts.first()?.arena;
    let mut best: Option<Placement> = None;
    for start in starts.iter().copied().cycle() {
        let mut sequence = start.sequence.clone();
        let mut kept: Option<(u64, u64)> = None;
        let mut idle = 0;
        let mut moved = sequence.clone();
        while idle < PATIENCE {
            if !budget.spend(blocks) {
                return best;
            }
            let placement = in_sequence(blocks, moved, PlacementRule::Improved, Fit::First);
            let score = (placement.arena, excess(blocks, &placement, target));
            if score.0 < best.as_ref().map_or(smallest, |best| best.arena) {
                best = Some(placement.clone());
                if score.0 <= target {
                    return best;
                }
            }
            idle = if kept.is_none_or(|kept| score < kept) { 0 } else { idle + 1 };
            if kept.is_none_or(|kept| score <= kept) {
                kept = Some(score);
                sequence.clone_from(&placement.sequence);
            }
            moved = change(blocks, &sequence, &placement, target, &mut random);
        }
    }
    best
}

/// Bytes above the target, summed over the blocks.
fn excess(blocks: &[Block], placement: &Placement, target: u64) -> u64 {
    let tops = blocks.iter().zip(&placement.offsets).map(|(block, offset)| block.height() + offset);
    tops.map(|top| top.saturating_sub(target)).sum()
}

/// A sequence near the given one. `placement` may come from another sequence; it tells which blocks stick out.
fn change(
    blocks: &[Block],
    sequence: &[usize],
    placement: &Placement,
    target: u64,
    random: &mut Random,
) -> Vec<usize> {
    let mut sequence = sequence.to_vec();
    let sticks_out = |index: usize| placement.offsets[index] + blocks[index].height() > target;
    for place in 1..sequence.len() {
        if sticks_out(sequence[place]) && random.below(4) != 0 {
            let earlier = random.below(place + 1);
            sequence[earlier..=place].rotate_right(1);
        }
    }
    for _ in 0..random.below(3) {
        let (one, other) = (random.below(sequence.len()), random.below(sequence.len()));
        sequence.swap(one, other);
    }
    sequence
}

/// The SplitMix64 generator.
struct Random(u64);

impl Random {
    /// A number in `0..limit`, which must not be empty.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::block::rectangles;

    #[test]
    fn a_bad_sequence_is_mended_within_the_budget() {
        let blocks = rectangles(&[(0, 1, 12), (1, 2, 12), (2, 3, 20), (3, 4, 8), (2, 2, 4)]);
        let sequence = (0..blocks.len()).collect();
        let start = in_sequence(&blocks, sequence, PlacementRule::ByFirstUse(Fit::First), Fit::First);
        let starts = [start];
        assert!(starts[0].arena > 36);
        let improved = |work| improve(&blocks, &starts, 36, &mut Budget(work)).map(|better| better.arena);
        assert_eq!(improved(100_000), Some(36));
        assert_eq!(improved(10), None);
    }
}
