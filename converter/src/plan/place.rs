//! Placing blocks one after another: where a block fits, and in which sequence to place them.

use std::cmp::Reverse;
use std::fmt;

use super::block::Block;

/// How the offsets were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PlacementRule {
    /// First the blocks alive in the fullest slots, the larger first.
    ByPressure(Fit),
    /// First the larger blocks.
    BySize(Fit),
    /// First those with the most bytes times slots.
    ByArea(Fit),
    /// First those that live the longest.
    ByDuration(Fit),
    /// First those that are used first.
    ByFirstUse(Fit),
    /// As they are used, each at the end of the arena that it comes closer to, then the scratches between.
    TwoEnded,
    /// By the search that starts from the best of the other rules.
    Improved,
}

/// Which of the gaps that a block fits into it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The lowest.
    First,
    /// The smallest.
    Best,
}

impl fmt::Display for PlacementRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fit) = match self {
            Self::ByPressure(fit) => ("by pressure", Some(fit)),
            Self::BySize(fit) => ("by size", Some(fit)),
            Self::ByArea(fit) => ("by size and lifetime", Some(fit)),
            Self::ByDuration(fit) => ("by lifetime", Some(fit)),
            Self::ByFirstUse(fit) => ("by first use", Some(fit)),
            Self::TwoEnded => ("from both ends", None),
            Self::Improved => ("improved by search", None),
        };
        f.write_str(name)?;
        f.write_str(match fit {
            Some(Fit::First) => ", first fit",
            Some(Fit::Best) => ", best fit",
            None => "",
        })
    }
}

/// The rules to try after [`PlacementRule::TwoEnded`], which is exact on chains.
pub(super) const RULES: [PlacementRule; 10] = [
    PlacementRule::ByPressure(Fit::First),
    PlacementRule::ByPressure(Fit::Best),
    PlacementRule::BySize(Fit::First),
    PlacementRule::BySize(Fit::Best),
    PlacementRule::ByArea(Fit::First),
    PlacementRule::ByArea(Fit::Best),
    PlacementRule::ByDuration(Fit::First),
    PlacementRule::ByDuration(Fit::Best),
    PlacementRule::ByFirstUse(Fit::First),
    PlacementRule::ByFirstUse(Fit::Best),
];

/// Offsets for all blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placement {
    pub(super) rule: PlacementRule,
    /// The blocks in the sequence in which they were placed.
    pub(super) sequence: Vec<usize>,
    pub(super) offsets: Vec<u64>,
    pub(super) arena: u64,
}

/// Places all blocks by a rule. `live` are the bytes alive in each slot.
pub(super) fn by_rule(blocks: &[Block], live: &[u64], rule: PlacementRule) -> Placement {
    let mut sequence: Vec<usize> = (0..blocks.len()).collect();
    let height = |index: usize| Reverse(blocks[index].height());
    let duration = |index: usize| Reverse(blocks[index].duration());
    let fit = match rule {
        PlacementRule::TwoEnded => {
            sequence.sort_by_key(|&index| (blocks[index].is_scratch(), blocks[index].first(), height(index)));
            return two_ended(blocks, sequence, live.iter().copied().max().unwrap_or(0));
        }
        PlacementRule::ByPressure(fit) => {
            sequence.sort_by_cached_key(|&index| (Reverse(pressure(&blocks[index], live)), height(index)));
            fit
        }
        PlacementRule::BySize(fit) => {
            sequence.sort_by_key(|&index| (height(index), duration(index)));
            fit
        }
        PlacementRule::ByArea(fit) => {
            sequence.sort_by_key(|&index| (Reverse(blocks[index].area()), height(index)));
            fit
        }
        PlacementRule::ByDuration(fit) => {
            sequence.sort_by_key(|&index| (duration(index), height(index)));
            fit
        }
        PlacementRule::ByFirstUse(fit) => {
            sequence.sort_by_key(|&index| (blocks[index].first(), height(index)));
            fit
        }
        PlacementRule::Improved => Fit::First,
    };
    in_sequence(blocks, sequence, rule, fit)
}

/// Places the blocks in a given sequence, each as low as possible or into the smallest gap.
pub(super) fn in_sequence(
    blocks: &[Block],
    sequence: Vec<usize>,
    rule: PlacementRule,
    fit: Fit,
) -> Placement {
    let mut placer = Placer::new(blocks);
    for &index in &sequence {
        let offset = placer.lowest(index, fit);
        placer.put(index, offset);
    }
    placer.finish(rule, sequence)
}

fn two_ended(blocks: &[Block], sequence: Vec<usize>, ceiling: u64) -> Placement {
    let mut placer = Placer::new(blocks);
    for &index in &sequence {
        let lowest = placer.lowest(index, Fit::First);
        let room_above = |offset| ceiling - blocks[index].height() - offset;
        let offset = match placer.highest(index, ceiling) {
            Some(highest) if room_above(highest) < lowest && !blocks[index].is_scratch() => highest,
            _ => lowest,
        };
        placer.put(index, offset);
    }
    placer.finish(PlacementRule::TwoEnded, sequence)
}

