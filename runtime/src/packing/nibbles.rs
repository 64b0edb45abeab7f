//! Nibbles: int4 weights in the operator's own order, two per byte, for layers that no other int4 packing takes.
//!
//! Weight `i` is a two's complement digit of byte `i / 2`: the lower one where `i` is even. The upper half of the last byte
//! of an odd number is zero.

/// Bytes of `count` weights.
pub const fn bytes(count: usize) -> usize {
    count.div_ceil(2)
}

/// Packs weights from -8 to 7. `bytes` has [`bytes`] elements; nothing is written past the shorter of what is given and what
/// is needed.
pub fn encode(weights: &[i8], bytes: &mut [u8]) {
    for (pair, byte) in weights.chunks(2).zip(bytes) {
        let digit = |index: usize| pair.get(index).map_or(0, |&weight| weight as u8 & 15);
        *byte = digit(0) | digit(1) << 4;
    }
}

/// The two weights of a byte.
#[inline(always)]
pub fn decode(byte: u8) -> [i8; 2] {
    let byte = byte as i8;
    [byte << 4 >> 4, byte >> 4]
}

/// Weight number `index`; 0 past the end.
#[inline(always)]
pub fn weight(bytes: &[u8], index: usize) -> i8 {
    bytes.get(index / 2).map_or(0, |&byte| (byte << (4 * (1 - index % 2))) as i8 >> 4)
}

/// The weights from number `start` on, as far as `weights` reaches.
pub fn expand(bytes: &[u8], start: usize, weights: &mut [i8]) {
    let all = bytes.get(start / 2..).unwrap_or_default().iter().flat_map(|&byte| decode(byte));
    for (weight, digit) in weights.iter_mut().zip(all.skip(start % 2)) {
        *weight = digit;
    }
}

/// Sum of the weights from number `start` on times the inputs.
#[inline]
pub fn dot(bytes: &[u8], start: usize, input: &[i8]) -> i32 {
    let mut bytes = bytes.get(start / 2..).unwrap_or_default();
    let (mut input, mut sum) = (input, 0i32);
    if start % 2 == 1
        && let (Some((&byte, after)), Some((&x, rest))) = (bytes.split_first(), input.split_first())
    {
        sum = i32::from(decode(byte)[1]) * i32::from(x);
        (bytes, input) = (after, rest);
    }
    for (&byte, pair) in bytes.iter().zip(input.chunks(2)) {
        for (digit, &x) in decode(byte).into_iter().zip(pair) {
            sum = sum.wrapping_add(i32::from(digit) * i32::from(x));
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lower_digits_come_first() {
        let mut packed = [0; 2];
        encode(&[-8, 7, -1], &mut packed);
        assert_eq!(packed, [0x78, 0x0f]);
    }

    proptest! {
        #[test]
        fn expanded_and_multiplied_from_any_start(
            pairs in prop::collection::vec((-8i8..8, any::<i8>()), 0..50),
            start in 0usize..50,
        ) {
            let weights: Vec<i8> = pairs.iter().map(|pair| pair.0).collect();
            let start = start.min(weights.len());
            let input: Vec<i8> = pairs.iter().map(|pair| pair.1).take(weights.len() - start).collect();
            let mut packed = vec![0; bytes(weights.len())];
            encode(&weights, &mut packed);
            let mut expanded = vec![0; weights.len() - start];
            expand(&packed, start, &mut expanded);
            prop_assert_eq!(&expanded[..], &weights[start..]);
            prop_assert!(weights.iter().enumerate().all(|(index, &w)| weight(&packed, index) == w));
            let sum: i32 = expanded.iter().zip(&input).map(|(&w, &x)| i32::from(w) * i32::from(x)).sum();
            prop_assert_eq!(dot(&packed, start, &input), sum);
        }
    }
}
