//! Row pairs: 3x3 depthwise kernels whose vertical neighbours stand side by side in one word.
//!
//! A dual 16-bit multiply-accumulate takes two inputs below each other times two weights below each other. For each kernel
//! column `t` a channel has two words of 16-bit weights: `(w0[t], w1[t])` and `(w1[t], w2[t])`, lower half first, where
//! `w0`, `w1`, `w2` are the kernel's rows. Weights and bias are doubled, which leaves sums as the requantization wants
//! them. Six words per channel: 2.7 bytes per weight.
//!
//! Inputs are laid out in planes of words: the word of row pair `t` and column `q` holds rows `2t` and `2t + 1` of the
//! padded image. Output rows `2r` and `2r + 1` (stride 1), or row `r` (stride 2), need the words of row pairs `r` and
//! `r + 1` only.
//!
//! A channel's record has three words: twice the bias, mantissa and right shift of the multiplier.
//!
//! # Bounds
//!
//! [`holds`]: sums stay below 2^30, multipliers shift right by at least 1.

use super::{nibbles, tap_pairs};
use crate::quant::ChannelQuant;

/// Words of weights per channel.
pub const WEIGHT_WORDS: usize = 6;
/// Words of a channel's record.
pub const RECORD_WORDS: usize = tap_pairs::RECORD_WORDS;
/// Weights of a channel.
const TAPS: usize = 9;

/// Whether channels with these 3x3 `weights` (the nine of a channel together, row by row) keep the packing's bounds for
/// any int8 input.
pub fn holds(weights: &[i8], channels: &[ChannelQuant]) -> bool {
    tap_pairs::holds(weights, TAPS, channels)
}

/// Packs the channels: [`WEIGHT_WORDS`] words and [`RECORD_WORDS`] record words for each. `weights` is as in [`holds`].
pub fn encode(weights: &[i8], channels: &[ChannelQuant], words: &mut [u32], records: &mut [i32]) {
    let channels = channels.iter().zip(weights.chunks(TAPS));
    let targets = words.chunks_exact_mut(WEIGHT_WORDS).zip(records.chunks_exact_mut(RECORD_WORDS));
    for ((channel, weights), (words, record)) in channels.zip(targets) {
        lay_out(|tap| weights.get(tap).copied().unwrap_or_default(), words);
        record.copy_from_slice(&tap_pairs::record(channel));
    }
}

/// Writes the [`WEIGHT_WORDS`] words of one channel, given its weight at each of nine positions, row by row.
#[inline]
fn lay_out(weight: impl Fn(usize) -> i8, words: &mut [u32]) {
    let twice = |tap: usize| u32::from((2 * i16::from(weight(tap))) as u16);
    for (t, pair) in words.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        *pair = [twice(t) | twice(3 + t) << 16, twice(3 + t) | twice(6 + t) << 16];
    }
}

/// Packs the weights of channels from [`nibbles`](super::nibbles), nine of a channel together, row by row. `words` has
/// [`WEIGHT_WORDS`] words for each.
pub fn expand(nibbles: &[u8], words: &mut [u32]) {
    for (words, start) in words.chunks_exact_mut(WEIGHT_WORDS).zip((0..).step_by(TAPS)) {
        lay_out(|tap| nibbles::weight(nibbles, start + tap), words);
    }
}

/// The nine weights of a channel, row by row, from its words.
pub fn decode(words: &[u32]) -> [i32; TAPS] {
    let mut weights = [0; TAPS];
    for (t, pair) in words.chunks_exact(2).take(3).enumerate() {
        let half = |word: u32, high: u32| i32::from((word >> (16 * high)) as i16) / 2;
        weights[t] = half(pair[0], 0);
        weights[3 + t] = half(pair[0], 1);
        weights[6 + t] = half(pair[1], 1);
    }
    weights
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::quant::Multiplier;

    const QUANT: ChannelQuant =
        ChannelQuant { bias: -5, multiplier: Multiplier { mantissa: 1 << 30, shift: -3 } };

    #[test]
    fn weights_and_records_round_trip() {
        let weights: [i8; 18] = core::array::from_fn(|i| if i % 2 == 0 { -128 } else { 127 - i as i8 });
        let (mut words, mut records) = ([0; 12], [0; 6]);
        encode(&weights, &[QUANT; 2], &mut words, &mut records);
        for channel in 0..2 {
            let own = &weights[TAPS * channel..][..TAPS];
            assert!(
                decode(&words[WEIGHT_WORDS * channel..]).iter().zip(own).all(|(&a, &b)| a == i32::from(b))
            );
        }
        assert_eq!(records, [-10, 1 << 30, 3, -10, 1 << 30, 3]);
    }

    #[test]
    fn bounds_are_found_from_weights_and_records() {
        assert!(holds(&[127; 9], &[QUANT]));
        assert!(!holds(&[127; 9], &[ChannelQuant { bias: (1 << 30) - 9 * 127 * 128, ..QUANT }]));
        let left = Multiplier { mantissa: 1 << 30, shift: 0 };
        assert!(!holds(&[1; 9], &[ChannelQuant { multiplier: left, ..QUANT }]));
    }
}
