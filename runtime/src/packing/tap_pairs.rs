//! Tap pairs: depthwise kernels of any size whose vertical neighbours stand side by side in one word.
//!
//! A dual 16-bit multiply-accumulate takes two inputs below each other times two weights below each other. A channel's
//! words are, for each kernel column, those of kernel rows `(0, 1)`, `(2, 3)` and so on, the upper one in the lower half;
//! a last row of an odd number is paired with zero. Weights and bias are doubled, which leaves sums as the requantization
//! wants them. Two bytes per weight, and two more per column of odd height.
//!
//! A column has at most [`MOST_STEPS`] words. A taller kernel of one column is cut into several ([`Columns`]), which lie
//! below each other in the input.
//!
//! Where several output channels share an input channel, two at a time interleave word by word ([`position`]).
//!
//! A channel's record has three words: twice the bias, mantissa and right shift of the multiplier.
//!
//! # Bounds
//!
//! [`holds`]: sums stay below 2^30, multipliers shift right by at least 1.

use super::nibbles;
use crate::quant::ChannelQuant;

/// Most words of a column.
pub const MOST_STEPS: usize = 8;
/// Words of a channel's record.
pub const RECORD_WORDS: usize = 3;

/// The columns that a kernel's words form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// Number of columns.
    pub count: usize,
    /// Words in each.
    pub steps: usize,
}

impl Columns {
    /// The columns of a kernel of this size; `None` if it is too tall.
    pub fn of([height, width]: [usize; 2]) -> Option<Self> {
        let pairs = height.div_ceil(2);
        if pairs <= MOST_STEPS {
            return Some(Self { count: width, steps: pairs });
        }
        let count = pairs.div_ceil(MOST_STEPS);
        (width == 1).then(|| Self { count, steps: pairs.div_ceil(count) })
    }

    /// Words of a channel.
    pub fn words(&self) -> usize {
        self.count * self.steps
    }
}

/// Whether channels with these `weights` (the `taps` of a channel together) keep the packing's bounds for any int8 input.
pub fn holds(weights: &[i8], taps: usize, channels: &[ChannelQuant]) -> bool {
    channels.iter().zip(weights.chunks(taps.max(1))).all(|(channel, weights)| {
        let reach: i64 = weights.iter().map(|&w| i64::from(w).abs() * 128).sum();
        let bounded = i64::from(channel.bias).abs() + reach < 1 << 30;
        bounded && (-31..=-1).contains(&channel.multiplier.shift)
    })
}

/// Position of word `word` of channel `channel` among the weights of channels of `words` words each, every `shared` of
/// which, at least 1, have one input.
pub fn position(words: usize, shared: usize, channel: usize, word: usize) -> usize {
    let own = channel % shared;
    // The last of an odd number stands alone.
    let (first, next) = if own | 1 < shared { (channel - own % 2, 2) } else { (channel, 1) };
    first * words + next * word + (channel - first)
}

/// Packs the channels: [`Columns::words`] words and [`RECORD_WORDS`] record words for each. `weights` are those of one
/// channel after another, row by row; every `shared` channels, at least 1, have one input. Nothing is written for a kernel
/// that is too tall.
pub fn encode(
    weights: &[i8],
    [height, width]: [usize; 2],
    shared: usize,
    channels: &[ChannelQuant],
    words: &mut [u32],
    records: &mut [i32],
) {
    let rows = weights.chunks((height * width).max(1));
    let channels = channels.iter().zip(rows).zip(records.chunks_exact_mut(RECORD_WORDS));
    for (index, ((channel, weights), target)) in channels.enumerate() {
        let weight = |tap: usize| weights.get(tap).copied().unwrap_or_default();
        lay_out(weight, [height, width], [shared, index], words);
        target.copy_from_slice(&record(channel));
    }
}

/// Writes the words of one channel among those of all, given its weight at each position of the kernel, row by row. Every
/// `shared` channels have one input.
#[inline]
fn lay_out(
    weight: impl Fn(usize) -> i8,
    [height, width]: [usize; 2],
    [shared, channel]: [usize; 2],
    words: &mut [u32],
) {
    let Some(columns) = Columns::of([height, width]) else { return };
    let twice = |row: usize, column: usize| {
        let weight = if row < height { weight(row * width + column) } else { 0 };
        u32::from((2 * i16::from(weight)) as u16)
    };
    // The columns of a cut kernel follow each other as its rows do.
    let (count, steps) = if width == 1 { (1, columns.words()) } else { (columns.count, columns.steps) };
    let places = (0..count).flat_map(|column| (0..steps).map(move |step| (column, step)));
    for ((column, step), at) in places.zip(0..) {
        if let Some(word) = words.get_mut(position(columns.words(), shared, channel, at)) {
            *word = twice(2 * step, column) | twice(2 * step + 1, column) << 16;
        }
    }
}

