//! Signs: weights of -1 and +1, one bit each, for int8 inputs.
//!
//! Inputs are taken as unsigned bytes `u = x + 128`, four in a word. A weight of +1 stands for a mask of 0, one of -1 for a
//! mask of 255: `|u - mask|` is `u` or `255 - u`, so a sum of absolute differences of bytes adds up four products, but for
//! what does not depend on the inputs: `sum of w x = sum of |u - mask| - 128 inputs + weights of -1`.
//!
//! # Layout
//!
//! Channels are taken in pairs, a last one with a channel of +1. The masks of a pair are, for each four inputs, one word of
//! the lower and one of the upper channel; those of all pairs follow each other. Of eight masks, one word of the file holds
//! the bits: mask `m` is bit `m % 8` of each byte of word `m / 8`, set for -1. Inputs are padded to a multiple of four with
//! `u = 0` and weights of +1, which add nothing. Apart from that a weight takes one bit.
//!
//! The record of a pair has six words: for each channel the initial value of its sum, then for each mantissa and right shift
//! of its multiplier.
//!
//! # Bounds
//!
//! [`holds`]: sums stay below 2^30, multipliers shift right by at least 1.

use crate::quant::{ChannelQuant, Multiplier};

/// Words of a pair's record.
pub const RECORD_WORDS: usize = 6;

/// Masks that share a word of the file.
pub(crate) const SHARED: usize = 8;

/// One bit of each byte.
const ONES: u32 = 0x0101_0101;

/// Words of four inputs each.
pub const fn quads(inputs: usize) -> usize {
    inputs.div_ceil(4)
}

/// Masks of a pair of channels.
pub const fn masks(inputs: usize) -> usize {
    2 * quads(inputs)
}

/// Words of packed weights for `channels` rows of `inputs`; `None` for more than there can be.
pub fn weight_words(channels: usize, inputs: usize) -> Option<usize> {
    Some(channels.div_ceil(2).checked_mul(masks(inputs))?.div_ceil(SHARED))
}

/// Words of all records.
pub fn record_words(channels: usize) -> Option<usize> {
    channels.div_ceil(2).checked_mul(RECORD_WORDS)
}

/// Whether the channels with these `weights` (one row of `inputs` per channel) are -1 and +1 and keep the packing's bounds
/// for any int8 input.
pub fn holds(weights: &[i8], inputs: usize, channels: &[ChannelQuant]) -> bool {
    let bounded = |channel: &ChannelQuant| {
        let reach = i64::from(channel.bias).abs() + 256 * inputs as i64;
        reach < 1 << 30 && (-31..=-1).contains(&channel.multiplier.shift)
    };
    weights.iter().all(|&weight| weight == 1 || weight == -1) && channels.iter().all(bounded)
}

/// Packs `channels.len()` rows of `inputs` weights. `words` has [`weight_words`], `records` [`record_words`] elements.
/// Nothing is written past the shorter of what is given and what is needed.
pub fn encode(
    weights: &[i8],
    inputs: usize,
    channels: &[ChannelQuant],
    words: &mut [u32],
    records: &mut [i32],
) {
    let row = |channel: usize| weights.get(channel * inputs..(channel + 1) * inputs).unwrap_or_default();
    words.fill(0);
    for channel in 0..channels.len() {
        let first = channel / 2 * masks(inputs) + channel % 2;
        for (k, _) in row(channel).iter().enumerate().filter(|&(_, &weight)| weight < 0) {
            let mask = first + k / 4 * 2;
            if let Some(word) = words.get_mut(mask / SHARED) {
                *word |= 1 << (8 * (k % 4) + mask % SHARED);
            }
        }
    }
    for (pair, record) in records.as_chunks_mut::<RECORD_WORDS>().0.iter_mut().enumerate() {
        let channel = |channel: usize| {
            let negative = row(channel).iter().filter(|&&weight| weight < 0).count();
            let beside = (negative as i32).wrapping_sub(128i32.wrapping_mul(inputs as i32));
            channels.get(channel).map_or([0, 0, 1], |quant| {
                let Multiplier { mantissa, shift } = quant.multiplier;
                [quant.bias.wrapping_add(beside), mantissa, shift.wrapping_neg()]
            })
        };
        let ([bias0, mantissa0, shift0], [bias1, mantissa1, shift1]) =
            (channel(2 * pair), channel(2 * pair + 1));
        *record = [bias0, bias1, mantissa0, shift0, mantissa1, shift1];
    }
}

/// The masks from number `first` on, as many as `masks` has places.
pub fn expand(words: &[u32], first: usize, masks: &mut [u32]) {
    let mut words = words.get(first / SHARED..).unwrap_or_default().iter();
    let (mut bits, mut left) = (0, 0);
    if !first.is_multiple_of(SHARED) {
        bits = words.next().copied().unwrap_or_default() >> (first % SHARED);
        left = SHARED - first % SHARED;
    }
    for mask in masks {
        if left == 0 {
            (bits, left) = (words.next().copied().unwrap_or_default(), SHARED);
        }
        *mask = (bits & ONES).wrapping_mul(255);
        (bits, left) = (bits >> 1, left - 1);
    }
}

