//! A layer's channels on lanes, and the groups that they are cut into.

use crate::packing::lanes::{RECORD_WORDS, group_size};
use crate::quant::OutputStage;

/// A layer's channels on byte-pair lanes ([`crate::packing::lanes`]) or nibble lanes ([`crate::packing::nibble_lanes`]).
#[derive(Debug, Clone, Copy)]
pub struct Lanes<'a> {
    /// Largest number of channels in a group: 4 or 8. Nothing is written for another.
    pub largest: usize,
    /// Channels, without those that fill up the last group.
    pub channels: usize,
    /// Weights, group by group.
    pub words: &'a [u32],
    /// Records, group by group.
    pub records: &'a [i32],
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

/// Neighbouring groups of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Channels of a group: 2, 4 or 8.
    pub(super) size: usize,
    /// Channels to write.
    pub(super) channels: usize,
}

impl Part {
    /// The first groups of `left` channels, `PER_WORD` (2 or 4) of which share words: all whole ones of the largest size, or a
    /// single smaller one.
    #[inline]
    pub(super) fn first<const PER_WORD: usize>(left: usize, largest: usize) -> Self {
        let size = group_size::<PER_WORD>(left, largest);
        Self {
            size,
            channels: if left >= largest { left & !largest.wrapping_sub(1) } else { left.min(size) },
        }
    }
}

impl<'a> Lanes<'a> {
    /// The layer cut into groups of one size each, `largest`, with the channel that each part starts at; inputs have `pairs`
    /// pairs.
    pub(super) fn parts<const PER_WORD: usize>(&self, pairs: usize) -> impl Iterator<Item = (usize, Self)> {
        let all = *self;
        let mut start = 0;
        core::iter::from_fn(move || {
            let left = all.channels.checked_sub(start).filter(|&left| left > 0)?;
            let Part { size, channels } = Part::first::<PER_WORD>(left, all.largest);
            let words = all.words.get(start / PER_WORD * pairs..).unwrap_or_default();
            let records = all.records.get(start * RECORD_WORDS..).unwrap_or_default();
            start += channels;
            Some((start - channels, Self { largest: size, channels, words, records, ..all }))
        })
    }
}
