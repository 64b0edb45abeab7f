//! The fixed start of a file.

use zerocopy::byteorder::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::checksum::crc32_of_parts;
use super::{ALIGN, FormatError, MAX_LEN};

/// First four bytes of a file.
pub const MAGIC: [u8; 4] = *b"SCT\x1a";
/// Major version: a reader accepts its own only.
pub const VERSION_MAJOR: u16 = 2;
/// Minor version: a reader accepts its own and lower ones.
pub const VERSION_MINOR: u16 = 0;

/// Offset and length of one section, both in bytes, from the start of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Section {
    /// Bytes from the start of the file; a multiple of [`ALIGN`].
    pub offset: u32,
    /// Bytes, padding not included.
    pub len: u32,
}

/// Header of a `.sct` file, 96 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: [u8; 4],
    /// [`VERSION_MAJOR`] of the writer.
    pub major: u16,
    /// [`VERSION_MINOR`] that is needed to read the file.
    pub minor: u16,
    /// Length of the file in bytes.
    pub total_len: u32,
    /// CRC-32 over bytes 0..12 and 16..`total_len`.
    pub crc: u32,
    /// Kernels that the model needs: bit `n` is the operator with code `n`.
    pub required: U64,
    /// Inner-loop steps of one inference (multiply-accumulates, or elements moved). `Model::load` computes the same.
    pub work: U64,
    /// Bytes of RAM for activations and scratch.
    pub arena_len: u32,
    /// Model inputs: the first entries of the operand section.
    pub input_count: u16,
    /// Model outputs: the next entries.
    pub output_count: u16,
    /// [`super::TensorRecord`]s.
    pub tensors: Section,
    /// [`super::NodeRecord`]s.
    pub nodes: Section,
    /// `u16` tensor indices.
    pub operands: Section,
    /// Operator parameters.
    pub params: Section,
    /// Weights and tables.
    pub constants: Section,
    /// Metadata entries.
    pub metadata: Section,
    /// Zero.
    pub reserved: [u32; 2],
}

impl Header {
    /// Length of the header in bytes.
    pub const LEN: usize = size_of::<Self>();
    /// Bytes before the CRC field.
    pub const CRC_OFFSET: usize = 12;
    /// First byte after the CRC field.
    pub const CRC_END: usize = 16;
    /// Position of `total_len`.
    pub const TOTAL_LEN_OFFSET: usize = 8;
    /// Position of `arena_len`.
    pub const ARENA_LEN_OFFSET: usize = 32;

    /// The six sections in file order.
    pub const fn sections(&self) -> [Section; 6] {
        [self.tensors, self.nodes, self.operands, self.params, self.constants, self.metadata]
    }

    /// Reads the header of `file` and checks magic, version, length, CRC-32 and the bounds of every section.
    ///
    /// Bytes after `total_len` are ignored, so that a model may stand in a larger flash partition.
    ///
    /// # Errors
    /// What is wrong first, in the order of the fields.
    pub fn read(file: &[u8]) -> Result<&Self, FormatError> {
        if !file.as_ptr().addr().is_multiple_of(ALIGN) {
            return Err(FormatError::Unaligned);
        }
        let found = u32::try_from(file.len()).unwrap_or(u32::MAX);
        let truncated = |needed| FormatError::Truncated { needed, found };
        let (header, _) =
            Self::ref_from_prefix(file).map_err(|_| truncated(u32::try_from(Self::LEN).unwrap_or(0)))?;
        if header.magic != MAGIC {
            return Err(FormatError::NotASct);
        }
        if header.major != VERSION_MAJOR || header.minor > VERSION_MINOR {
            return Err(FormatError::Version { major: header.major, minor: header.minor });
        }
        let total = header.total_len as usize;
        if total < Self::LEN {
            return Err(truncated(u32::try_from(Self::LEN).unwrap_or(0)));
        }
        let bytes = header.total_len.max(header.arena_len);
        if bytes > MAX_LEN {
            return Err(FormatError::TooLarge { bytes });
        }
        let file = file.get(..total).ok_or(truncated(header.total_len))?;
        let computed = checksum(file);
        if computed != header.crc {
            return Err(FormatError::Checksum { stored: header.crc, computed });
        }
        if header.reserved != [0; 2] {
            return Err(FormatError::Reserved);
        }
        for (index, section) in (0u8..).zip(header.sections()) {
            let inside = section.offset.checked_add(section.len).is_some_and(|end| end <= header.total_len);
            if !inside || !(section.offset as usize).is_multiple_of(ALIGN) {
                return Err(FormatError::Section { index });
            }
        }
        Ok(header)
    }
}

/// CRC-32 of a whole file, its own field left out.
///
/// `file` must be at least [`Header::CRC_END`] bytes long; shorter input gives the CRC of nothing.
pub(super) fn checksum(file: &[u8]) -> u32 {
    let parts = [file.get(..Header::CRC_OFFSET), file.get(Header::CRC_END..)];
    crc32_of_parts(parts.map(Option::unwrap_or_default))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::crc32;

    #[test]
    fn field_offsets_are_those_of_the_documentation() {
        assert_eq!(Header::LEN, 96);
        assert_eq!(core::mem::offset_of!(Header, crc), Header::CRC_OFFSET);
        assert_eq!(core::mem::offset_of!(Header, required), Header::CRC_END);
        assert_eq!(core::mem::offset_of!(Header, total_len), Header::TOTAL_LEN_OFFSET);
        assert_eq!(core::mem::offset_of!(Header, arena_len), Header::ARENA_LEN_OFFSET);
    }

    #[test]
    fn checksum_is_crc32_iso_hdlc_without_its_own_field() {
        let mut bytes = [0u8; 20];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[12..16].copy_from_slice(&[0xaa; 4]);
        let with_crc = checksum(&bytes);
        bytes[12..16].copy_from_slice(&[0x55; 4]);
        assert_eq!(with_crc, checksum(&bytes));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        bytes[19] ^= 1;
        assert_ne!(with_crc, checksum(&bytes));
    }
}
