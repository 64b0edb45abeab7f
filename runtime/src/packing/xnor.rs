//! Weights of -1 and +1, one bit each, for inputs of -1 and +1: a product is whether two bits agree.
//!
//! A channel's weights follow each other in their own order, weight `k` in bit `k % 8` of byte `k / 8`, set for -1; the last
//! byte is filled up with zeros. After the last channel there are as many bytes as it takes to read that one in whole words.
//!
//! A channel's record has three words: twice the bias, mantissa and right shift of the multiplier; the latter is below zero
//! where sums are shifted left, which those of so small products often are.
//!
//! Inputs become two bits: whether they are below zero, and whether they count. Padding is 0, which one bit cannot say.
//!
//! # Bounds
//!
//! [`holds`]: sums stay below 2^30 when they are shifted left.

use super::tap_pairs;
use crate::quant::ChannelQuant;

/// Words of a channel's record.
pub const RECORD_WORDS: usize = tap_pairs::RECORD_WORDS;

/// Bytes of a channel's weights.
pub const fn row_bytes(inputs: usize) -> usize {
    inputs.div_ceil(8)
}

/// Words of the bits of so many inputs.
pub const fn words(inputs: usize) -> usize {
    inputs.div_ceil(32)
}

/// Bytes of the weights of all channels; `None` for more than there can be.
pub fn weight_bytes(channels: usize, inputs: usize) -> Option<usize> {
    channels.checked_mul(row_bytes(inputs))?.checked_add(4 * words(inputs) - row_bytes(inputs))
}

/// Whether the channels with these `weights` (one row of `inputs` per channel) are -1 and +1 and keep the packing's bounds.
pub fn holds(weights: &[i8], inputs: usize, channels: &[ChannelQuant]) -> bool {
    let bounded = |channel: &ChannelQuant| {
        let reach = i64::from(channel.bias).abs() + inputs as i64;
        let shift = channel.multiplier.shift;
        (-31..=30).contains(&shift) && reach << shift.max(0) < 1 << 30
    };
    weights.iter().all(|&weight| weight == 1 || weight == -1) && channels.iter().all(bounded)
}

/// Packs rows of `inputs` weights of -1 and +1. `bytes` has [`weight_bytes`], `records` [`RECORD_WORDS`] for each channel.
pub fn encode(
    weights: &[i8],
    inputs: usize,
    channels: &[ChannelQuant],
    bytes: &mut [u8],
    records: &mut [i32],
) {
    for (record, channel) in records.as_chunks_mut().0.iter_mut().zip(channels) {
        *record = tap_pairs::record(channel);
    }
    let rows = weights.chunks(inputs.max(1)).zip(bytes.chunks_mut(row_bytes(inputs).max(1)));
    for (row, bytes) in rows {
        for (byte, weights) in bytes.iter_mut().zip(row.chunks(8)) {
            *byte = weights.iter().rev().fold(0, |bits, &weight| bits << 1 | u8::from(weight < 0));
        }
    }
}

/// The weights of a row's byte.
pub fn decode(byte: u8) -> [i8; 8] {
    core::array::from_fn(|k| if byte >> k & 1 == 1 { -1 } else { 1 })
}

/// Bits of 32 inputs.
pub type Bits = [u32; 2];

/// Bits of inputs of -1, 0 and +1, 32 in each element of `bits`, of which there are [`words`]: which are below zero, and which
/// are not zero. Gives how many these are.
pub fn lay_out(input: &[i8], bits: &mut [Bits]) -> u32 {
    let mut counted = 0;
    for (bits, values) in bits.iter_mut().zip(input.chunks(32)) {
        let (whole, rest) = values.as_chunks::<4>();
        let mut last = [0; 4];
        for (byte, &value) in last.iter_mut().zip(rest) {
            *byte = value;
        }
        let [mut negative, mut counts] = [0; 2];
        for (values, shift) in whole.iter().chain([&last]).zip((0..32u32).step_by(4)) {
            let word = u32::from_le_bytes(values.map(|value| value as u8));
            negative |= gathered(word >> 7) << shift;
            // -1 and +1 are the odd ones.
            counts |= gathered(word) << shift;
        }
        *bits = [negative, counts];
        counted += counts.count_ones();
    }
    counted
}

