//! Node records: one operator with its operands, parameters and scratch.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

macro_rules! codes {
    ($(#[$enum_doc:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident = $code:literal,)* }) => {
        $(#[$enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[cfg_attr(feature = "defmt", derive(defmt::Format))]
        #[repr(u16)]
        pub enum $enum { $($(#[$doc])* $name = $code,)* }

        impl $enum {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The value with code `code`.
            pub const fn from_code(code: u16) -> Option<Self> {
                match code { $($code => Some(Self::$name),)* _ => None }
            }

            /// Name for reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

codes! {
/// Operator of a node. Codes are part of the format and are never used again for another operator.
OpCode {
    /// 2-D convolution, grouped or not.
    Conv2d = 0,
    /// Convolution of each channel on its own.
    DepthwiseConv2d = 1,
    /// Matrix times vector.
    FullyConnected = 2,
    /// Mean over windows.
    AveragePool2d = 3,
    /// Maximum over windows.
    MaxPool2d = 4,
    /// Sum of two tensors.
    Add = 5,
    /// Difference of two tensors.
    Sub = 6,
    /// Product of two tensors.
    Mul = 7,
    /// Larger of two tensors.
    Maximum = 8,
    /// Smaller of two tensors.
    Minimum = 9,
    /// Any function of one int8 value: activations and requantization.
    Lookup = 10,
    /// Softmax over the last dimension.
    Softmax = 11,
    /// Constant padding.
    Pad = 12,
    /// Mean over any axes.
    Mean = 13,
    /// Joins tensors along one axis.
    Concatenation = 14,
    /// Permutes dimensions.
    Transpose = 15,
    /// Takes a strided part.
    StridedSlice = 16,
    /// Float to int8.
    Quantize = 17,
    /// Int8 to float.
    Dequantize = 18,
    /// Index of the largest value along one axis.
    ArgMax = 19,
    /// Nearest-neighbour resize.
    ResizeNearest = 20,
    /// Bilinear resize.
    ResizeBilinear = 21,
    /// Transposed convolution.
    TransposeConv2d = 22,
    /// Copies bytes: a reshape whose result must stand in a place of its own.
    Copy = 23,
    /// Matrix times vector of real numbers, which are quantized at run time.
    DynamicFullyConnected = 24,
}
}

codes! {
/// How an operator's weights are stored. Codes are part of the format.
Packing {
    /// In the operator's own order, one element after another.
    Plain = 0,
    /// Byte-pair lanes ([`crate::packing::lanes`]).
    Lanes = 1,
    /// Vertical pairs of a 3x3 depthwise kernel ([`crate::packing::row_pairs`]).
    RowPairs = 2,
    /// Vertical pairs of a depthwise kernel of any size ([`crate::packing::tap_pairs`]).
    TapPairs = 3,
    /// Int4 lanes of four channels ([`crate::packing::nibble_lanes`]).
    NibbleLanes = 4,
    /// Int4 in the operator's own order, two per byte ([`crate::packing::nibbles`]).
    Nibbles = 5,
    /// Int4 in the order of channels, two per byte, which become row pairs in scratch.
    NibbleRowPairs = 6,
    /// The same for tap pairs.
    NibbleTapPairs = 7,
    /// Bits that become masks in scratch ([`crate::packing::signs`]).
    Signs = 8,
    /// Bits for inputs that are binary too ([`crate::packing::xnor`]).
    Xnor = 9,
}
}

/// One node, 24 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct NodeRecord {
    /// Code of an [`OpCode`].
    pub op: u16,
    /// Code of a [`Packing`].
    pub packing: u16,
    /// Index of the first operand in the operand section: inputs, then outputs. They follow those of the node before.
    pub operands: u32,
    /// Number of inputs.
    pub inputs: u8,
    /// Number of outputs.
    pub outputs: u8,
    /// Zero.
    pub reserved: u16,
    /// Bytes from the start of the parameter section.
    pub params: u32,
    /// Bytes from the start of the arena.
    pub scratch: u32,
    /// Bytes of scratch.
    pub scratch_len: u32,
}

impl NodeRecord {
    /// Position of the scratch in the arena; `0..0`, which overlaps nothing, if there is none.
    pub fn scratch_range(&self) -> core::ops::Range<usize> {
        let start = if self.scratch_len == 0 { 0 } else { self.scratch as usize };
        start..start.saturating_add(self.scratch_len as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_fit_the_required_set_and_are_unique() {
        for (i, &op) in OpCode::ALL.iter().enumerate() {
            assert!((op as u16) < 64);
            assert_eq!(OpCode::from_code(op as u16), Some(op));
            assert!(!OpCode::ALL[..i].contains(&op));
        }
        assert_eq!(size_of::<NodeRecord>(), 24);
    }
}
