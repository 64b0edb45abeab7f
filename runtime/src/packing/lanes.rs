//! Byte-pair lanes: int8 weights of two output channels in one 16-bit lane, one byte per weight.
//!
//! A word holds two lanes for two consecutive inputs `k`, `k + 1`; the lane of input `k` is `256 x w1[k] + w0[k]`, where
//! `w0` belongs to the lower channel of a pair and `w1` to the upper one. A dual 16-bit multiply-accumulate of the raw word
//! with two 16-bit inputs adds to `F = 256 x S1 + S0`; with the sign-extended low bytes it adds to `S0`. After the last
//! input `S1 = (F - S0) >> 8`: one unpacking instruction serves four weights.
//!
//! # Layout
//!
//! Output channels are cut into groups of a largest size, 4 or 8, and smaller ones at the end; a group of
//! size `G` has `G / 2` pairs. The weights of a group are, for each input pair, `G / 2` words. Inputs are padded to an
//! even number with zero weights, groups to their size with zero channels. The record of a group has `4 G` words: for each
//! channel pair the initial values of `F` and `S0`, then for each channel mantissa and right shift `s` of its multiplier
//! and an addend.
//!
//! # Addends
//!
//! Where the output's lower clamp is its zero point of -128, halves below zero need no care, and both roundings and the
//! zero point are one addend to the product's upper half: with `d = 2^(s - 1) - 128 x 2^s` an output is
//! `((2 x S0 x mantissa + 2^31) >> 32) + d) >> s` of a lower channel. An upper one has 128 times that sum at hand,
//! `256 x S1`, and 128 times the addend and half a unit, `128 x d + 64`, without rounding first; so it shifts by 7 more.
//!
//! # Bounds
//!
//! [`holds`] decides whether channels can be packed: every lane fits 16 bits, upper sums stay below 2^23, all sums
//! below 2^30, and multipliers shift right by 1 to [`MOST_SHIFT`].

use crate::quant::{ChannelQuant, Multiplier};

/// Words of a group's record per channel.
pub const RECORD_WORDS: usize = 4;
/// Words of a channel in a record, behind the initial values.
const CHANNEL_WORDS: usize = 3;
/// Largest right shift whose addends fit 32 bits with what they are added to.
pub const MOST_SHIFT: i32 = 16;

/// Input pairs for `inputs` inputs.
pub const fn pairs(inputs: usize) -> usize {
    inputs.div_ceil(2)
}

/// Channels of a pair, which share words.
const PAIR: usize = 2;

/// Size of the next group where `left` channels are left, `PER_WORD` of which, 2 or 4, share words.
#[inline]
pub(crate) const fn group_size<const PER_WORD: usize>(left: usize, largest: usize) -> usize {
    if left >= largest {
        largest
    } else if left > PER_WORD {
        4
    } else {
        PER_WORD
    }
}

/// The groups of `channels` output channels, `PER_WORD` of which share words: first channel and size, which is `largest` (4 or
/// 8) or, at the end, 4 or `PER_WORD`.
pub(super) fn groups<const PER_WORD: usize>(
    channels: usize,
    largest: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let left = channels.checked_sub(start).filter(|&left| left > 0)?;
        let size = group_size::<PER_WORD>(left, largest);
        start += size;
        Some((start - size, size))
    })
}

/// Channels including those that fill up the last group.
pub fn padded_channels(channels: usize, largest: usize) -> usize {
    let whole = channels / largest * largest;
    whole + groups::<PAIR>(channels - whole, largest).map(|(_, size)| size).sum::<usize>()
}

/// Words of packed weights for `channels` rows of `inputs`.
pub fn weight_words(channels: usize, inputs: usize, largest: usize) -> usize {
    padded_channels(channels, largest) / 2 * pairs(inputs)
}

/// Words of all group records.
pub fn record_words(channels: usize, largest: usize) -> usize {
    padded_channels(channels, largest) * RECORD_WORDS
}

