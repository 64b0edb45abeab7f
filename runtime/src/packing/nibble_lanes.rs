//! Nibble lanes: int4 weights of four output channels in one 16-bit lane, half a byte per weight.
//!
//! A word holds two lanes for two consecutive inputs `k`, `k + 1`; the lane of input `k` is `4096 x w3[k] + 256 x n2[k] +
//! 16 x n1[k] + n0[k]` with digits `n = w + 8` of 0 to 15. A dual 16-bit multiply-accumulate of the raw word with two
//! 16-bit inputs adds to `F`, of the word's low bytes to `G`, of its even nibbles to `H`, of the even nibbles of the low
//! bytes to `N`. With sums of digits `N1`, `N2` that is `G = 16 x N1 + N`, `H = 256 x N2 + N` and `F = 4096 x S3 + H + G - N`:
//! three unpacking instructions serve eight weights. The digits' excess of 8 is taken out at the end, with the sum of the
//! inputs, which is the same for all channels.
//!
//! # Layout
//!
//! Output channels are cut into groups of four, or of eight; a group of eight has two quads. The weights
//! of a group are, for each input pair, one word per quad. Inputs are padded to an even number, groups to their size, with
//! weights of zero. The record of a group has [`RECORD_WORDS`] words per channel: for each quad the initial values of `F`,
//! `G`, `H` and `N`, then for each channel mantissa and right shift of its multiplier and a zero.
//!
//! # Bounds
//!
//! [`holds`] decides whether channels can be packed: sums of the four channels of a quad stay below 2^30, 2^27, 2^23 and
//! 2^19, and multipliers shift right by at least 1. What arises on the way is right modulo 2^32.

use super::lanes::{NO_CHANNEL, groups, pairs, put, sum_range};
use crate::quant::{ChannelQuant, Multiplier};

/// Channels of a quad, which share words.
pub const QUAD: usize = 4;

/// Words of a group's record per channel.
pub const RECORD_WORDS: usize = super::lanes::RECORD_WORDS;

/// What digits exceed weights by.
const EXCESS: i32 = 8;

/// Sums of each channel of a quad stay below two to the power of this.
const SUM_BITS: [u32; QUAD] = [30, 27, 23, 19];

/// Words of packed weights for `channels` rows of `inputs`.
pub fn weight_words(channels: usize, inputs: usize) -> usize {
    channels.div_ceil(QUAD) * pairs(inputs)
}

/// Words of all group records.
pub fn record_words(channels: usize) -> usize {
    channels.next_multiple_of(QUAD) * RECORD_WORDS
}

/// Whether the channels with these `weights` (one row of `inputs` per channel) are int4 and keep the packing's bounds for
/// any int8 input.
pub fn holds(weights: &[i8], inputs: usize, channels: &[ChannelQuant]) -> bool {
    channels.iter().zip(SUM_BITS.into_iter().cycle()).enumerate().all(|(channel, (quant, bits))| {
        let row = weights.get(channel * inputs..(channel + 1) * inputs).unwrap_or_default();
        let (low, high) = sum_range(row, quant.bias);
        let limit = 1 << bits;
        let fits = row.iter().all(|weight| (-8..=7).contains(weight));
        fits && -limit < low && high < limit && (-31..=-1).contains(&quant.multiplier.shift)
    })
}

