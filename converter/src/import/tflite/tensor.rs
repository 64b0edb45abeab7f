//! Tensors and the buffers they refer to.

use std::sync::Arc;

use super::flatbuffer::{Broken, File, Table};
use super::schema::{TENSOR_TYPES, buffer, quantization, tensor};
use crate::import::ImportFault;
use crate::ir::{DType, Fault, Quantization, Shape, Tensor};

/// The buffers of a model: each is copied once, however many tensors use it.
pub(super) struct Buffers<'a> {
    file: &'a File<'a>,
    tables: Vec<Table<'a>>,
    copies: Vec<Option<Arc<[u8]>>>,
}

impl<'a> Buffers<'a> {
    pub(super) fn new(file: &'a File<'a>, tables: Vec<Table<'a>>) -> Self {
        Buffers { file, copies: vec![None; tables.len()], tables }
    }

    /// The contents of a buffer; `None` if it is empty, as that of tensors without data is.
    fn contents(&mut self, index: u32) -> Result<Option<Arc<[u8]>>, ImportFault> {
        let position = index as usize;
        let Some(table) = self.tables.get(position) else {
            let count = self.tables.len();
            return Err(ImportFault::Index { field: "buffer", index: index.into(), count });
        };
        if self.copies[position].is_none() {
            let mut bytes = table.bytes(buffer::DATA)?;
            let (offset, size) = (table.scalar(buffer::OFFSET, 0u64)?, table.scalar(buffer::SIZE, 0u64)?);
            // An offset of 1 marks a file that was to be written with outside buffers but fitted without.
            if bytes.is_empty() && offset > 1 {
                bytes = self.file.slice(offset, size).ok_or(table.outside(buffer::OFFSET))?;
            }
            self.copies[position] = (!bytes.is_empty()).then(|| bytes.into());
        }
        // Every use costs, not only the copy, since later steps may widen each tensor for itself.
        let contents = self.copies[position].clone();
        table.charge(buffer::DATA, contents.as_ref().map_or(0, |bytes| bytes.len()))?;
        Ok(contents)
    }
}

/// A tensor as far as it can be told, and what is wrong with it.
pub(super) struct ReadTensor {
    /// The name, for messages, even if the rest is unusable.
    pub(super) name: String,
    /// `None` if a fault, or an unsupported type, keeps the tensor from being used.
    pub(super) tensor: Option<Tensor>,
    /// Number in `TensorType`, if it is one that is not supported.
    pub(super) unsupported: Option<i8>,
    pub(super) faults: Vec<ImportFault>,
}

pub(super) fn read_tensor(table: Table<'_>, buffers: &mut Buffers<'_>) -> ReadTensor {
    let mut faults = Vec::new();
    let mut unsupported = None;
    let name =
        keep(&mut faults, table.text(tensor::NAME).map_err(Into::into)).unwrap_or_default().into_owned();
    let dtype = keep(&mut faults, table.scalar(tensor::TYPE, 0i8).map_err(Into::into)).and_then(|number| {
        let dtype = supported_type(number);
        unsupported = dtype.is_none().then_some(number);
        dtype
    });
    let shape = keep(&mut faults, read_shape(table));
    let data = keep(
        &mut faults,
        table.scalar(tensor::BUFFER, 0).map_err(Into::into).and_then(|index| buffers.contents(index)),
    );
    let rank = shape.as_ref().map_or(0, Shape::rank);
    let quantization = keep(&mut faults, read_quantization(table, rank));
    if let Some(fault) = keep(&mut faults, state_fault(table)).flatten() {
        faults.push(fault);
    }
    let tensor = match (dtype, shape, data, quantization) {
        (Some(dtype), Some(shape), Some(data), Some(quantization)) if faults.is_empty() => {
            // Real numbers keep the scales of an earlier stage in some files, without meaning.
            let quantization = quantization.filter(|_| dtype.zero_points().is_some());
            Some(Tensor { name: name.clone(), shape, dtype, quantization, data })
        }
        _ => None,
    };
    ReadTensor { name, tensor, unsupported, faults }
}