/// Writes int8 inputs as unsigned bytes, four in a word and words `step` apart, as far as `output` reaches.
pub fn lay_out(input: &[i8], step: usize, output: &mut [u32]) {
    for (word, values) in output.iter_mut().step_by(step.max(1)).zip(input.chunks(4)) {
        let mut bytes = [0; 4];
        for (byte, &value) in bytes.iter_mut().zip(values) {
            *byte = value as u8 ^ 0x80;
        }
        *word = u32::from_le_bytes(bytes);
    }
}

/// The portable reader: sums of absolute differences of the pair's channels, from its masks and from inputs in words `step`
/// apart.
pub fn sums(masks: &[u32], input: &[u32], step: usize) -> [i32; 2] {
    /// Words whose bytes' sums fit 16 bits in pairs.
    const MOST: usize = 128;
    const EVEN: u32 = 0x00ff_00ff;
    let mut sums = [0u32; 2];
    for (masks, input) in masks.as_chunks::<2>().0.chunks(MOST).zip(input.chunks(MOST * step.max(1))) {
        let mut parts = [0u32; 2];
        for (masks, &x) in masks.iter().zip(input.iter().step_by(step.max(1))) {
            for (part, mask) in parts.iter_mut().zip(masks) {
                // The absolute difference from 0 or 255.
                let bytes = x ^ mask;
                *part = part.wrapping_add(bytes & EVEN).wrapping_add(bytes >> 8 & EVEN);
            }
        }
        for (sum, part) in sums.iter_mut().zip(parts) {
            *sum = sum.wrapping_add((part & 0xffff) + (part >> 16));
        }
    }
    sums.map(|sum| sum as i32)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn quant(bias: i32) -> ChannelQuant {
        ChannelQuant { bias, multiplier: Multiplier { mantissa: 1 << 30, shift: -5 } }
    }

    #[test]
    fn words_hold_the_bits_of_eight_masks() {
        // Two channels of eight inputs: four masks.
        let weights = [-1, 1, 1, -1, 1, 1, 1, 1, 1, -1, 1, 1, -1, -1, -1, -1];
        let (mut words, mut records) = ([7; 1], [0; 6]);
        encode(&weights, 8, &[quant(5), quant(-3)], &mut words, &mut records);
        assert_eq!(weight_words(2, 8), Some(1));
        assert_eq!(words, [0x0908_0a09]);
        let mut masks = [0; 4];
        expand(&words, 0, &mut masks);
        assert_eq!(masks, [0xff00_00ff, 0x0000_ff00, 0, 0xffff_ffff]);
        assert_eq!(records, [5 - 1024 + 2, -3 - 1024 + 5, 1 << 30, 5, 1 << 30, 5]);
    }

    #[test]
    fn bounds_are_found_from_weights_and_records() {
        assert!(holds(&[1, -1], 2, &[quant(1 << 29)]));
        assert!(!holds(&[1, 0], 2, &[quant(0)]));
        assert!(!holds(&[1, -1], 2, &[quant((1 << 30) - 512)]));
        let left = ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift: 0 }, ..quant(0) };
        assert!(!holds(&[1], 1, &[left]));
    }

    proptest! {
        #[test]
        fn masks_give_the_plain_sums(
            channels in 1usize..9,
            inputs in 1usize..700,
            step in 1usize..5,
            seed in prop::collection::vec(any::<(bool, i8)>(), 9 * 700),
            extreme: bool,
        ) {
            let weights: Vec<i8> =
                seed.iter().map(|s| if s.0 { 1 } else { -1 }).take(channels * inputs).collect();
            let input: Vec<i8> =
                seed.iter().map(|s| if extreme { -128 } else { s.1 }).take(inputs).collect();
            let quants: Vec<_> = (0..channels).map(|channel| quant(channel as i32 * 1000)).collect();
            let mut words = vec![0; weight_words(channels, inputs).unwrap()];
            let mut records = vec![0; record_words(channels).unwrap()];
            encode(&weights, inputs, &quants, &mut words, &mut records);
            let mut laid_out = vec![0x5a5a_5a5a; quads(inputs) * step];
            lay_out(&input, step, &mut laid_out);
            for pair in 0..channels.div_ceil(2) {
                let mut own = vec![0; masks(inputs)];
                expand(&words, pair * masks(inputs), &mut own);
                let got = sums(&own, &laid_out, step);
                for channel in 2 * pair..channels.min(2 * pair + 2) {
                    let row = &weights[channel * inputs..][..inputs];
                    let plain: i32 = row.iter().zip(&input).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                    let initial = records[RECORD_WORDS * pair + channel % 2];
                    prop_assert_eq!(got[channel % 2] + initial, plain + quants[channel].bias);
                }
            }
        }
    }
}
