//! Row pairs: 3x3 depthwise kernels whose vertical neighbours stand side by side in one word.
//!
//! A dual 16-bit multiply-accumulate takes two inputs below each other times two weights below each other. For each kernel
//! column `t` a channel has two words of 16-bit weights: `(w0[t], w1[t])` and `(w1[t], w2[t])`, lower half first, where
//! `w0`, `w1`, `w2` are the kernel's rows. Weights are scaled by a power of two. Six words per channel: 2.7 bytes per
//! weight.
//!
//! Inputs are laid out in planes of words: the word of row pair `t` and column `q` holds rows `2t` and `2t + 1` of the
//! padded image, each value times 256. Output rows `2r` and `2r + 1` (stride 1), or row `r` (stride 2), need the words of
//! row pairs `r` and `r + 1` only.
//!
//! A channel's record has three words: the bias at the scale of the sums, the multiplier's mantissa, and its right shift `s`.
//! Weights are doubled and sums 512-fold.
//!
//! # Levelled channels
//!
//! Where the output's lower clamp is its zero point of -128, halves below zero need no care, and both roundings and the zero
//! point are one addend to the product's upper half. The weights of a channel that [`can_level`] are then scaled by
//! `2^(9 - s)`, so that it shifts right by 16: with `A` the sum times `2^(17 - s)` an output is
//! `(((A x mantissa) >> 32) + addend) >> 16`. The addend `2^(15 - s) - 255 x 2^15`, which is below zero, takes the shift's
//! place in the record.
//!
//! # Bounds
//!
//! [`holds`]: sums stay below 2^21, multipliers shift right by at least 1. [`can_level`]: by 1 to 9, and scaled sums stay
//! below 2^31.

use super::{nibbles, tap_pairs};
use crate::quant::{ChannelQuant, Multiplier};

/// Words of weights per channel.
pub const WEIGHT_WORDS: usize = 6;
/// Words of a channel's record.
pub const RECORD_WORDS: usize = tap_pairs::RECORD_WORDS;
/// Weights of a channel.
const TAPS: usize = 9;

/// Factor of the inputs, as a power of two.
pub const INPUT_BITS: u32 = 8;
/// The lowest bit of a levelled channel's addend is its weights' factor times two to this power.
const ADDEND_BITS: u32 = 6;
/// Right shift that levelled channels have in common.
pub const LEVEL: u32 = 16;

/// Whether channels with these 3x3 `weights` (the nine of a channel together, row by row) keep the packing's bounds for
/// any int8 input.
pub fn holds(weights: &[i8], channels: &[ChannelQuant]) -> bool {
    channels.iter().zip(weights.chunks(TAPS)).all(|(channel, weights)| {
        reach(weights, channel) < 1 << 21 && (-31..=-1).contains(&channel.multiplier.shift)
    })
}

/// Whether a channel that keeps the bounds can be levelled, if the output's zero point is -128.
pub fn can_level(weights: &[i8], channel: &ChannelQuant) -> bool {
    let shift = channel.multiplier.shift;
    (-9..=-1).contains(&shift) && reach(weights, channel) << (17 + shift) < 1 << 31
}

/// No sum of the channel is larger.
fn reach(weights: &[i8], channel: &ChannelQuant) -> i64 {
    i64::from(channel.bias).abs() + weights.iter().map(|&w| i64::from(w).abs() * 128).sum::<i64>()
}

/// Packs the channels: [`WEIGHT_WORDS`] words and [`RECORD_WORDS`] record words for each, levelled if `level` is set and the
/// channel can be. `weights` is as in [`holds`].
pub fn encode(
    weights: &[i8],
    channels: &[ChannelQuant],
    level: bool,
    words: &mut [u32],
    records: &mut [i32],
) {
    let channels = channels.iter().zip(weights.chunks(TAPS));
    let targets = words.chunks_exact_mut(WEIGHT_WORDS).zip(records.chunks_exact_mut(RECORD_WORDS));
    for ((channel, weights), (words, record)) in channels.zip(targets) {
        let shift = channel.multiplier.shift.wrapping_neg();
        let (bits, last) = if level && can_level(weights, channel) {
            // At most 9, as `can_level` says.
            let bits = 9u32.saturating_sub(shift as u32);
            (bits, (1 << (bits + ADDEND_BITS)) - (255 << 15))
        } else {
            (1, shift)
        };
        lay_out(|tap| weights.get(tap).copied().unwrap_or_default(), bits, words);
        let bias = channel.bias.wrapping_shl(INPUT_BITS + bits);
        record.copy_from_slice(&[bias, channel.multiplier.mantissa, last]);
    }
}

/// Writes the [`WEIGHT_WORDS`] words of one channel, given its weight at each of nine positions, row by row, times two to the
/// power of `bits`.
#[inline]
fn lay_out(weight: impl Fn(usize) -> i8, bits: u32, words: &mut [u32]) {
    let scaled = |tap: usize| u32::from((i32::from(weight(tap)) << bits) as u16);
    for (t, pair) in words.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        *pair = [scaled(t) | scaled(3 + t) << 16, scaled(3 + t) | scaled(6 + t) << 16];
    }
}