/// Whether the channels with these `weights` (one row of `inputs` per channel) keep the packing's bounds for any int8
/// input.
pub fn holds(weights: &[i8], inputs: usize, channels: &[ChannelQuant]) -> bool {
    let row = |channel: usize| weights.get(channel * inputs..(channel + 1) * inputs).unwrap_or_default();
    channels.iter().enumerate().all(|(channel, quant)| {
        let (low, high) = sum_range(row(channel), quant.bias);
        let limit = if channel % 2 == 1 { 1 << 23 } else { 1 << 30 };
        let lower = if channel % 2 == 1 { row(channel - 1) } else { &[] };
        let lanes_fit = row(channel).iter().zip(lower).all(|(&w1, &w0)| lane_fits(w0, w1));
        -limit < low && high < limit && lanes_fit && (-MOST_SHIFT..=-1).contains(&quant.multiplier.shift)
    })
}

/// Least and greatest sum that any int8 input gives.
pub(super) fn sum_range(weights: &[i8], bias: i32) -> (i64, i64) {
    let start = (i64::from(bias), i64::from(bias));
    weights.iter().fold(start, |(low, high), &w| {
        let (a, b) = (i64::from(w) * -128, i64::from(w) * 127);
        (low + a.min(b), high + a.max(b))
    })
}

fn lane_fits(w0: i8, w1: i8) -> bool {
    i16::try_from(256 * i32::from(w1) + i32::from(w0)).is_ok()
}

/// Packs `channels.len()` rows of `inputs` weights. `words` has [`weight_words`], `records` [`record_words`] elements.
/// Nothing is written past the shorter of what is given and what is needed.
pub fn encode(
    weights: &[i8],
    inputs: usize,
    channels: &[ChannelQuant],
    largest: usize,
    words: &mut [u32],
    records: &mut [i32],
) {
    let weight = |channel: usize, k: usize| {
        if k < inputs { weights.get(channel * inputs + k).copied().unwrap_or(0) } else { 0 }
    };
    let quant = |channel: usize| channels.get(channel).copied().unwrap_or(NO_CHANNEL);
    let (mut words, mut records) = (words.iter_mut(), records.iter_mut());
    for (start, size) in groups::<PAIR>(channels.len(), largest) {
        for pair in 0..pairs(inputs) {
            for channel in (start..start + size).step_by(2) {
                let lane = |k| {
                    let (w0, w1) = (weight(channel, k), weight(channel + 1, k));
                    u32::from((256 * i32::from(w1) + i32::from(w0)) as u16)
                };
                if let Some(word) = words.next() {
                    *word = lane(2 * pair) | lane(2 * pair + 1) << 16;
                }
            }
        }
        for channel in (start..start + size).step_by(2) {
            let (low, high) = (quant(channel).bias, quant(channel + 1).bias);
            for value in [high.wrapping_mul(256).wrapping_add(low), low] {
                put(&mut records, value);
            }
        }
        for channel in start..start + size {
            let Multiplier { mantissa, shift } = quant(channel).multiplier;
            let shift = shift.wrapping_neg();
            for value in [mantissa, shift, addend(channel, shift)] {
                put(&mut records, value);
            }
        }
    }
}

/// The addend of a channel, whose parity says which of a pair it is.
fn addend(channel: usize, shift: i32) -> i32 {
    let addend = (1 - 2 * 128i32).wrapping_shl(shift as u32) / 2;
    if channel.is_multiple_of(2) { addend } else { addend.wrapping_mul(128).wrapping_add(64) }
}

/// What fills up a group.
pub(super) const NO_CHANNEL: ChannelQuant =
    ChannelQuant { bias: 0, multiplier: Multiplier { mantissa: 0, shift: -1 } };

/// Writes the next word of a record, if there is room for one.
pub(super) fn put(records: &mut core::slice::IterMut<'_, i32>, value: i32) {
    if let Some(record) = records.next() {
        *record = value;
    }
}

