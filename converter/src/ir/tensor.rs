//! Tensors: type, shape, quantization and, for constants, data.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ir::Shape;

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DType {
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 half precision.
    F16,
    /// 8-bit signed integer.
    I8,
    /// 8-bit unsigned integer.
    U8,
    /// 16-bit signed integer.
    I16,
    /// 32-bit signed integer.
    I32,
    /// 64-bit signed integer.
    I64,
    /// One byte, 0 or 1.
    Bool,
    /// Weights of 4 bits, -8 to 7: one per byte in the graph, packed when the model is lowered.
    I4,
    /// Weights of 1 bit, -1 or 1: one per byte in the graph, packed when the model is lowered.
    B1,
}

impl DType {
    /// Every type.
    pub const ALL: [DType; 10] = [
        DType::F32,
        DType::F16,
        DType::I8,
        DType::U8,
        DType::I16,
        DType::I32,
        DType::I64,
        DType::Bool,
        DType::I4,
        DType::B1,
    ];

    /// Bytes of one element in the graph.
    pub const fn size(self) -> usize {
        match self {
            DType::I8 | DType::U8 | DType::Bool | DType::I4 | DType::B1 => 1,
            DType::F16 | DType::I16 => 2,
            DType::F32 | DType::I32 => 4,
            DType::I64 => 8,
        }
    }

    /// The name used in the textual form and in messages: `i8`.
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "f32",
            DType::F16 => "f16",
            DType::I8 => "i8",
            DType::U8 => "u8",
            DType::I16 => "i16",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::Bool => "bool",
            DType::I4 => "i4",
            DType::B1 => "b1",
        }
    }

    /// The type with the given name.
    pub fn from_name(name: &str) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| dtype.name() == name)
    }

    /// Whether values of this type are real numbers, not integers.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F16)
    }

    /// The values a zero point of this type may have, or `None` if the type cannot be quantized.
    ///
    /// 32- and 64-bit integers hold biases and accumulators, 4 bits and 1 bit weights; their zero point is 0.
    pub const fn zero_points(self) -> Option<RangeInclusive<i32>> {
        match self {
            DType::I8 => Some(i8::MIN as i32..=i8::MAX as i32),
            DType::U8 => Some(0..=u8::MAX as i32),
            DType::I16 => Some(i16::MIN as i32..=i16::MAX as i32),
            DType::I32 | DType::I64 | DType::I4 | DType::B1 => Some(0..=0),
            DType::F32 | DType::F16 | DType::Bool => None,
        }
    }
}

/// By [`DType::name`].
impl Serialize for DType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'d> Deserialize<'d> for DType {
    fn deserialize<D: Deserializer<'d>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        DType::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("no element type: {name}")))
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How integers stand for real numbers: `real = scale * (integer - zero_point)`.
///
/// One scale: the whole tensor. Several: one per index along `axis`. There are as many zero points as scales.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantization {
    /// Positive, finite.
    pub scales: Vec<f32>,
    /// Within the tensor's type.
    pub zero_points: Vec<i32>,
    /// The axis that several scales run along; 0 if there is one scale.
    pub axis: usize,
}

impl Quantization {
    /// One scale and zero point for the whole tensor.
    pub fn per_tensor(scale: f32, zero_point: i32) -> Self {
        Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 }
    }

    /// One scale per index along `axis`, zero points 0.
    pub fn per_channel(scales: Vec<f32>, axis: usize) -> Self {
        Quantization { zero_points: vec![0; scales.len()], scales, axis }
    }

    /// Scale and zero point, if they hold for the whole tensor.
    pub fn single(&self) -> Option<(f32, i32)> {
        match (self.scales.as_slice(), self.zero_points.as_slice()) {
            (&[scale], &[zero_point]) => Some((scale, zero_point)),
            _ => None,
        }
    }
}

/// A value of the graph: an input, a constant, or what a node writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// For messages and metadata; neither unique nor necessarily present.
    pub name: String,
    /// Dimensions; activations are NHWC.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// Present where integers stand for real numbers.
    pub quantization: Option<Quantization>,
    /// A constant's elements: row-major, little-endian, `shape.elements() * dtype.size()` bytes.
    pub data: Option<Arc<[u8]>>,
}

impl Tensor {
    /// A tensor without quantization and data.
    pub fn new(name: impl Into<String>, dtype: DType, shape: impl Into<Shape>) -> Self {
        Tensor { name: name.into(), shape: shape.into(), dtype, quantization: None, data: None }
    }