/// The most bytes alive in any slot of a block.
fn pressure(block: &Block, live: &[u64]) -> u64 {
    let slots = block.parts.iter().flat_map(|part| &live[part.span.first..=part.span.last]);
    slots.copied().max().unwrap_or(0)
}

/// Blocks placed so far, and room for the intervals that the next one must keep out of.
struct Placer<'a> {
    blocks: &'a [Block],
    offsets: Vec<Option<u64>>,
    /// Open intervals of offsets that are taken. Their lower ends may be negative, so both ends are stored with the
    /// block's height added.
    taken: Vec<(u64, u64)>,
    arena: u64,
}

impl<'a> Placer<'a> {
    fn new(blocks: &'a [Block]) -> Self {
        Self { blocks, offsets: vec![None; blocks.len()], taken: Vec::new(), arena: 0 }
    }

    fn put(&mut self, index: usize, offset: u64) {
        self.offsets[index] = Some(offset);
        self.arena = self.arena.max(offset + self.blocks[index].height());
    }

    fn collect_taken(&mut self, index: usize) {
        let height = self.blocks[index].height();
        let placed = self.blocks[index].conflicts.iter().filter_map(|conflict| {
            self.offsets[conflict.other]
                .map(|offset| (offset + height - conflict.below, offset + height + conflict.above))
        });
        self.taken.clear();
        self.taken.extend(placed);
    }

    /// The lowest free offset, or the one at the bottom of the smallest gap, or the top of everything in the way.
    fn lowest(&mut self, index: usize, fit: Fit) -> u64 {
        self.collect_taken(index);
        self.taken.sort_unstable();
        let height = self.blocks[index].height();
        let mut free_from = height;
        let mut smallest: Option<(u64, u64)> = None;
        for &(low, high) in &self.taken {
            if free_from <= low {
                if fit == Fit::First {
                    return free_from - height;
                }
                if smallest.is_none_or(|(spare, _)| low - free_from < spare) {
                    smallest = Some((low - free_from, free_from));
                }
            }
            free_from = free_from.max(high);
        }
        smallest.map_or(free_from, |(_, offset)| offset) - height
    }

    /// The highest free offset with which the block ends at the ceiling or beneath it.
    fn highest(&mut self, index: usize, ceiling: u64) -> Option<u64> {
        self.collect_taken(index);
        self.taken.sort_unstable_by_key(|&(_, high)| Reverse(high));
        let height = self.blocks[index].height();
        let mut free_to = ceiling;
        for &(low, high) in &self.taken {
            if free_to >= high {
                break;
            }
            free_to = free_to.min(low);
        }
        free_to.checked_sub(height)
    }

    fn finish(self, rule: PlacementRule, sequence: Vec<usize>) -> Placement {
        let offsets = self.offsets.into_iter().map(|offset| offset.unwrap_or(0)).collect();
        Placement { rule, sequence, offsets, arena: self.arena }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::block::rectangles;

    #[test]
    fn a_block_goes_into_the_lowest_or_the_smallest_gap() {
        // Towers of 8, 4 and 4 bytes leave gaps of 12 and 4 bytes when the second and the fourth block are gone.
        let blocks = rectangles(&[(0, 2, 8), (0, 0, 12), (0, 2, 4), (0, 0, 4), (0, 2, 4), (1, 2, 4)]);
        let sequence: Vec<usize> = (0..6).collect();
        let place = |fit| in_sequence(&blocks, sequence.clone(), PlacementRule::ByFirstUse(fit), fit);
        assert_eq!(place(Fit::First).offsets, [0, 8, 20, 24, 28, 8]);
        assert_eq!(place(Fit::Best).offsets, [0, 8, 20, 24, 28, 24]);
        assert_eq!(place(Fit::Best).arena, 32);
    }

    #[test]
    fn both_ends_serve_a_chain_whose_widths_rise() {
        // By first use the second block would lie on the first, the third on the second.
        let blocks = rectangles(&[(0, 1, 10), (1, 2, 10), (2, 3, 50), (3, 4, 4)]);
        let live = [10, 20, 60, 54, 4];
        let both = by_rule(&blocks, &live, PlacementRule::TwoEnded);
        assert_eq!((both.offsets, both.arena), (vec![0, 50, 0, 56], 60));
        assert_eq!(by_rule(&blocks, &live, PlacementRule::ByFirstUse(Fit::First)).arena, 70);
    }

    #[test]
    fn rules_place_in_the_sequence_that_they_are_named_after() {
        let blocks = rectangles(&[(0, 5, 8), (1, 1, 20), (2, 4, 12)]);
        let live = [8, 28, 20, 20, 20, 8];
        let sequence = |rule| by_rule(&blocks, &live, rule).sequence;
        assert_eq!(sequence(PlacementRule::BySize(Fit::First)), [1, 2, 0]);
        assert_eq!(sequence(PlacementRule::ByArea(Fit::First)), [0, 2, 1]);
        assert_eq!(sequence(PlacementRule::ByDuration(Fit::First)), [0, 2, 1]);
        assert_eq!(sequence(PlacementRule::ByFirstUse(Fit::First)), [0, 1, 2]);
        assert_eq!(sequence(PlacementRule::ByPressure(Fit::First)), [1, 0, 2]);
    }
}
