//! Lays a model's sections out as a file.

use zerocopy::{FromBytes, IntoBytes};

use super::header::checksum;
use super::{ALIGN, Header, MAGIC, MAX_LEN, NodeRecord, Section, TensorRecord, VERSION_MAJOR, VERSION_MINOR};

/// The parts of a file, ready to be written.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    /// Tensor records.
    pub tensors: &'a [TensorRecord],
    /// Node records in the order of execution.
    pub nodes: &'a [NodeRecord],
    /// Tensor indices: model inputs, model outputs, then the operands of the nodes.
    pub operands: &'a [u16],
    /// How many of `operands` are model inputs.
    pub input_count: u16,
    /// How many of `operands` are model outputs.
    pub output_count: u16,
    /// Operator parameters.
    pub params: &'a [u8],
    /// Weights and tables.
    pub constants: &'a [u8],
    /// Metadata entries.
    pub metadata: &'a [u8],
    /// Bytes of RAM for activations and scratch.
    pub arena_len: u32,
    /// Inner-loop steps of one inference.
    pub work: u64,
}

/// Why a model cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WriteError {
    /// The file would be longer than [`MAX_LEN`].
    TooLong,
    /// The buffer's length is not [`Writer::file_len`].
    BufferLength,
}

impl core::fmt::Display for WriteError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the model would be longer than 2 GiB",
            Self::BufferLength => "the buffer does not have the file's length",
        })
    }
}

impl core::error::Error for WriteError {}

impl Writer<'_> {
    fn parts(&self) -> [&[u8]; 6] {
        [
            self.tensors.as_bytes(),
            self.nodes.as_bytes(),
            self.operands.as_bytes(),
            self.params,
            self.constants,
            self.metadata,
        ]
    }

    /// Length of the file in bytes.
    pub fn file_len(&self) -> usize {
        self.parts().iter().fold(Header::LEN, |at, part| at.next_multiple_of(ALIGN) + part.len())
    }

    /// Writes the file into `out`, which must have exactly [`Self::file_len`] bytes.
    ///
    /// # Errors
    /// If the buffer has another length or the file exceeds [`MAX_LEN`].
    pub fn write(&self, out: &mut [u8]) -> Result<(), WriteError> {
        let total_len = u32::try_from(self.file_len()).ok().filter(|&len| len <= MAX_LEN);
        let total_len = total_len.ok_or(WriteError::TooLong)?;
        if out.len() != total_len as usize {
            return Err(WriteError::BufferLength);
        }
        out.fill(0);
        let mut at = Header::LEN;
        let mut sections = [Section::default(); 6];
        for (section, part) in sections.iter_mut().zip(self.parts()) {
            at = at.next_multiple_of(ALIGN);
            *section = Section { offset: at as u32, len: part.len() as u32 };
            let end = at + part.len();
            out.get_mut(at..end).ok_or(WriteError::BufferLength)?.copy_from_slice(part);
            at = end;
        }
        let [tensors, nodes, operands, params, constants, metadata] = sections;
        let header = Header {
            magic: MAGIC,
            major: VERSION_MAJOR,
            minor: VERSION_MINOR,
            total_len,
            crc: 0,
            required: self.nodes.iter().fold(0u64, |set, node| set | (1 << (node.op & 63))).into(),
            work: self.work.into(),
            arena_len: self.arena_len,
            input_count: self.input_count,
            output_count: self.output_count,
            tensors,
            nodes,
            operands,
            params,
            constants,
            metadata,
            reserved: [0; 2],
        };
        header.write_to_prefix(out).map_err(|_| WriteError::BufferLength)?;
        seal(out);
        Ok(())
    }
}

/// Writes the CRC-32 of `file` into its header; nothing happens to bytes shorter than a header.
pub fn seal(file: &mut [u8]) {
    let crc = checksum(file);
    if let Ok((header, _)) = Header::mut_from_prefix(file) {
        header.crc = crc;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::format::{DType, FormatError, OpCode, Place, Shape, Tables};

    fn sample() -> Vec<u32> {
        let shape = Shape::new(&[1, 4]).unwrap();
        let tensors = [
            TensorRecord::new(shape, DType::I8, Place::Arena, 0),
            TensorRecord::new(shape, DType::I8, Place::Arena, 4),
        ];
        let node = NodeRecord {
            op: OpCode::Copy as u16,
            packing: 0,
            operands: 2,
            inputs: 1,
            outputs: 1,
            reserved: 0,
            params: 0,
            scratch: 0,
            scratch_len: 0,
        };
        let writer = Writer {
            tensors: &tensors,
            nodes: &[node],
            operands: &[0, 1, 0, 1],
            input_count: 1,
            output_count: 1,
            params: &[],
            constants: &[1, 2, 3],
            metadata: &[9],
            arena_len: 8,
            work: 4,
        };
        let mut file = vec![0u32; writer.file_len().div_ceil(4)];
        let len = writer.file_len();
        writer.write(&mut file.as_mut_bytes()[..len]).unwrap();
        file
    }

    #[test]
    fn what_is_written_is_read_back() {
        let file = sample();
        let tables = Tables::read(file.as_bytes()).unwrap();
        assert_eq!(tables.inputs(), [0]);
        assert_eq!(tables.outputs(), [1]);
        assert_eq!(tables.constants(), [1, 2, 3]);
        assert_eq!(tables.metadata(), [9]);
        let node = tables.node(0).unwrap();
        assert_eq!(
            (node.op(), node.inputs(), node.outputs()),
            (Some(OpCode::Copy), &[0u16][..], &[1u16][..])
        );
        assert!(tables.node(1).is_none());
    }

    #[test]
    fn first_bytes_are_as_specified() {
        let file = sample();
        let bytes = file.as_bytes();
        assert_eq!(bytes[..8], *b"SCT\x1a\x02\x00\x00\x00");
        assert_eq!(bytes[16..24], (1u64 << 23).to_le_bytes());
        assert_eq!(bytes[32..36], 8u32.to_le_bytes());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let file = sample();
        let len = Tables::read(file.as_bytes()).unwrap().header().total_len as usize;
        for bit in 0..len * 8 {
            let mut damaged = file.clone();
            damaged.as_mut_bytes()[bit / 8] ^= 1 << (bit % 8);
            assert!(Tables::read(damaged.as_bytes()).is_err(), "bit {bit}");
        }
        for cut in 0..len {
            assert!(Tables::read(&file.as_bytes()[..cut]).is_err(), "cut {cut}");
        }
    }

    #[test]
    fn a_misaligned_address_is_named() {
        let mut shifted = vec![0u32; sample().len() + 1];
        let bytes = shifted.as_mut_bytes();
        bytes[1..][..sample().as_bytes().len()].copy_from_slice(sample().as_bytes());
        assert_eq!(Tables::read(&bytes[1..]).err(), Some(FormatError::Unaligned));
    }
}
