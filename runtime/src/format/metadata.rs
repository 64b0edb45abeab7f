//! What a person or a tool wants to know about a model; the engine runs without it.
//!
//! The section is a sequence of frames: a `u16` length, then that many bytes, one postcard-encoded [`Entry`]. A reader
//! skips frames that it cannot decode, so that later converters may add kinds of entries.

use serde::{Deserialize, Serialize};

/// One fact about a model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Entry<'a> {
    /// Name of the model.
    Name(&'a str),
    /// Name and version of the program that wrote the file.
    Converter(&'a str),
    /// File name of the source model and the CRC-32 of its bytes.
    Source(&'a str, u32),
    /// Name of a tensor, by index.
    TensorName(u16, &'a str),
    /// Name of a node, by index.
    NodeName(u16, &'a str),
    /// Name of a class, by position in the output.
    Label(u16, &'a str),
    /// Seed of the reference input, see [`crate::self_check`].
    ReferenceSeed(u32),
    /// CRC-32 of a node's first output for the reference input, by node.
    ReferenceHash(u16, u32),
    /// Lower bound of the arena in bytes: the largest set of tensors live at once.
    ArenaLowerBound(u32),
    /// Channels were evened out between layers before they were quantized, so that tensors between layers differ from the
    /// source model's by a factor per channel.
    Equalized,
}

/// Encodes `entry` as a frame into `buffer` and gives the part that was written; `None` if it does not fit.
pub fn encode<'b>(entry: &Entry<'_>, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let (len, body) = buffer.split_first_chunk_mut::<2>()?;
    let written = postcard::to_slice(entry, body).ok()?.len();
    *len = u16::try_from(written).ok()?.to_le_bytes();
    buffer.get(..2 + written)
}

/// Decodes the entries of a metadata section, in order; frames that cannot be decoded are left out.
pub fn entries(section: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    frames(section).filter_map(|frame| postcard::from_bytes(frame).ok())
}

fn frames(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (len, tail) = rest.split_first_chunk::<2>()?;
        let (frame, tail) = tail.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        rest = tail;
        Some(frame)
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn entries_round_trip_and_unknown_ones_are_skipped() {
        let known = [Entry::Name("kws"), Entry::TensorName(3, "conv1"), Entry::ReferenceHash(2, 0xdead_beef)];
        let mut section = Vec::new();
        let mut buffer = [0; 64];
        section.extend_from_slice(encode(&known[0], &mut buffer).unwrap());
        section.extend_from_slice(&[2, 0, 200, 1]);
        section.extend_from_slice(encode(&known[1], &mut buffer).unwrap());
        section.extend_from_slice(encode(&known[2], &mut buffer).unwrap());
        section.extend_from_slice(&[9]);
        assert_eq!(entries(&section).collect::<Vec<_>>(), known);
    }

    #[test]
    fn bytes_of_an_entry_are_fixed() {
        let mut buffer = [0; 16];
        assert_eq!(
            encode(&Entry::TensorName(300, "ab"), &mut buffer),
            Some(&[6, 0, 3, 0xac, 2, 2, b'a', b'b'][..])
        );
    }
}
