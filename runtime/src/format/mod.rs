//! The `.sct` file: a compiled model, read in place.
//!
//! # Layout
//!
//! All integers are little-endian. A file starts at an address that is a multiple of [`ALIGN`] and has this order, each
//! section at a multiple of [`ALIGN`] from the start of the file:
//!
//! | section | content | element |
//! |---|---|---|
//! | header | [`Header`]: magic, version, length, CRC-32, counts, section table | 96 bytes |
//! | tensors | [`TensorRecord`]: element type, shape, place, length, quantization | 48 bytes |
//! | nodes | [`NodeRecord`]: operator, operands, parameters, scratch; in the order of execution | 24 bytes |
//! | operands | `u16` tensor indices: the model's inputs, its outputs, then each node's inputs and outputs, no others | 2 bytes |
//! | parameters | one record per node, laid out by its operator (`Params` in `crate::kernels`) | 4-aligned |
//! | constants | weights, per-channel records, tables, constant tensors | 4-aligned |
//! | metadata | framed postcard entries ([`metadata`]): names, labels, provenance, reference hashes | bytes |
//!
//! The CRC-32 (ISO-HDLC, as zlib's) covers the whole file but its own four bytes.
//!
//! # Version rule
//!
//! A reader refuses another major version, and a minor version above its own. Within a major version, a minor one may
//! add operators and packings (a model that uses them names them in [`Header::required`]); it never changes the meaning
//! of a byte that an older reader accepts. Unknown metadata entries are skipped. Reserved bytes are zero.
//!
//! # Reading and writing
//!
//! [`Tables::read`] checks everything that needs no knowledge of operators and gives typed views of the sections.
//! [`Writer`] lays the sections out; both live here so that they change together.

mod checksum;
mod header;
pub mod metadata;
mod node;
mod tables;
mod tensor;
mod writer;

pub use checksum::crc32;
pub use header::{Header, MAGIC, Section, VERSION_MAJOR, VERSION_MINOR};
pub use node::{NodeRecord, OpCode, Packing};
pub use tables::{Node, Tables};
pub use tensor::{DType, MAX_RANK, Place, Shape, TensorRecord};
pub use writer::{WriteError, Writer, seal};

/// Alignment, in bytes, of the file, of every section and of every tensor in the arena.
pub const ALIGN: usize = 4;

/// Longest file and largest arena, in bytes. Every offset, size and distance within them fits 32 bits with a sign, so a
/// host accepts exactly what a device accepts, and sums of two cannot overflow on either.
pub const MAX_LEN: u32 = i32::MAX as u32;

#[cfg(target_endian = "big")]
compile_error!("`.sct` files are read in place and are little-endian; big-endian targets are not supported");

/// Why a byte string is not a usable `.sct` file.
///
/// Offsets are in bytes from the start of the file; indices count records of their section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum FormatError {
    /// The address of the first byte is not a multiple of [`ALIGN`].
    Unaligned,
    /// Fewer bytes than a header, or than the header says.
    Truncated {
        /// Bytes that should be there.
        needed: u32,
        /// Bytes that are there.
        found: u32,
    },
    /// The first four bytes are not [`MAGIC`].
    NotASct,
    /// The file or its arena is longer than [`MAX_LEN`].
    TooLarge {
        /// Bytes of the longer of the two.
        bytes: u32,
    },
    /// Written for another version of the format.
    Version {
        /// Major version of the file.
        major: u16,
        /// Minor version of the file.
        minor: u16,
    },
    /// The content does not match its CRC-32: the file was damaged.
    Checksum {
        /// CRC-32 stored in the header.
        stored: u32,
        /// CRC-32 of the bytes.
        computed: u32,
    },
    /// A section lies outside the file, is misaligned or does not hold whole records.
    Section {
        /// Position in the header's section table.
        index: u8,
    },
    /// A tensor record is not valid.
    Tensor {
        /// Which record.
        index: u16,
        /// What is wrong with it.
        what: TensorFault,
    },
    /// A node record is not valid.
    Node {
        /// Which record.
        index: u16,
        /// What is wrong with it.
        what: NodeFault,
    },
    /// The model's list of inputs or outputs is not valid, or the inputs together do not fit the arena.
    Ports,
    /// Reserved header bytes are not zero.
    Reserved,
}

/// What is wrong with a [`TensorRecord`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TensorFault {
    /// Rank 0 or above [`MAX_RANK`], a dimension of 0, or non-zero dimensions past the rank.
    Shape,
    /// Unknown element type.
    DType,
    /// Unknown place.
    Place,
    /// Not inside the arena or the constants, misaligned, or of another length than the shape's.
    Range,
    /// Scale is not a finite number of at least 0, or the zero point does not fit the element type.
    Quantization,
}

/// What is wrong with a [`NodeRecord`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum NodeFault {
    /// Unknown operator code.
    Operator,
    /// Operands outside the operand section, or not right after those of the node before.
    Operands,
    /// Parameters outside their section or misaligned.
    Params,
    /// Scratch outside the arena or misaligned.
    Scratch,
    /// An output is a constant.
    ConstantOutput,
}

impl core::fmt::Display for FormatError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unaligned => write!(f, "the model's address is not a multiple of {ALIGN}"),
            Self::Truncated { needed, found } => {
                write!(f, "the file is cut: {needed} bytes needed, {found} found")
            }
            Self::NotASct => f.write_str("not a .sct file (magic bytes differ)"),
            Self::TooLarge { bytes } => {
                write!(f, "the model or its arena has {bytes} bytes, at most {MAX_LEN} can be addressed")
            }
            Self::Version { major, minor } => write!(
                f,
                "format version {major}.{minor}, this engine reads {VERSION_MAJOR}.0 to \
                 {VERSION_MAJOR}.{VERSION_MINOR}: convert the model again with the matching converter"
            ),
            Self::Checksum { stored, computed } => {
                write!(f, "damaged: CRC-32 is {computed:08x}, the header says {stored:08x}")
            }
            Self::Section { index } => write!(f, "section {index} lies outside the file or is misaligned"),
            Self::Tensor { index, what } => write!(f, "tensor {index}: {what}"),
            Self::Node { index, what } => write!(f, "node {index}: {what}"),
            Self::Ports => f.write_str("the list of model inputs and outputs is not valid"),
            Self::Reserved => f.write_str("reserved header bytes are not zero"),
        }
    }
}

impl core::fmt::Display for TensorFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Shape => "shape is not valid",
            Self::DType => "unknown element type",
            Self::Place => "unknown place",
            Self::Range => "outside the arena or the constants",
            Self::Quantization => "quantization is not valid",
        })
    }
}

impl core::fmt::Display for NodeFault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Operator => "unknown operator code",
            Self::Operands => "operand out of range",
            Self::Params => "parameters out of range",
            Self::Scratch => "scratch outside the arena",
            Self::ConstantOutput => "an output is a constant",
        })
    }
}

impl core::error::Error for FormatError {}