/// The lowest bits of a word's bytes, side by side.
#[inline(always)]
fn gathered(word: u32) -> u32 {
    // Each byte's bit has one factor that moves it to its place; what the others make of it stays below or leaves the word.
    (word & 0x0101_0101).wrapping_mul(0x1020_4080) >> 28
}

/// The portable reader: a row's weights times the inputs that these bits stand for, `counted` of which are not zero.
#[inline]
pub fn dot(row: &[u8], input: &[Bits], counted: u32) -> i32 {
    /// Words whose bits each byte of a sum can count.
    const MOST: usize = 31;
    let (words, rest) = row.as_chunks();
    let mut differing = 0;
    for (words, input) in words.chunks(MOST).zip(input.chunks(MOST)) {
        let bytes = words.iter().zip(input).fold(0u32, |bytes, (&weights, &bits)| {
            bytes.wrapping_add(bits_of_bytes(disagreement(u32::from_le_bytes(weights), bits)))
        });
        differing +=
            (bytes & 0x00ff_00ff).wrapping_add(bytes >> 8 & 0x00ff_00ff).wrapping_mul(0x1_0001) >> 16;
    }
    if let Some(&bits) = input.get(words.len()) {
        let weights = rest.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
        differing += disagreement(weights, bits).count_ones();
    }
    counted.wrapping_sub(differing.wrapping_mul(2)) as i32
}

/// Where weights and inputs that count have different signs.
#[inline(always)]
fn disagreement(weights: u32, [negative, counts]: Bits) -> u32 {
    (weights ^ negative) & counts
}

/// How many bits of each byte are set.
#[inline(always)]
fn bits_of_bytes(word: u32) -> u32 {
    let pairs = word - (word >> 1 & 0x5555_5555);
    let nibbles = (pairs & 0x3333_3333) + (pairs >> 2 & 0x3333_3333);
    (nibbles + (nibbles >> 4)) & 0x0f0f_0f0f
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::quant::Multiplier;

    #[test]
    fn bits_stand_in_the_order_of_the_weights() {
        let (mut bytes, mut records) = ([0; 6], [0; 6]);
        let weights = [-1, 1, 1, 1, 1, 1, 1, -1, -1, 1, 1, 1, 1, 1, 1, 1, 1, -1];
        let quant = ChannelQuant { bias: -5, multiplier: Multiplier { mantissa: 1 << 30, shift: -3 } };
        encode(&weights, 9, &[quant; 2], &mut bytes, &mut records);
        assert_eq!(weight_bytes(2, 9), Some(6));
        assert_eq!(bytes, [0x81, 0x01, 0x00, 0x01, 0, 0]);
        assert_eq!(records, [-10, 1 << 30, 3, -10, 1 << 30, 3]);
        assert!(holds(&weights, 9, &[quant; 2]));
        assert!(!holds(&[0; 9], 9, &[quant]));
        let left = |shift| ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift }, ..quant };
        assert!(holds(&weights, 9, &[left(0), left(26)]));
        assert!(!holds(&weights, 9, &[left(27)]));
        assert_eq!(decode(0x81), [-1, 1, 1, 1, 1, 1, 1, -1]);
    }

    proptest! {
        #[test]
        fn bits_give_the_plain_sums(
            seed in prop::collection::vec((any::<bool>(), -1i8..=1), 1..2500),
            equal: bool,
        ) {
            let weights: Vec<i8> = seed.iter().map(|s| if s.0 || equal { 1 } else { -1 }).collect();
            let input: Vec<i8> = seed.iter().map(|s| if equal { -1 } else { s.1 }).collect();
            let mut row = vec![0; weight_bytes(1, weights.len()).unwrap()];
            encode(&weights, weights.len(), &[], &mut row, &mut []);
            let mut bits = vec![[u32::MAX; 2]; words(weights.len())];
            let counted = lay_out(&input, &mut bits);
            let plain: i32 = weights.iter().zip(&input).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
            prop_assert_eq!(dot(&row, &bits, counted), plain);
            let row = &row[..row_bytes(weights.len())];
            prop_assert_eq!(dot(row, &bits, counted), plain);
        }
    }
}