/// Packs `channels.len()` rows of `inputs` weights, in groups of at most `largest` channels. `words` has [`weight_words`],
/// `records` [`record_words`] elements. Nothing is written past the shorter of what is given and what is needed.
pub fn encode(
    weights: &[i8],
    inputs: usize,
    channels: &[ChannelQuant],
    largest: usize,
    words: &mut [u32],
    records: &mut [i32],
) {
    let weight = |channel: usize, k: usize| {
        let weight = if k < inputs { weights.get(channel * inputs + k) } else { None };
        i32::from(weight.copied().unwrap_or(0))
    };
    let quant = |channel: usize| channels.get(channel).copied().unwrap_or(NO_CHANNEL);
    let (mut words, mut records) = (words.iter_mut(), records.iter_mut());
    for (start, size) in groups::<QUAD>(channels.len(), largest) {
        for pair in 0..pairs(inputs) {
            for quad in (start..start + size).step_by(QUAD) {
                let lane = |k: usize| {
                    let digit = |channel: usize| weight(quad + channel, k) + EXCESS;
                    let lane = 4096 * weight(quad + 3, k) + 256 * digit(2) + 16 * digit(1) + digit(0);
                    u32::from(lane as u16)
                };
                if let Some(word) = words.next() {
                    *word = lane(2 * pair) | lane(2 * pair + 1) << 16;
                }
            }
        }
        for quad in (start..start + size).step_by(QUAD) {
            let [b0, b1, b2, b3] = [0, 1, 2, 3].map(|channel| quant(quad + channel).bias);
            let low = b0.wrapping_add(b1.wrapping_mul(16));
            let even = b0.wrapping_add(b2.wrapping_mul(256));
            let upper = b2.wrapping_mul(256).wrapping_add(b3.wrapping_mul(4096));
            for value in [low.wrapping_add(upper), low, even, b0] {
                put(&mut records, value);
            }
        }
        for channel in start..start + size {
            let Multiplier { mantissa, shift } = quant(channel).multiplier;
            for value in [mantissa, shift.wrapping_neg(), 0] {
                put(&mut records, value);
            }
        }
    }
}

/// One group's sums for `PIXELS` vectors of inputs: the portable reader of the packing. `SIZE` is 4 or 8.
///
/// `words` are the group's weights, `record` its record; `input` holds, for each pair of inputs, two values of each vector.
#[inline(always)]
pub fn sums<const SIZE: usize, const PIXELS: usize>(
    words: &[u32],
    record: &[i32],
    input: &[i16],
) -> [[i32; SIZE]; PIXELS] {
    // `F`, `G`, `H` and `N` of each quad, one after another.
    let mut sums = [[0i32; SIZE]; PIXELS];
    let mut excess = [0i32; PIXELS];
    for (words, input) in words.chunks_exact((SIZE / QUAD).max(1)).zip(input.chunks_exact(2 * PIXELS)) {
        for ((sums, excess), x) in sums.iter_mut().zip(&mut excess).zip(input.as_chunks::<2>().0) {
            *excess = dual_multiply_add([EXCESS; 2], *x, *excess);
            for (sums, &word) in sums.as_chunks_mut::<QUAD>().0.iter_mut().zip(words) {
                let lanes = [word as u16, (word >> 16) as u16];
                let masked = |mask: u16| lanes.map(|lane| i32::from(lane & mask));
                let parts =
                    [lanes.map(|lane| i32::from(lane as i16)), masked(0xff), masked(0xf0f), masked(0xf)];
                for (sum, part) in sums.iter_mut().zip(parts) {
                    *sum = dual_multiply_add(part, *x, *sum);
                }
            }
        }
    }
    for (sums, &excess) in sums.iter_mut().zip(&excess) {
        let quads = sums.as_chunks_mut::<QUAD>().0;
        for (sums, initial) in quads.iter_mut().zip(record.as_chunks::<QUAD>().0) {
            for (sum, initial) in sums.iter_mut().zip(initial) {
                *sum = sum.wrapping_add(*initial);
            }
            *sums = taken_apart(*sums, excess);
        }
    }
    sums
}

/// The sums of a quad's channels from its `F`, `G`, `H` and `N`, where `excess` is 8 times the sum of the inputs.
#[inline(always)]
fn taken_apart([full, low, even, lowest]: [i32; QUAD], excess: i32) -> [i32; QUAD] {
    let even = even.wrapping_sub(lowest);
    let upper = full.wrapping_sub(low).wrapping_sub(even);
    let low = low.wrapping_sub(lowest);
    let without = |sum: i32, bits: u32| sum.wrapping_sub(excess << bits) >> bits;
    [lowest.wrapping_sub(excess), without(low, 4), without(even, 8), upper >> 12]
}

#[inline(always)]
fn dual_multiply_add(weights: [i32; 2], inputs: [i16; 2], sum: i32) -> i32 {
    weights.iter().zip(inputs).fold(sum, |sum, (&w, x)| sum.wrapping_add(w * i32::from(x)))
}