    /// A constant of type f32.
    pub fn constant_f32(name: impl Into<String>, shape: impl Into<Shape>, values: &[f32]) -> Self {
        Tensor::new(name, DType::F32, shape).with_data(values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// A constant of type i8.
    pub fn constant_i8(name: impl Into<String>, shape: impl Into<Shape>, values: &[i8]) -> Self {
        Tensor::new(name, DType::I8, shape).with_data(values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// A constant of type i32.
    pub fn constant_i32(name: impl Into<String>, shape: impl Into<Shape>, values: &[i32]) -> Self {
        Tensor::new(name, DType::I32, shape).with_data(values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// The tensor, quantized as given.
    pub fn with_quantization(mut self, quantization: Quantization) -> Self {
        self.quantization = Some(quantization);
        self
    }

    /// The tensor as a constant with the given bytes.
    pub fn with_data(mut self, bytes: impl IntoIterator<Item = u8>) -> Self {
        self.data = Some(bytes.into_iter().collect());
        self
    }

    /// Whether the tensor has data.
    pub fn is_constant(&self) -> bool {
        self.data.is_some()
    }

    /// Bytes of all elements, or `None` if the shape is unacceptable.
    pub fn byte_len(&self) -> Option<usize> {
        self.shape.elements()?.checked_mul(self.dtype.size())
    }

    /// The elements, if this is a constant of type f32.
    pub fn f32_values(&self) -> Option<Vec<f32>> {
        self.values(DType::F32, f32::from_le_bytes)
    }

    /// The elements, if this is a constant of type i8.
    ///
    /// Weights of fewer bits are read by [`Self::weight_values`].
    pub fn i8_values(&self) -> Option<Vec<i8>> {
        self.values(DType::I8, i8::from_le_bytes)
    }

    /// The weights, if this is a constant of 8, 4 or 1 bits.
    pub fn weight_values(&self) -> Option<Vec<i8>> {
        match self.dtype {
            DType::I8 | DType::I4 | DType::B1 => self.values(self.dtype, i8::from_le_bytes),
            _ => None,
        }
    }

    /// The elements, if this is a constant of type i16.
    pub fn i16_values(&self) -> Option<Vec<i16>> {
        self.values(DType::I16, i16::from_le_bytes)
    }

    /// The elements, if this is a constant of type i32.
    pub fn i32_values(&self) -> Option<Vec<i32>> {
        self.values(DType::I32, i32::from_le_bytes)
    }

    /// The elements, if this is a constant of type i64.
    pub fn i64_values(&self) -> Option<Vec<i64>> {
        self.values(DType::I64, i64::from_le_bytes)
    }

    /// The elements as they are stored (not scaled), if this is a constant of any integer type or bool.
    pub fn integer_values(&self) -> Option<Vec<i64>> {
        match self.dtype {
            DType::I8 | DType::I4 | DType::B1 => {
                self.values(self.dtype, |bytes| i8::from_le_bytes(bytes).into())
            }
            DType::U8 | DType::Bool => self.values(self.dtype, |[byte]| byte.into()),
            DType::I16 => self.values(DType::I16, |bytes| i16::from_le_bytes(bytes).into()),
            DType::I32 => self.values(DType::I32, |bytes| i32::from_le_bytes(bytes).into()),
            DType::I64 => self.i64_values(),
            DType::F32 | DType::F16 => None,
        }
    }

    /// The real numbers that a constant of i8, u8, i16, i32 or half precision stands for; `None` for other tensors,
    /// and where scales or data do not fit the shape.
    pub fn dequantized(&self) -> Option<Vec<f32>> {
        if self.dtype == DType::F16 {
            return self.values(DType::F16, |bytes| half::f16::from_le_bytes(bytes).to_f32());
        }
        let stored = self.integer_values()?;
        let Quantization { scales, zero_points, axis } = self.quantization.as_ref()?;
        let channels = scales.len();
        let fits = channels == 1 || self.shape.get(*axis) == Some(&channels);
        if !fits || zero_points.len() != channels || self.shape.elements() != Some(stored.len()) {
            return None;
        }
        let inner: usize = self.shape.iter().skip(axis.checked_add(1)?).product();
        let real = stored.iter().enumerate().map(|(index, &value)| {
            let channel = index / inner % channels;
            scales[channel] * value.saturating_sub(zero_points[channel].into()) as f32
        });
        Some(real.collect())
    }

    fn values<const SIZE: usize, T>(&self, dtype: DType, decode: impl Fn([u8; SIZE]) -> T) -> Option<Vec<T>> {
        let data = self.data.as_ref().filter(|_| self.dtype == dtype)?;
        let (elements, []) = data.as_chunks::<SIZE>() else { return None };
        Some(elements.iter().map(|&bytes| decode(bytes)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for dtype in DType::ALL {
            assert_eq!(DType::from_name(dtype.name()), Some(dtype));
        }
        assert_eq!(DType::from_name("int8"), None);
    }

    #[test]
    fn constants_decode_what_was_encoded() {
        let floats = Tensor::constant_f32("w", [2], &[1.5, -0.0]);
        assert_eq!(floats.f32_values(), Some(vec![1.5, -0.0]));
        assert_eq!(floats.i32_values(), None);
        assert_eq!(floats.integer_values(), None);
        let bias = Tensor::constant_i32("b", [2], &[-1, i32::MAX]);
        assert_eq!(bias.integer_values(), Some(vec![-1, i32::MAX.into()]));
        assert_eq!(bias.byte_len(), bias.data.as_ref().map(|data| data.len()));
    }

    #[test]
    fn ragged_data_has_no_values() {
        let ragged = Tensor::new("w", DType::I32, [1]).with_data([1, 2, 3]);
        assert_eq!(ragged.i32_values(), None);
    }

    #[test]
    fn only_one_scale_is_single() {
        assert_eq!(Quantization::per_tensor(0.5, 3).single(), Some((0.5, 3)));
        assert_eq!(Quantization::per_channel(vec![0.5, 0.25], 0).single(), None);
    }
}
