//! CRC-32 (ISO-HDLC, as zlib's), four bits at a time: its table takes 64 bytes of flash, one for whole bytes 1024.

/// Remainders of the sixteen values of four bits.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut i = 0;
    while i < 16 {
        let mut remainder = i as u32;
        let mut bit = 0;
        while bit < 4 {
            remainder = if remainder & 1 == 1 { remainder >> 1 ^ 0xedb8_8320 } else { remainder >> 1 };
            bit += 1;
        }
        table[i] = remainder;
        i += 1;
    }
    table
};

/// CRC-32 of `bytes`, as zlib computes it.
pub fn crc32(bytes: &[u8]) -> u32 {
    crc32_of_parts([bytes])
}

/// CRC-32 of what the parts are one after the other.
pub(super) fn crc32_of_parts<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let step = |state: u32| state >> 4 ^ TABLE[state as usize & 15];
    !parts.into_iter().flatten().fold(!0, |state, &byte| step(step(state ^ u32::from(byte))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_a_well_known_implementation(
            a in prop::collection::vec(any::<u8>(), 0..70),
            b in prop::collection::vec(any::<u8>(), 0..70),
        ) {
            let expected = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&[&a[..], &b[..]].concat());
            prop_assert_eq!(crc32_of_parts([&a, &b]), expected);
        }
    }
}