/// The weights of four channels for two inputs: `[input][channel]`.
pub fn decode(word: u32) -> [[i8; QUAD]; 2] {
    [word as u16, (word >> 16) as u16].map(|lane| {
        let digit = |channel: u32| ((lane >> (4 * channel) & 15) as i8).wrapping_sub(EXCESS as i8);
        [digit(0), digit(1), digit(2), (lane as i16 >> 12) as i8]
    })
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
    fn words_hold_digits_of_four_channels() {
        let weights = [-8, 7, 0, -8, 7, 3, -1, 1];
        let (mut words, mut records) = ([0; 1], [0; 12]);
        let channels = [quant(1), quant(-2), quant(3), quant(-4)];
        encode(&weights, 2, &channels, 4, &mut words, &mut records);
        assert_eq!(words, [0x1b0f_ff80]);
        assert_eq!(decode(words[0]), [[-8, 0, 7, -1], [7, -8, 3, 1]]);
        assert_eq!(records[..4], [1 - 32 + 768 - 16384, 1 - 32, 1 + 768, 1]);
        assert_eq!(records[4..6], [1 << 30, 5]);
    }

    #[test]
    fn bounds_are_found_from_the_weights() {
        let far = vec![7i8; 4 * 600];
        assert!(!holds(&far, 600, &[quant(0); 4]), "600 x 7 x 128 exceeds 2^19 in the fourth channel");
        assert!(holds(&far, 600, &[quant(0); 3]));
        assert!(!holds(&far, 600, &[quant(0), quant(0), quant(1 << 23)]));
        assert!(!holds(&far, 600, &[quant(0), quant(1 << 27)]));
        assert!(holds(&far, 600, &[quant(1 << 27), quant(1 << 26), quant(1 << 22)]));
        assert!(!holds(&[8], 1, &[quant(0)]));
        let left = ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift: 0 }, ..quant(0) };
        assert!(!holds(&[1], 1, &[left]), "no right shift");
    }

    proptest! {
        #[test]
        fn lanes_give_the_plain_sums(
            channels in 1usize..20,
            inputs in 1usize..40,
            largest in prop::sample::select(vec![4usize, 8]),
            seed in prop::collection::vec(any::<(i8, i8)>(), 800),
            biases in prop::collection::vec(-480_000i32..480_000, 20),
            beyond: i16,
        ) {
            let weights: Vec<i8> = seed.iter().map(|s| s.0 >> 4).take(channels * inputs).collect();
            let input: Vec<i8> = seed.iter().map(|s| s.1).take(inputs).collect();
            let quants: Vec<_> = biases.iter().take(channels).map(|&b| quant(b)).collect();
            prop_assert!(holds(&weights, inputs, &quants));
            let mut words = vec![0; weight_words(channels, inputs)];
            let mut records = vec![0; record_words(channels)];
            encode(&weights, inputs, &quants, largest, &mut words, &mut records);
            // Whatever stands beside the last input has no effect.
            let mut wide: Vec<i16> = input.iter().map(|&x| x.into()).collect();
            wide.resize(2 * pairs(inputs), beyond);
            let (mut words, mut records) = (&words[..], &records[..]);
            for (start, size) in groups::<QUAD>(channels, largest) {
                let (own_words, rest) = words.split_at(size / QUAD * pairs(inputs));
                let (record, tail) = records.split_at(size * RECORD_WORDS);
                (words, records) = (rest, tail);
                let got = match size {
                    4 => sums::<4, 1>(own_words, record, &wide)[0].to_vec(),
                    _ => sums::<8, 1>(own_words, record, &wide)[0].to_vec(),
                };
                for (channel, &got) in got.iter().enumerate().take(channels - start) {
                    let row = &weights[(start + channel) * inputs..][..inputs];
                    let plain: i32 = row.iter().zip(&input).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                    prop_assert_eq!(got, plain + quants[start + channel].bias);
                }
            }
            prop_assert!(words.is_empty() && records.is_empty());
        }
    }
}