/// One group's sums for `PIXELS` vectors of inputs: the portable reader of the packing.
///
/// `words` are the group's weights, `record` its record; `input` holds, for each pair of inputs, two values of each vector.
#[inline(always)]
pub fn sums<const SIZE: usize, const PIXELS: usize>(
    words: &[u32],
    record: &[i32],
    input: &[i16],
) -> [[i32; SIZE]; PIXELS] {
    // `F` and `S0` of each pair. The upper halves of the arrays stay unused: half a constant is no array length.
    let (mut full, mut low) = ([[0i32; SIZE]; PIXELS], [[0i32; SIZE]; PIXELS]);
    for (words, input) in words.chunks_exact((SIZE / 2).max(1)).zip(input.chunks_exact(2 * PIXELS)) {
        for ((full, low), x) in full.iter_mut().zip(&mut low).zip(input.chunks_exact(2)) {
            for ((full, low), &word) in full.iter_mut().zip(low).zip(words) {
                *full = dual_multiply_add([word as i16, (word >> 16) as i16], x, *full);
                *low = dual_multiply_add([word as i8, (word >> 16) as i8].map(i16::from), x, *low);
            }
        }
    }
    let mut sums = [[0; SIZE]; PIXELS];
    for ((sums, full), low) in sums.iter_mut().zip(&full).zip(&low) {
        let pairs = sums.chunks_exact_mut(2).zip(record.chunks_exact(2));
        for ((pair, initial), (full, low)) in pairs.zip(full.iter().zip(low)) {
            let [full, low] = [full.wrapping_add(initial[0]), low.wrapping_add(initial[1])];
            pair[0] = low;
            pair[1] = full.wrapping_sub(low) >> 8;
        }
    }
    sums
}

#[inline(always)]
fn dual_multiply_add(weights: [i16; 2], inputs: &[i16], sum: i32) -> i32 {
    weights.iter().zip(inputs).fold(sum, |sum, (&w, &x)| sum.wrapping_add(i32::from(w) * i32::from(x)))
}

