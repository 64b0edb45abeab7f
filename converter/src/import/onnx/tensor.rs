//! Tensors of the file: initializers, and those that attributes hold.

use std::path::Path;
use std::sync::Arc;

use half::{bf16, f16};
use rten_onnx::onnx::{DataLocation, DataType, TensorProto};

use super::OnnxFault;
use super::external;
use crate::import::ImportFault;
use crate::ir::{DType, Fault, Shape, Tensor};

/// The type that elements have in the graph: real numbers are f32, unsigned integers of more than 8 bits are widened.
///
/// # Errors
/// If the type is not supported.
pub(super) fn element_type(data_type: DataType) -> Result<DType, OnnxFault> {
    Ok(match data_type {
        DataType::FLOAT | DataType::FLOAT16 | DataType::BFLOAT16 | DataType::DOUBLE => DType::F32,
        DataType::INT8 => DType::I8,
        DataType::UINT8 | DataType::UINT4 => DType::U8,
        DataType::INT4 => DType::I4,
        DataType::INT16 => DType::I16,
        DataType::INT32 | DataType::UINT16 => DType::I32,
        DataType::INT64 | DataType::UINT32 | DataType::UINT64 => DType::I64,
        DataType::BOOL => DType::Bool,
        other => {
            let advice = "use float32, or int8 where quantized";
            return Err(OnnxFault::Type { name: other.to_string(), advice });
        }
    })
}

/// A constant with the elements of `tensor`. Data in other files is looked for in `folder`.
///
/// # Errors
/// What makes the tensor unusable.
pub(super) fn read(tensor: TensorProto, folder: Option<&Path>) -> Result<Tensor, ImportFault> {
    let data_type = tensor.data_type.unwrap_or(DataType(0));
    let dtype = element_type(data_type)?;
    let shape = shape(&tensor.dims)?;
    let elements = shape.elements().or_else(|| shape.contains(&0).then_some(0));
    let elements = elements.ok_or_else(|| Fault::Size { shape: shape.clone() })?;
    let name = tensor.name.clone().unwrap_or_default();
    let four_bits = matches!(data_type, DataType::INT4 | DataType::UINT4);
    let bytes = match stored_size(data_type) {
        _ if four_bits => elements.div_ceil(2),
        size => elements * size,
    };
    let raw = if tensor.data_location == Some(DataLocation::EXTERNAL) {
        Some(external::read(&tensor.external_data, bytes, folder)?)
    } else {
        tensor.raw_data.as_ref().map(|data| data.take()).filter(|data| !data.is_empty())
    };
    let data = match raw {
        Some(raw) if raw.len() != bytes => {
            return Err(OnnxFault::RawLength { found: raw.len(), expected: bytes, shape }.into());
        }
        Some(raw) if four_bits => unpacked(&raw, elements, data_type == DataType::INT4),
        Some(raw) => from_raw(raw, data_type)?,
        None => from_numbers(&tensor, data_type, elements, &shape)?,
    };
    Ok(Tensor { name, shape, dtype, quantization: None, data: Some(data) })
}

fn shape(dims: &[i64]) -> Result<Shape, ImportFault> {
    if dims.len() > Shape::MAX_RANK {
        return Err(ImportFault::RankTooHigh { rank: dims.len(), most: Shape::MAX_RANK });
    }
    let known = dims.iter().map(|&dimension| {
        usize::try_from(dimension).map_err(|_| Fault::Attribute {
            attribute: "dims",
            value: format!("{dims:?}"),
            expected: "must be 0 or more; the file is damaged".into(),
        })
    });
    Ok(known.collect::<Result<Vec<_>, _>>()?.into())
}

/// Bytes of an element in the raw form.
fn stored_size(data_type: DataType) -> usize {
    match data_type {
        DataType::DOUBLE | DataType::INT64 | DataType::UINT64 => 8,
        DataType::FLOAT | DataType::INT32 | DataType::UINT32 => 4,
        DataType::FLOAT16 | DataType::BFLOAT16 | DataType::INT16 | DataType::UINT16 => 2,
        _ => 1,
    }
}

/// Elements of four bits, the lower half of a byte first, one per byte.
fn unpacked(raw: &[u8], elements: usize, signed: bool) -> Arc<[u8]> {
    let halves = raw.iter().flat_map(|&byte| [byte & 0x0F, byte >> 4]);
    let extended = halves.map(|half| if signed && half >= 8 { half | 0xF0 } else { half });
    extended.take(elements).collect()
}

/// Raw elements in the graph's types.
fn from_raw(raw: Vec<u8>, data_type: DataType) -> Result<Arc<[u8]>, OnnxFault> {
    fn map<const SIZE: usize, const WIDE: usize>(
        raw: &[u8],
        convert: impl Fn([u8; SIZE]) -> [u8; WIDE],
    ) -> Arc<[u8]> {
        raw.as_chunks::<SIZE>().0.iter().flat_map(|&bytes| convert(bytes)).collect()
    }
    Ok(match data_type {
        DataType::FLOAT16 => map(&raw, |bytes| f16::from_le_bytes(bytes).to_f32().to_le_bytes()),
        DataType::BFLOAT16 => map(&raw, |bytes| bf16::from_le_bytes(bytes).to_f32().to_le_bytes()),
        DataType::DOUBLE => map(&raw, |bytes| (f64::from_le_bytes(bytes) as f32).to_le_bytes()),
        DataType::UINT16 => map(&raw, |bytes| i32::from(u16::from_le_bytes(bytes)).to_le_bytes()),
        DataType::UINT32 => map(&raw, |bytes| i64::from(u32::from_le_bytes(bytes)).to_le_bytes()),
        DataType::UINT64 => {
            let values = raw.as_chunks().0.iter().map(|&bytes| u64::from_le_bytes(bytes));
            if let Some(value) = values.into_iter().find(|&value| i64::try_from(value).is_err()) {
                return Err(OnnxFault::Value { value: value.to_string(), dtype: "i64" });
            }
            raw.into()
        }
        DataType::BOOL => raw.iter().map(|&byte| u8::from(byte != 0)).collect(),
        _ => raw.into(),
    })
}