/// What to do about a type that is not supported, by its number in `TensorType`.
pub(super) fn advice_for_type(number: i8) -> (String, &'static str) {
    let known = usize::try_from(number).ok().and_then(|index| TENSOR_TYPES.get(index));
    let advice = match known.copied() {
        Some("FLOAT16") => "half precision is not supported: convert with full-integer quantization instead",
        Some("INT4") => "weights of 4 bits are not read from this format: convert with 8-bit weights",
        Some("UINT8") => "the older 8-bit quantization is not supported: convert with int8 quantization",
        Some("INT16") => "16-bit activations are not supported yet: convert with int8 activations",
        Some(_) => "the type is not supported: convert with full-integer quantization",
        None => "the type is not known: the file is damaged or newer than this importer",
    };
    (known.map_or_else(|| format!("type number {number}"), |name| (*name).to_string()), advice)
}

fn keep<T>(faults: &mut Vec<ImportFault>, result: Result<T, ImportFault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

fn supported_type(number: i8) -> Option<DType> {
    Some(match *TENSOR_TYPES.get(usize::try_from(number).ok()?)? {
        "FLOAT32" => DType::F32,
        "FLOAT16" => DType::F16,
        "INT8" => DType::I8,
        "UINT8" => DType::U8,
        "INT16" => DType::I16,
        "INT32" => DType::I32,
        "INT64" => DType::I64,
        "BOOL" => DType::Bool,
        _ => return None,
    })
}

/// The shape, with a batch of unknown size taken as 1.
fn read_shape(table: Table<'_>) -> Result<Shape, ImportFault> {
    let dimensions: Vec<i32> = table.vector(tensor::SHAPE)?;
    if dimensions.len() > Shape::MAX_RANK {
        return Err(ImportFault::RankTooHigh { rank: dimensions.len(), most: Shape::MAX_RANK });
    }
    let known = dimensions.iter().enumerate().map(|(axis, &dimension)| match (axis, dimension) {
        (0, -1) => Ok(1),
        _ => usize::try_from(dimension)
            .map_err(|_| ImportFault::DynamicShape { axis, value: dimension.into() }),
    });
    known.collect::<Result<Vec<_>, _>>().map(Shape::from)
}

fn read_quantization(table: Table<'_>, rank: usize) -> Result<Option<Quantization>, ImportFault> {
    let Some(table) = table.table(tensor::QUANTIZATION, "QuantizationParameters")? else { return Ok(None) };
    if table.scalar(quantization::DETAILS_TYPE, 0u8)? != 0 {
        return Err(ImportFault::CustomQuantization);
    }
    let scales: Vec<f32> = table.vector(quantization::SCALE)?;
    if scales.is_empty() {
        return Ok(None);
    }
    let zero_points: Vec<i64> = table.vector(quantization::ZERO_POINT)?;
    let narrowed = zero_points.iter().enumerate().map(|(channel, &zero_point)| {
        i32::try_from(zero_point).map_err(|_| Fault::ZeroPoint {
            channel,
            zero_point: if zero_point < 0 { i32::MIN } else { i32::MAX },
            low: i16::MIN.into(),
            high: i16::MAX.into(),
        })
    });
    let mut zero_points = narrowed.collect::<Result<Vec<_>, _>>()?;
    match *zero_points.as_slice() {
        [] => zero_points = vec![0; scales.len()],
        [single] => zero_points = vec![single; scales.len()],
        _ => {}
    }
    let axis: i32 = table.scalar(quantization::QUANTIZED_DIMENSION, 0)?;
    // Biases of some converters carry the axis of the weights; a vector has only one axis.
    let axis = if scales.len() == 1 || rank == 1 { 0 } else { axis };
    let axis = usize::try_from(axis).map_err(|_| Fault::Attribute {
        attribute: quantization::QUANTIZED_DIMENSION.name,
        value: axis.to_string(),
        expected: "must be an axis of the tensor".into(),
    })?;
    Ok(Some(Quantization { scales, zero_points, axis }))
}

fn state_fault(table: Table<'_>) -> Result<Option<ImportFault>, ImportFault> {
    let variable = table.scalar(tensor::IS_VARIABLE, false)?;
    let sparse = table.table(tensor::SPARSITY, "SparsityParameters")?.is_some();
    Ok(sparse.then_some(ImportFault::Sparse).or(variable.then_some(ImportFault::Variable)))
}

/// Axes other than the batch that the model's author left open, which a graph input must not have.
pub(super) fn open_axis(table: Table<'_>) -> Result<Option<ImportFault>, Broken> {
    let signature: Vec<i32> = table.vector(tensor::SHAPE_SIGNATURE)?;
    let open = signature.iter().enumerate().skip(1).find(|&(_, &dimension)| dimension < 0);
    Ok(open.map(|(axis, &value)| ImportFault::DynamicShape { axis, value: value.into() }))
}
