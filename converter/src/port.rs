//! Tensors as a user of a model sees them: name, type, shape, quantization.

use secateur::Model;
use secateur::format::{DType, TensorRecord};
use serde::Serialize;

use crate::facts::Facts;
use crate::io::npy;
use crate::ir::shape::Dimensions;

/// An input or output of a model, or a tensor between two nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Port {
    /// Name in the source model.
    pub name: String,
    /// Element type as NumPy calls it: `int8`, `int16`, `int32` or `float32`.
    #[serde(serialize_with = "serialize_dtype")]
    pub dtype: DType,
    /// Dimensions, outermost first.
    pub shape: Vec<u32>,
    /// Length in bytes.
    pub bytes: usize,
    /// Step of the quantized values; null if the tensor is not quantized.
    pub scale: Option<f32>,
    /// Quantized value that stands for 0.0; null if the tensor is not quantized.
    pub zero_point: Option<i32>,
}

impl Port {
    /// Describes a tensor of a checked file.
    pub fn new(name: String, record: &TensorRecord) -> Self {
        let quantized = record.scale > 0.0;
        Self {
            name,
            // A loaded model has known types only.
            dtype: record.dtype().unwrap_or(DType::I8),
            shape: record.shape.dims().to_vec(),
            bytes: record.byte_len(),
            scale: quantized.then_some(record.scale),
            zero_point: quantized.then_some(record.zero_point),
        }
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.bytes / self.dtype.size()
    }

    /// `int8 [1,28,28,1]`
    pub fn format(&self) -> String {
        format!("{} {}", dtype_name(self.dtype), Dimensions(&self.shape))
    }

    /// The real numbers that `bytes` stand for: scaled if the tensor is quantized, else as they are.
    pub fn real_values(&self, bytes: &[u8]) -> Vec<f64> {
        let (scale, zero_point) = (self.scale.map_or(1.0, f64::from), self.zero_point.unwrap_or(0));
        let dequantize = |value: i32| scale * f64::from(value.wrapping_sub(zero_point));
        match self.dtype {
            DType::I8 => bytes.iter().map(|&byte| dequantize(byte.cast_signed().into())).collect(),
            DType::I16 => {
                bytes.as_chunks().0.iter().map(|&b| dequantize(i16::from_le_bytes(b).into())).collect()
            }
            DType::I32 => bytes.as_chunks().0.iter().map(|&b| dequantize(i32::from_le_bytes(b))).collect(),
            DType::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b).into()).collect(),
        }
    }
}

impl Port {
    /// The real numbers that integers of this tensor stand for.
    pub fn real_integers(&self, values: &[i64]) -> Vec<f64> {
        let (scale, zero_point) = (self.scale.map_or(1.0, f64::from), self.zero_point.unwrap_or(0));
        values.iter().map(|&value| scale * (value as f64 - f64::from(zero_point))).collect()
    }