/// Packs the weights of channels from [`nibbles`], those of one channel after another, row by row; every
/// `shared` channels, at least 1, have one input. `words` has [`Columns::words`] for each channel.
pub fn expand(nibbles: &[u8], [height, width]: [usize; 2], shared: usize, words: &mut [u32]) {
    let Some(columns) = Columns::of([height, width]) else { return };
    let channels = words.len() / columns.words().max(1);
    let taps = height * width;
    for channel in 0..channels {
        let weight = |tap: usize| nibbles::weight(nibbles, channel * taps + tap);
        lay_out(weight, [height, width], [shared, channel], words);
    }
}

/// A channel's record.
pub fn record(channel: &ChannelQuant) -> [i32; RECORD_WORDS] {
    [channel.bias.wrapping_mul(2), channel.multiplier.mantissa, channel.multiplier.shift.wrapping_neg()]
}

/// The two weights of a word, the upper row's first.
pub fn decode(word: u32) -> [i32; 2] {
    [0, 16].map(|shift| i32::from((word >> shift) as i16) / 2)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::quant::Multiplier;

    const QUANT: ChannelQuant =
        ChannelQuant { bias: -5, multiplier: Multiplier { mantissa: 1 << 30, shift: -3 } };

    fn words(weights: &[i8], size: [usize; 2], shared: usize) -> Vec<[i32; 2]> {
        let channels = weights.len() / (size[0] * size[1]);
        let mut words = vec![0; channels * Columns::of(size).unwrap().words()];
        let mut records = vec![0; channels * RECORD_WORDS];
        encode(weights, size, shared, &vec![QUANT; channels], &mut words, &mut records);
        assert!(records.chunks(RECORD_WORDS).all(|record| record == [-10, 1 << 30, 3]));
        words.into_iter().map(decode).collect()
    }

    #[test]
    fn words_hold_vertical_pairs_column_by_column() {
        let weights = [1, -2, 3, -4, -128, 127, 7, 8, 9, 10, 11, 12];
        let expected = [[1, 3], [-128, 0], [-2, -4], [127, 0], [7, 9], [11, 0], [8, 10], [12, 0]];
        assert_eq!(words(&weights, [3, 2], 1), expected);
    }

    #[test]
    fn two_channels_of_one_input_interleave() {
        let weights = [1, 2, 3, 11, 12, 13, 21, 22, 23, 31, 32, 33];
        let expected = [[1, 2], [11, 12], [3, 0], [13, 0], [21, 22], [31, 32], [23, 0], [33, 0]];
        assert_eq!(words(&weights, [3, 1], 4), expected);
        assert_eq!(words(&weights, [3, 1], 2), expected);
        assert_eq!(words(&weights[..9], [3, 1], 3), [&expected[..4], &[[21, 22], [23, 0]]].concat());
    }

    #[test]
    fn tall_kernels_are_cut_if_they_have_one_column() {
        assert_eq!(Columns::of([16, 3]), Some(Columns { count: 3, steps: 8 }));
        assert_eq!(Columns::of([17, 1]), Some(Columns { count: 2, steps: 5 }));
        assert_eq!(Columns::of([17, 2]), None);
        let weights: Vec<i8> = (1..=17).collect();
        let flat: Vec<i32> = words(&weights, [17, 1], 1).into_flattened();
        assert_eq!(flat[..17], (1..=17).collect::<Vec<_>>());
        assert_eq!(flat[17..], [0; 3]);
    }

    #[test]
    fn bounds_are_found_from_weights_and_records() {
        assert!(holds(&[127; 9], 9, &[QUANT]));
        assert!(!holds(&[127; 9], 9, &[ChannelQuant { bias: (1 << 30) - 9 * 127 * 128, ..QUANT }]));
        let left = Multiplier { mantissa: 1 << 30, shift: 0 };
        assert!(!holds(&[1; 9], 9, &[ChannelQuant { multiplier: left, ..QUANT }]));
    }
}