/// Packs the weights of channels from [`nibbles`], nine of a channel together, row by row, as their `records` ask for.
/// `words` has [`WEIGHT_WORDS`] words for each.
pub fn expand(nibbles: &[u8], records: &[i32], words: &mut [u32]) {
    let records = records.as_chunks::<RECORD_WORDS>().0;
    let channels = words.chunks_exact_mut(WEIGHT_WORDS).zip(records);
    for ((words, &[.., last]), start) in channels.zip((0..).step_by(TAPS)) {
        lay_out(|tap| nibbles::weight(nibbles, start + tap), scale_bits(last), words);
    }
}

/// Factor of a channel's weights, as a power of two, given the `last` word of its record: a levelled channel's is in the lowest
/// bit of its addend.
fn scale_bits(last: i32) -> u32 {
    if last < 0 { last.trailing_zeros().saturating_sub(ADDEND_BITS) } else { 1 }
}

/// The nine weights of a channel, row by row, from its words: scaled as they are stored.
pub fn scaled_weights(words: &[u32]) -> [i32; TAPS] {
    let mut weights = [0; TAPS];
    for (t, pair) in words.chunks_exact(2).take(3).enumerate() {
        let half = |word: u32, high: u32| i32::from((word >> (16 * high)) as i16);
        weights[t] = half(pair[0], 0);
        weights[3 + t] = half(pair[0], 1);
        weights[6 + t] = half(pair[1], 1);
    }
    weights
}

/// The output, before it is clamped, of a sum of scaled weights and inputs with the bias of the `record`.
pub fn output(sum: i32, record: &[i32], zero_point: i8) -> i32 {
    let &[_, mantissa, last] = record else { return 0 };
    if last < 0 {
        let product = (i64::from(sum) * i64::from(mantissa)) >> 32;
        return (product as i32).wrapping_add(last) >> LEVEL;
    }
    let multiplier = Multiplier { mantissa, shift: last.wrapping_neg() };
    multiplier.apply(sum >> (INPUT_BITS + 1)).wrapping_add(zero_point.into())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use proptest::prelude::*;

    use super::*;
    use crate::quant::OutputStage;

    const QUANT: ChannelQuant =
        ChannelQuant { bias: -5, multiplier: Multiplier { mantissa: 1 << 30, shift: -3 } };

    #[test]
    fn weights_and_records_round_trip() {
        let weights: [i8; 18] = core::array::from_fn(|i| if i % 4 == 0 { -128 } else { 60 - i as i8 });
        for (levelled, factor, last) in [(false, 2, 3), (true, 64, (1 << 12) - (255 << 15))] {
            let (mut words, mut records) = ([0; 12], [0; 6]);
            encode(&weights, &[QUANT; 2], levelled, &mut words, &mut records);
            for channel in 0..2 {
                let own = &weights[TAPS * channel..][..TAPS];
                let stored = scaled_weights(&words[WEIGHT_WORDS * channel..]);
                assert!(stored.iter().zip(own).all(|(&a, &b)| a == factor * i32::from(b)));
            }
            let record = [-5 * 256 * factor, 1 << 30, last];
            assert_eq!(records, [record, record].concat()[..]);
        }
    }

    #[test]
    fn nibbles_expand_to_the_words_of_their_weights() {
        let weights: [i8; 90] = core::array::from_fn(|i| (7 * i % 16) as i8 - 8);
        // Shifts that can be levelled and one that cannot.
        let channels: [ChannelQuant; 10] = core::array::from_fn(|i| {
            let multiplier = Multiplier { shift: -1 - i as i32, ..QUANT.multiplier };
            ChannelQuant { multiplier, ..QUANT }
        });
        let mut bytes = [0; 45];
        nibbles::encode(&weights, &mut bytes);
        for level in [false, true] {
            let (mut words, mut expanded, mut records) = ([0; 60], [0; 60], [0; 30]);
            encode(&weights, &channels, level, &mut words, &mut records);
            expand(&bytes, &records, &mut expanded);
            assert_eq!(expanded, words);
        }
    }

    #[test]
    fn bounds_are_found_from_weights_and_records() {
        assert!(holds(&[127; 9], &[QUANT]));
        assert!(can_level(&[100; 9], &QUANT) && !can_level(&[127; 9], &QUANT));
        assert!(!holds(&[127; 9], &[ChannelQuant { bias: (1 << 21) - 9 * 127 * 128, ..QUANT }]));
        let with_shift =
            |shift| ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift }, ..QUANT };
        assert!(!holds(&[1; 9], &[with_shift(0)]));
        assert!(can_level(&[1; 9], &with_shift(-9)) && !can_level(&[1; 9], &with_shift(-10)));
    }

    proptest! {
        #[test]
        fn levelled_channels_give_the_two_roundings(
            sum in -(1i32 << 21)..1 << 21,
            mantissa in 1i32 << 30..i32::MAX,
            shift in 1i32..=9,
            scale in 0u32..21,
        ) {
            let sum = (sum >> scale).clamp(-(1 << (14 + shift)) + 1, (1 << (14 + shift)) - 1);
            let multiplier = Multiplier { mantissa, shift: -shift };
            let mut record = [0; 3];
            encode(&[0; 9], &[ChannelQuant { bias: 0, multiplier }], true, &mut [0; 6], &mut record);
            let got = output(sum << (17 - shift), &record, -128).clamp(-128, 127);
            prop_assert_eq!(got as i8, OutputStage::new(-128).finish(multiplier.apply(sum)));
        }
    }
}
