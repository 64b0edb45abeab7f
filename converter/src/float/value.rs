//! Elements of one tensor while a graph runs.

use std::borrow::Cow;

use crate::ir::{DType, Tensor};

/// Elements in row-major order.
///
/// Integers are exact; their quantization, where they have one, stands in the graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Of a tensor of real numbers.
    Real(Vec<f32>),
    /// Of a tensor of integers or booleans.
    Integer(Vec<i64>),
}

impl Value {
    /// The elements of a constant; `None` if the tensor is not one.
    pub(super) fn of(tensor: &Tensor) -> Option<Self> {
        match tensor.dtype {
            DType::F32 => tensor.f32_values().map(Value::Real),
            DType::F16 => tensor.dequantized().map(Value::Real),
            _ => tensor.integer_values().map(Value::Integer),
        }
    }

    /// Elements given as real numbers for a tensor of the type.
    pub(super) fn from_real(values: &[f32], dtype: DType) -> Self {
        if dtype.is_float() {
            Value::Real(values.to_vec())
        } else {
            Value::Integer(values.iter().map(|&value| value as i64).collect())
        }
    }

    /// The elements as real numbers.
    pub(super) fn real(&self) -> Cow<'_, [f32]> {
        match self {
            Value::Real(values) => Cow::Borrowed(values),
            Value::Integer(values) => values.iter().map(|&value| value as f32).collect(),
        }
    }

    /// The elements as real numbers.
    pub(super) fn into_real(self) -> Vec<f32> {
        match self {
            Value::Real(values) => values,
            integers => integers.real().into_owned(),
        }
    }

    /// The bytes of a constant of the type, which is of the same kind; integers that do not fit are cut.
    pub(super) fn encode(&self, dtype: DType) -> Vec<u8> {
        let half = |value: &f32| half::f16::from_f32(*value).to_le_bytes();
        match self {
            Value::Real(values) if dtype == DType::F16 => values.iter().flat_map(half).collect(),
            Value::Real(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Value::Integer(values) => {
                let size = dtype.size();
                values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(size)).collect()
            }
        }
    }
}

/// Bytes of one element of a [`Value`] of the type.
pub(super) fn element_bytes(dtype: DType) -> usize {
    if dtype.is_float() { size_of::<f32>() } else { size_of::<i64>() }
}

impl From<Vec<f32>> for Value {
    fn from(values: Vec<f32>) -> Self {
        Value::Real(values)
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Self {
        Value::Integer(values)
    }
}