/// Elements from the lists of numbers, in the graph's types.
fn from_numbers(
    tensor: &TensorProto,
    data_type: DataType,
    elements: usize,
    shape: &Shape,
) -> Result<Arc<[u8]>, OnnxFault> {
    let check = |found: usize, expected: usize| match found == expected {
        true => Ok(()),
        false => Err(OnnxFault::Length { found, expected, shape: shape.clone() }),
    };
    let narrow = &tensor.int32_data;
    match data_type {
        DataType::FLOAT => {
            check(tensor.float_data.len(), elements)?;
            Ok(tensor.float_data.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        DataType::DOUBLE => {
            check(tensor.double_data.len(), elements)?;
            Ok(tensor.double_data.iter().flat_map(|&value| (value as f32).to_le_bytes()).collect())
        }
        DataType::INT64 => {
            check(tensor.int64_data.len(), elements)?;
            Ok(tensor.int64_data.iter().flat_map(|value| value.to_le_bytes()).collect())
        }
        DataType::UINT32 | DataType::UINT64 if elements > 0 => Err(OnnxFault::Type {
            name: data_type.to_string(),
            advice: "numbers of this type are read in raw form only: save the model again",
        }),
        DataType::INT4 | DataType::UINT4 => {
            check(narrow.len(), elements.div_ceil(2))?;
            let raw: Vec<u8> = narrow.iter().map(|&pair| pair as u8).collect();
            Ok(unpacked(&raw, elements, data_type == DataType::INT4))
        }
        _ => {
            check(narrow.len(), elements)?;
            // Halves are stored by their bits, smaller integers by their value.
            let raw: Vec<u8> = narrow
                .iter()
                .flat_map(|value| value.to_le_bytes().into_iter().take(stored_size(data_type)))
                .collect();
            from_raw(raw, data_type)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn raw(data_type: DataType, dims: &[i64], bytes: &[u8]) -> Result<Tensor, ImportFault> {
        let raw_data = Some(RefCell::new(bytes.to_vec()));
        let data_type = Some(data_type);
        read(TensorProto { dims: dims.to_vec(), data_type, raw_data, ..TensorProto::default() }, None)
    }

    #[test]
    fn every_kind_of_real_number_becomes_f32() {
        let half = raw(DataType::FLOAT16, &[1], &f16::from_f32(1.5).to_le_bytes()).unwrap();
        let brain = raw(DataType::BFLOAT16, &[1], &bf16::from_f32(-2.0).to_le_bytes()).unwrap();
        let double = raw(DataType::DOUBLE, &[], &0.25f64.to_le_bytes()).unwrap();
        assert_eq!(half.f32_values(), Some(vec![1.5]));
        assert_eq!(brain.f32_values(), Some(vec![-2.0]));
        assert_eq!(double.f32_values(), Some(vec![0.25]));
        let listed = TensorProto {
            dims: vec![2],
            data_type: Some(DataType::FLOAT16),
            int32_data: vec![0x3C00, 0xC000],
            ..TensorProto::default()
        };
        assert_eq!(read(listed, None).unwrap().f32_values(), Some(vec![1.0, -2.0]));
    }

    #[test]
    fn four_bits_are_unpacked_from_the_lower_half() {
        let signed = raw(DataType::INT4, &[3], &[0xF1, 0x08]).unwrap();
        assert_eq!(signed.weight_values(), Some(vec![1, -1, -8]));
        let unsigned = raw(DataType::UINT4, &[2], &[0xF1]).unwrap();
        assert_eq!(unsigned.integer_values(), Some(vec![1, 15]));
    }

    #[test]
    fn lengths_must_fit() {
        let short = raw(DataType::FLOAT, &[2], &[0; 7]).unwrap_err();
        assert!(short.to_string().contains("7 bytes of data, but the shape [2] takes 8"));
        let absent = raw(DataType::INT64, &[3], &[]).unwrap_err();
        assert!(absent.to_string().contains("0 elements of data, but the shape [3] takes 3"));
        let huge = raw(DataType::INT8, &[i64::MAX, 3], &[0]).unwrap_err();
        assert!(huge.to_string().contains("elements are supported"));
        let negative = raw(DataType::INT8, &[-1], &[0]).unwrap_err();
        assert!(negative.to_string().contains("dims"));
    }

    #[test]
    fn large_unsigned_numbers_are_refused() {
        assert_eq!(raw(DataType::UINT64, &[1], &7u64.to_le_bytes()).unwrap().i64_values(), Some(vec![7]));
        assert!(raw(DataType::UINT64, &[1], &[0xFF; 8]).is_err());
    }
}