    /// The bytes that stand for real numbers: rounded to the nearest step, as far as the type reaches.
    pub fn encode_real(&self, values: &[f32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(values.len() * self.dtype.size());
        for &value in values {
            match self.integers() {
                Some((least, greatest)) => {
                    let _ = self.encode(self.stored(value).clamp(least, greatest), &mut bytes);
                }
                None => bytes.extend_from_slice(&value.to_le_bytes()),
            }
        }
        bytes
    }

    /// The integer nearest to a real number, halves away from zero; the type may not hold it.
    pub fn stored(&self, value: f32) -> i64 {
        let steps = (value / self.scale.unwrap_or(1.0)).round();
        // A float beyond i64 becomes its nearest, so the sum stays far from overflow after halving the range.
        (steps as i64).clamp(i64::MIN / 2, i64::MAX / 2) + i64::from(self.zero_point.unwrap_or(0))
    }

    /// The least and greatest integer that the type holds; `None` for real numbers.
    pub fn integers(&self) -> Option<(i64, i64)> {
        match self.dtype {
            DType::I8 => Some((i8::MIN.into(), i8::MAX.into())),
            DType::I16 => Some((i16::MIN.into(), i16::MAX.into())),
            DType::I32 => Some((i32::MIN.into(), i32::MAX.into())),
            DType::F32 => None,
        }
    }

    /// Appends an integer in the type's own bytes; `None` if it does not fit.
    pub fn encode(&self, value: i64, bytes: &mut Vec<u8>) -> Option<()> {
        match self.dtype {
            DType::I8 => bytes.extend_from_slice(&i8::try_from(value).ok()?.to_le_bytes()),
            DType::I16 => bytes.extend_from_slice(&i16::try_from(value).ok()?.to_le_bytes()),
            DType::I32 => bytes.extend_from_slice(&i32::try_from(value).ok()?.to_le_bytes()),
            DType::F32 => bytes.extend_from_slice(&(value as f32).to_le_bytes()),
        }
        Some(())
    }

    /// The least and greatest real number that the tensor can hold.
    pub fn bounds(&self) -> (f64, f64) {
        let Some((least, greatest)) = self.integers() else { return (f64::NEG_INFINITY, f64::INFINITY) };
        let real = self.real_integers(&[least, greatest]);
        (real[0], real[1])
    }

    /// The `.npy` file of this tensor over `vectors` vectors, whose bytes follow one another. The vectors run along the
    /// first axis: in the place of the tensor's own if that has length 1, before it if not.
    ///
    /// # Errors
    /// If there are more or fewer bytes.
    pub fn npy(&self, vectors: usize, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let own = self.shape.strip_prefix(&[1]).unwrap_or(&self.shape);
        let shape: Vec<usize> =
            std::iter::once(vectors).chain(own.iter().map(|&dimension| dimension as usize)).collect();
        fn values<const SIZE: usize, T>(bytes: &[u8], value: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
            bytes.as_chunks().0.iter().map(|&bytes| value(bytes)).collect()
        }
        match self.dtype {
            DType::I8 => npy::write(&shape, &values(bytes, i8::from_le_bytes)),
            DType::I16 => npy::write(&shape, &values(bytes, i16::from_le_bytes)),
            DType::I32 => npy::write(&shape, &values(bytes, i32::from_le_bytes)),
            DType::F32 => npy::write(&shape, &values(bytes, f32::from_le_bytes)),
        }
    }
}

/// The model's inputs.
pub fn inputs(model: &Model<'_>, facts: &Facts) -> Vec<Port> {
    ports(model, facts, model.tables().inputs())
}

/// The model's outputs.
pub fn outputs(model: &Model<'_>, facts: &Facts) -> Vec<Port> {
    ports(model, facts, model.tables().outputs())
}

/// The tensors with these indices.
pub fn ports(model: &Model<'_>, facts: &Facts, indices: &[u16]) -> Vec<Port> {
    let tensors = model.tables().tensors();
    let known = |&index: &u16| Some(Port::new(facts.tensor(index), tensors.get(usize::from(index))?));
    indices.iter().filter_map(known).collect()
}

/// Bytes of one vector: all ports one after another.
pub fn vector_bytes(ports: &[Port]) -> usize {
    ports.iter().map(|port| port.bytes).sum()
}

/// The bytes of each port over all vectors, from vectors that hold the ports one after another.
pub fn columns(ports: &[Port], vectors: &[u8]) -> Vec<Vec<u8>> {
    let mut columns = vec![Vec::new(); ports.len()];
    for mut vector in vectors.chunks_exact(vector_bytes(ports).max(1)) {
        for (port, column) in ports.iter().zip(&mut columns) {
            let (bytes, rest) = vector.split_at(port.bytes);
            column.extend_from_slice(bytes);
            vector = rest;
        }
    }
    columns
}

/// The type as NumPy calls it.
pub const fn dtype_name(dtype: DType) -> &'static str {
    match dtype {
        DType::I8 => "int8",
        DType::I16 => "int16",
        DType::I32 => "int32",
        DType::F32 => "float32",
    }
}

fn serialize_dtype<S: serde::Serializer>(dtype: &DType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(dtype_name(*dtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Elements;

    fn port(dtype: DType, shape: &[u32]) -> Port {
        let elements: u32 = shape.iter().product();
        Port {
            name: "x".to_owned(),
            dtype,
            shape: shape.to_vec(),
            bytes: elements as usize * dtype.size(),
            scale: Some(0.5),
            zero_point: Some(2),
        }
    }

    #[test]
    fn vectors_take_the_first_axis_of_an_npy() {
        let array = npy::read(&port(DType::I8, &[1, 2]).npy(2, &[1, 2, 3, 0xff]).unwrap()).unwrap();
        assert_eq!((array.shape, array.elements), (vec![2, 2], Elements::I8(vec![1, 2, 3, -1])));
        let array = npy::read(&port(DType::I16, &[2]).npy(1, &[1, 0, 2, 0]).unwrap()).unwrap();
        assert_eq!((array.shape, array.elements), (vec![1, 2], Elements::I64(vec![1, 2])));
    }

    #[test]
    fn columns_are_the_ports_of_all_vectors() {
        let ports = [port(DType::I8, &[1]), port(DType::I16, &[1])];
        assert_eq!(columns(&ports, &[1, 2, 2, 3, 4, 4]), [vec![1, 3], vec![2, 2, 4, 4]]);
        assert_eq!(ports[1].real_values(&[4, 0]), [1.0]);
    }
}
