//! Whether a device computes what the converter computed, node by node.
//!
//! The converter runs the model on a reference input and stores the CRC-32 of each node's first output in the metadata
//! ([`Entry::ReferenceSeed`], [`Entry::ReferenceHash`]). A device makes the same input from the seed and compares: there is
//! no tolerance, so the first difference names the node that went wrong.
//!
//! # The reference input
//!
//! Input `i` of the model is filled from a xorshift stream of 32-bit words (`x ^= x << 13; x ^= x >> 17; x ^= x << 5`),
//! which starts from `seed ^ (0x9e3779b9 x (i + 1))`, or from 1 if that is 0. Each element takes the next word: a float is
//! its upper 24 bits, as a signed integer, over `2^23`, in `[-1, 1)`; an integer is its upper bits.

use crate::format::metadata::{self, Entry};
use crate::format::{DType, Node, crc32};
use crate::session::{Observer, Session};

/// Why a device is not known to compute as the converter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SelfCheckError {
    /// The metadata have no seed, no hashes, or hashes that are not in the order of the nodes.
    NoReference,
    /// A node's first output differs; the nodes before it agree.
    Node {
        /// Index of the node.
        index: u16,
        /// CRC-32 that the metadata give.
        expected: u32,
        /// CRC-32 of what was computed.
        found: u32,
    },
}

impl core::fmt::Display for SelfCheckError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoReference => f.write_str("the model has no reference hashes in the order of its nodes"),
            Self::Node { index, expected, found } => {
                write!(f, "node {index} computes {found:08x}, its reference is {expected:08x}")
            }
        }
    }
}

impl core::error::Error for SelfCheckError {}

/// Runs the model on its reference input and compares each node that has a reference hash.
///
/// Takes an inference and the CRC-32 of every intermediate result; inputs and outputs are overwritten.
///
/// # Errors
/// The first node that differs, or that there is nothing to compare.
pub fn self_check(session: &mut Session<'_, '_>) -> Result<(), SelfCheckError> {
    let section = session.model().tables().metadata();
    let seed = metadata::entries(section).find_map(|entry| match entry {
        Entry::ReferenceSeed(seed) => Some(seed),
        _ => None,
    });
    let seed = seed.ok_or(SelfCheckError::NoReference)?;
    let mut references = metadata::entries(section)
        .filter_map(|entry| match entry {
            Entry::ReferenceHash(node, crc) => Some((node, crc)),
            _ => None,
        })
        .peekable();
    references.peek().ok_or(SelfCheckError::NoReference)?;
    let mut result = Ok(());
    reference_hashes(session, seed, |index, found| {
        let reference = references.next_if(|&(node, _)| node == index);
        if let Some((_, expected)) = reference.filter(|&(_, expected)| expected != found) {
            result = result.and(Err(SelfCheckError::Node { index, expected, found }));
        }
    });
    result?;
    // A hash that no node has taken is out of order.
    references.peek().map_or(Ok(()), |_| Err(SelfCheckError::NoReference))
}

/// Runs the model on the reference input of `seed` and gives `visit` each node with the CRC-32 of its first output.
pub fn reference_hashes(session: &mut Session<'_, '_>, seed: u32, visit: impl FnMut(u16, u32)) {
    fill_reference_inputs(session, seed);
    session.run_observed(&mut Hashes(visit));
}

/// Fills every input of the model as the module's documentation says.
pub fn fill_reference_inputs(session: &mut Session<'_, '_>, seed: u32) {
    let tables = session.model().tables();
    for (index, &tensor) in tables.inputs().iter().enumerate() {
        let Some(dtype) = tables.tensors().get(usize::from(tensor)).and_then(|record| record.dtype()) else {
            continue;
        };
        if let Ok(bytes) = session.input_bytes_mut(index) {
            Words::new(seed, index as u32).fill(dtype, bytes);
        }
    }
}

/// Calls a function with the CRC-32 of each node's first output.
struct Hashes<F>(F);

impl<F: FnMut(u16, u32)> Observer for Hashes<F> {
    fn after(&mut self, index: u16, node: &Node<'_>, arena: &[u8]) {
        if let Some(output) = node.output(0).and_then(|record| arena.get(record.range())) {
            (self.0)(index, crc32(output));
        }
    }
}

/// A xorshift stream.
struct Words(u32);

impl Words {
    fn new(seed: u32, input: u32) -> Self {
        let start = seed ^ 0x9e37_79b9u32.wrapping_mul(input.wrapping_add(1));
        Self(if start == 0 { 1 } else { start })
    }

    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    fn fill(&mut self, dtype: DType, bytes: &mut [u8]) {
        for element in bytes.chunks_exact_mut(dtype.size()) {
            let word = self.next();
            let upper_first = if dtype == DType::F32 {
                (((word as i32) >> 8) as f32 / (1 << 23) as f32).to_bits()
            } else {
                word
            };
            // The upper bits of a word, as many as the element has.
            let value = upper_first >> (32 - 8 * element.len() as u32);
            for (to, from) in element.iter_mut().zip(value.to_le_bytes()) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled<const N: usize>(dtype: DType, seed: u32, input: u32) -> [u8; N] {
        let mut bytes = [0; N];
        Words::new(seed, input).fill(dtype, &mut bytes);
        bytes
    }

    #[test]
    fn reference_inputs_are_part_of_the_format() {
        assert_eq!(filled(DType::I8, 7, 0), [81, 252, 156, 183, 76, 132]);
        assert_eq!(filled(DType::I8, 7, 1), [162, 220, 2, 119, 19, 220]);
        assert_eq!(filled(DType::I32, 7, 0), [254, 166, 16, 81]);
        assert_eq!(filled(DType::I16, 7, 0), [16, 81, 39, 252]);
        assert_eq!(filled(DType::F32, 7, 0), [76, 33, 34, 63, 64, 14, 246, 188]);
    }

    #[test]
    fn the_stream_that_would_stand_still_starts_from_one() {
        assert_eq!(Words::new(0x9e37_79b9, 0).next(), 0x0004_2021);
    }

    #[test]
    fn floats_are_finite_and_below_one() {
        let bytes: [u8; 4096] = filled(DType::F32, 1, 0);
        let mut floats = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        assert!(floats.all(|x| (-1.0..1.0).contains(&x)));
    }
}
