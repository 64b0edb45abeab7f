//! Tensor records: element type, shape, place and quantization.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{ALIGN, TensorFault};

/// Largest number of dimensions.
pub const MAX_RANK: usize = 6;

/// Element type of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum DType {
    /// Signed byte, affine: real = scale x (value - zero point).
    I8 = 0,
    /// Signed 32-bit integer: indices.
    I32 = 1,
    /// IEEE 754 binary32: at the edges of a model, and around layers whose inputs are quantized at run time.
    F32 = 2,
    /// Signed 16-bit integer.
    I16 = 3,
}

impl DType {
    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
        }
    }

    /// The type with code `code`.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::I8),
            1 => Some(Self::I32),
            2 => Some(Self::F32),
            3 => Some(Self::I16),
            _ => None,
        }
    }
}

/// Where a tensor's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum Place {
    /// In the arena; written while the model runs.
    Arena = 0,
    /// In the constant section of the file.
    Constant = 1,
}

/// Dimensions of a tensor, outermost first, 1 to [`MAX_RANK`] of them. Images are NHWC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Shape {
    dims: [u32; MAX_RANK],
    rank: u32,
}

impl Shape {
    /// A shape of these dimensions; `None` unless there are 1 to [`MAX_RANK`], each at least 1, and their product
    /// fits 31 bits.
    pub fn new(dims: &[u32]) -> Option<Self> {
        let mut shape = Self { dims: [0; MAX_RANK], rank: u32::try_from(dims.len()).ok()? };
        shape.dims.get_mut(..dims.len())?.copy_from_slice(dims);
        shape.is_valid().then_some(shape)
    }

    /// The dimensions.
    pub fn dims(&self) -> &[u32] {
        self.dims.get(..self.rank as usize).unwrap_or_default()
    }

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.dims().len()
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.dims().iter().fold(1usize, |product, &d| product.wrapping_mul(d as usize))
    }

    /// The last dimension.
    #[inline]
    pub fn last(&self) -> usize {
        self.dims().last().map_or(1, |&d| d as usize)
    }

    /// The last dimension, and the product of the ones before it.
    pub fn rows(&self) -> (usize, usize) {
        let last = self.last();
        (self.elements() / last.max(1), last)
    }

    /// `[batch, height, width, channels]` of a shape of rank 4.
    pub fn nhwc(&self) -> Option<[usize; 4]> {
        match *self.dims() {
            [n, h, w, c] => Some([n as usize, h as usize, w as usize, c as usize]),
            _ => None,
        }
    }

    /// The dimensions, with ones in front to fill [`MAX_RANK`].
    pub fn extended(&self) -> [usize; MAX_RANK] {
        let mut out = [1; MAX_RANK];
        for (to, &from) in out.iter_mut().rev().zip(self.dims().iter().rev()) {
            *to = from as usize;
        }
        out
    }

    fn is_valid(&self) -> bool {
        let rank = self.rank as usize;
        let Some((used, unused)) = self.dims.split_at_checked(rank) else { return false };
        rank > 0
            && unused.iter().all(|&d| d == 0)
            && used.iter().all(|&d| d > 0)
            && used
                .iter()
                .try_fold(1u32, |product, &d| product.checked_mul(d))
                .is_some_and(|n| n <= i32::MAX as u32)
    }
}

/// One tensor, 48 bytes.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct TensorRecord {
    /// Dimensions.
    pub shape: Shape,
    /// Bytes from the start of the arena or of the constant section; a multiple of [`ALIGN`].
    pub offset: u32,
    /// Length in bytes: what shape and element type give. It stands here so that no run computes it.
    pub len: u32,
    /// Code of a [`Place`].
    pub place: u8,
    /// Code of a [`DType`].
    pub dtype: u8,
    /// Zero.
    pub reserved: u16,
    /// Quantized value that stands for 0.0.
    pub zero_point: i32,
    /// Step of the quantized values; 0 if the tensor is not quantized.
    pub scale: f32,
}

impl TensorRecord {
    /// A record; shape, type and place are the caller's, already valid.
    pub fn new(shape: Shape, dtype: DType, place: Place, offset: u32) -> Self {
        Self {
            len: u32::try_from(byte_len(&shape, dtype)).unwrap_or(u32::MAX),
            shape,
            offset,
            place: place as u8,
            dtype: dtype as u8,
            reserved: 0,
            zero_point: 0,
            scale: 0.0,
        }
    }

    /// Element type. `None` cannot occur in a loaded model.
    pub fn dtype(&self) -> Option<DType> {
        DType::from_code(self.dtype)
    }

    /// Whether the bytes are in the arena.
    pub fn in_arena(&self) -> bool {
        self.place == Place::Arena as u8
    }

    /// Length in bytes.
    #[inline]
    pub fn byte_len(&self) -> usize {
        self.len as usize
    }

    /// Position of the bytes in the arena or in the constant section.
    #[inline]
    pub fn range(&self) -> core::ops::Range<usize> {
        let start = self.offset as usize;
        start..start.saturating_add(self.byte_len())
    }

    /// Checks the record against the sizes of the arena and of the constant section.
    pub(super) fn check(&self, arena_len: usize, constants_len: usize) -> Result<(), TensorFault> {
        if !self.shape.is_valid() {
            return Err(TensorFault::Shape);
        }
        let dtype = self.dtype().ok_or(TensorFault::DType)?;
        let room = match self.place {
            0 => arena_len,
            1 => constants_len,
            _ => return Err(TensorFault::Place),
        };
        if self.byte_len() != byte_len(&self.shape, dtype) {
            return Err(TensorFault::Range);
        }
        if self.range().end > room || !(self.offset as usize).is_multiple_of(ALIGN) {
            return Err(TensorFault::Range);
        }
        let zero_point = match dtype {
            DType::I8 => -128..=127,
            DType::I16 | DType::I32 | DType::F32 => 0..=0,
        };
        let scale_is_valid = self.scale.is_finite() && self.scale >= 0.0;
        if scale_is_valid && zero_point.contains(&self.zero_point) && self.reserved == 0 {
            Ok(())
        } else {
            Err(TensorFault::Quantization)
        }
    }
}

/// Bytes of a tensor.
fn byte_len(shape: &Shape, dtype: DType) -> usize {
    shape.elements().saturating_mul(dtype.size())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_refused_when_empty_too_long_or_too_large() {
        assert!(Shape::new(&[]).is_none());
        assert!(Shape::new(&[1; 7]).is_none());
        assert!(Shape::new(&[3, 0]).is_none());
        assert!(Shape::new(&[65536, 65536]).is_none());
        assert_eq!(Shape::new(&[2, 3, 4]).map(|s| (s.elements(), s.rows())), Some((24, (6, 4))));
    }

    #[test]
    fn record_is_48_bytes_and_round_trips() {
        let shape = Shape::new(&[1, 2, 3, 4]).unwrap();
        let record = TensorRecord {
            zero_point: -7,
            scale: 0.5,
            ..TensorRecord::new(shape, DType::I8, Place::Arena, 8)
        };
        assert_eq!(record.as_bytes().len(), 48);
        assert_eq!(TensorRecord::read_from_bytes(record.as_bytes()).unwrap(), record);
        assert_eq!(record.check(32, 0), Ok(()));
        assert_eq!(record.check(31, 0), Err(TensorFault::Range));
        assert_eq!(TensorRecord { len: 23, ..record }.check(32, 0), Err(TensorFault::Range));
    }
}