/// The multiplier of channel `index` of a group whose record this is.
pub fn multiplier(record: &[i32], size: usize, index: usize) -> Multiplier {
    let start = size + CHANNEL_WORDS * index;
    match record.get(start..start + CHANNEL_WORDS) {
        Some(&[mantissa, shift, _]) => Multiplier { mantissa, shift: shift.wrapping_neg() },
        _ => Multiplier::default(),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::quant::OutputStage;

    /// The dual multiply-accumulate that the packing is made for.
    fn smlad(a: u32, b: u32, sum: i32) -> i32 {
        let product = |shift| i32::from((a >> shift) as i16).wrapping_mul(i32::from((b >> shift) as i16));
        sum.wrapping_add(product(0)).wrapping_add(product(16))
    }

    fn sign_extend_low_bytes(word: u32) -> u32 {
        u32::from(word as i8 as i16 as u16) | u32::from((word >> 16) as i8 as i16 as u16) << 16
    }

    fn quant(bias: i32) -> ChannelQuant {
        ChannelQuant { bias, multiplier: Multiplier { mantissa: 1 << 30, shift: -5 } }
    }

    #[test]
    fn groups_cover_all_channels() {
        for largest in [4, 8] {
            for channels in 1..40 {
                let all: Vec<_> = groups::<PAIR>(channels, largest).collect();
                let mut next = 0;
                for &(start, size) in &all {
                    assert_eq!(start, next);
                    assert!([2, 4, 8].contains(&size) && size <= largest.max(4));
                    next += size;
                }
                assert!(next >= channels && next - channels <= 1, "{channels} in {next}");
                assert_eq!(next, padded_channels(channels, largest));
            }
        }
    }

    #[test]
    fn bounds_are_found_from_the_weights() {
        let far = vec![127i8; 2 * 600];
        assert!(
            !holds(&far, 600, &[quant(0), quant(0)]),
            "600 x 127 x 128 exceeds 2^23 in the upper channel"
        );
        assert!(holds(&far[..600], 600, &[quant(0)]));
        assert!(!holds(&[-1, -128], 1, &[quant(0), quant(0)]), "the lane would be below -32768");
        assert!(holds(&[1, -128], 1, &[quant(0), quant(0)]));
        let left = ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift: 0 }, ..quant(0) };
        assert!(!holds(&[1], 1, &[left]), "no right shift");
        let far = ChannelQuant { multiplier: Multiplier { mantissa: 1 << 30, shift: -17 }, ..quant(0) };
        assert!(!holds(&[1], 1, &[far]), "the addend would not fit");
    }

    proptest! {
        #[test]
        fn addends_give_the_two_roundings(
            sum in -(1i32 << 23)..1 << 23,
            mantissa in 1i32 << 30..i32::MAX,
            shift in 1..=MOST_SHIFT,
            scale in 0u32..23,
        ) {
            let sum = sum >> scale;
            let multiplier = Multiplier { mantissa, shift: -shift };
            let expected = OutputStage::new(-128).finish(multiplier.apply(sum));
            let upper_half = |a: i32, rounding: i64| ((i64::from(a) * i64::from(mantissa) + rounding) >> 32) as i32;
            let even = upper_half(2 * sum, 1 << 31).checked_add(addend(0, shift)).unwrap() >> shift;
            prop_assert_eq!(even.clamp(-128, 127) as i8, expected);
            let odd = upper_half(256 * sum, 0).checked_add(addend(1, shift)).unwrap() >> shift >> 7;
            prop_assert_eq!(odd.clamp(-128, 127) as i8, expected);
        }

        #[test]
        fn lanes_give_the_plain_sums(
            channels in 1usize..20,
            inputs in 1usize..40,
            largest in prop::sample::select(vec![4usize, 8]),
            seed in prop::collection::vec(any::<(i8, i8)>(), 800),
            biases in prop::collection::vec(-8_000_000i32..8_000_000, 20),
        ) {
            let weights: Vec<i8> = seed.iter().map(|s| s.0.max(-127)).take(channels * inputs).collect();
            let input: Vec<i8> = seed.iter().map(|s| s.1).take(inputs).collect();
            let quants: Vec<_> = biases.iter().take(channels).map(|&b| quant(b / 64)).collect();
            prop_assert!(holds(&weights, inputs, &quants));
            let mut words = vec![0; weight_words(channels, inputs, largest)];
            let mut records = vec![0; record_words(channels, largest)];
            encode(&weights, inputs, &quants, largest, &mut words, &mut records);
            let pair = |p: usize| [0, 1].map(|i| input.get(2 * p + i).map_or(0, |&x| i16::from(x)));
            let (mut words, mut records) = (&words[..], &records[..]);
            for (start, size) in groups::<PAIR>(channels, largest) {
                let (own_words, rest) = words.split_at(size / 2 * pairs(inputs));
                let (record, tail) = records.split_at(size * RECORD_WORDS);
                (words, records) = (rest, tail);
                let wide: Vec<i16> = (0..pairs(inputs)).flat_map(pair).collect();
                let got = match size {
                    2 => sums::<2, 1>(own_words, record, &wide)[0].to_vec(),
                    4 => sums::<4, 1>(own_words, record, &wide)[0].to_vec(),
                    _ => sums::<8, 1>(own_words, record, &wide)[0].to_vec(),
                };
                for (channel, &got) in got.iter().enumerate().take(channels - start) {
                    let row = &weights[(start + channel) * inputs..][..inputs];
                    let plain: i32 = row.iter().zip(&input).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
                    prop_assert_eq!(got, plain + quants[start + channel].bias);
                    prop_assert_eq!(multiplier(record, size, channel), quants[start + channel].multiplier);
                }
                for pair_index in 0..size / 2 {
                    let (mut full, mut low) = (record[2 * pair_index], record[2 * pair_index + 1]);
                    for p in 0..pairs(inputs) {
                        let word = own_words[p * (size / 2) + pair_index];
                        let [x0, x1] = pair(p).map(|x| u32::from(x as u16));
                        full = smlad(word, x0 | x1 << 16, full);
                        low = smlad(sign_extend_low_bytes(word), x0 | x1 << 16, low);
                    }
                    prop_assert_eq!(low, got[2 * pair_index]);
                    prop_assert_eq!(full.wrapping_sub(low) >> 8, got[2 * pair_index + 1]);
                }
            }
        }
    }
}
