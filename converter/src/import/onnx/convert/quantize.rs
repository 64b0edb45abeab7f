//! Integers that stand for real numbers.
//!
//! Every operator on integers is written out: to real numbers, the operator, back to integers. What computes with the
//! integers alone is found later.

use rten_onnx::onnx::DataType;

use super::{convolution, matrix};
use crate::import::ImportFault;
use crate::import::onnx::OnnxFault;
use crate::import::onnx::evaluate::Elements;
use crate::import::onnx::operator::{Operator, Value, Values, one};
use crate::import::onnx::pattern::Pending;
use crate::import::onnx::tensor::element_type;
use crate::ir::attributes::{FullyConnected, Transpose};
use crate::ir::{Activation, DType, Fault, Op, Quantization, TensorId};

pub(super) fn quantize_linear(operator: &mut Operator<'_>) -> Option<Values> {
    operator.ignore(&["saturate", "precision"]);
    let input = operator.input(0, "input")?;
    whole_axes(operator)?;
    let stated = operator.integer("output_dtype", 0)?;
    let stated = match stated {
        0 => None,
        number => Some(operator.keep(element_type(DataType(i32::try_from(number).unwrap_or(0))))?),
    };
    let scale = Scale::read(operator, 1, 2)?;
    let dtype = scale.dtype.or(stated).unwrap_or(DType::U8);
    let quantization = scale.along(operator, input)?;
    quantized(operator, input, dtype, quantization).and_then(one)
}

pub(super) fn dequantize_linear(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    whole_axes(operator)?;
    let stated = operator.integer("output_dtype", 0)?;
    if stated != 0 {
        operator.keep(element_type(DataType(i32::try_from(stated).unwrap_or(0))))?;
    }
    let quantization = Scale::read(operator, 1, 2)?.along(operator, input)?;
    dequantized(operator, input, quantization).and_then(one)
}

/// Inputs: x, its scale and zero point, w, its scale and zero point, scale and zero point of the output, bias.
pub(super) fn q_linear_conv(operator: &mut Operator<'_>) -> Option<Values> {
    let (input, weights) = (operator.input(0, "input")?, operator.input(3, "weights")?);
    let input_scale = Scale::read(operator, 1, 2)?;
    let weight_scale = Scale::read(operator, 4, 5)?;
    let output_scale = Scale::read(operator, 6, 7)?;
    let bias = operator.optional(8)?;
    let bias = match (bias, input_scale.scales.as_slice()) {
        (None, _) => None,
        (Some(bias), &[scale]) => {
            let scales: Vec<f32> = weight_scale.scales.iter().map(|weight| weight * scale).collect();
            let zero_points = vec![0; scales.len()];
            Some(dequantized(operator, bias, Quantization { scales, zero_points, axis: 0 })?)
        }
        (Some(_), _) => {
            let found = input_scale.scales.len();
            operator.fault(ImportFault::ConstantLength { role: "scale", found, expected: "1".into() });
            return None;
        }
    };
    let input = dequantized(operator, input, input_scale.of(0))?;
    let weights = dequantized(operator, weights, weight_scale.of(0))?;
    operator.inputs = [Some(input), Some(weights), bias].map(|id| id.map(Value::Tensor)).to_vec();
    let result = convolution::conv(operator)?;
    requantized(operator, result, output_scale)
}

/// Inputs: a, its scale and zero point, b, its scale and zero point, scale and zero point of the output.
pub(super) fn q_linear_mat_mul(operator: &mut Operator<'_>) -> Option<Values> {
    let (first, second) = (operator.input(0, "first matrix")?, operator.input(3, "second matrix")?);
    let first_scale = Scale::read(operator, 1, 2)?.of(0);
    let columns = operator.rank(second).saturating_sub(1);
    let second_scale = Scale::read(operator, 4, 5)?.of(columns);
    let output_scale = Scale::read(operator, 6, 7)?;
    let first = dequantized(operator, first, first_scale)?;
    let second = dequantized(operator, second, second_scale)?;
    let result = matrix::product(operator, first, second).and_then(one)?;
    requantized(operator, result, output_scale)
}

/// Inputs: a, its scale and zero point, b, its scale and zero point, scale and zero point of the output.
pub(super) fn q_linear_binary(operator: &mut Operator<'_>, op: Op) -> Option<Values> {
    let (first, second) = (operator.input(0, "first operand")?, operator.input(3, "second operand")?);
    let first_scale = Scale::read(operator, 1, 2)?.of(0);
    let second_scale = Scale::read(operator, 4, 5)?.of(0);
    let output_scale = Scale::read(operator, 6, 7)?;
    let first = dequantized(operator, first, first_scale)?;
    let second = dequantized(operator, second, second_scale)?;
    let result = operator.emit(op, &[first, second]).and_then(one)?;
    requantized(operator, result, output_scale)
}

/// Kept until its scale meets the product of its integers.
pub(super) fn dynamic_quantize_linear(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let values =
        [Pending::DynamicIntegers(input), Pending::DynamicScale(input), Pending::DynamicZeroPoint(input)];
    Some(values.map(Value::Pending).to_vec())
}

/// A matrix that is quantized at run time times a constant one.
pub(super) fn mat_mul_integer(operator: &mut Operator<'_>) -> Option<Values> {
    let pending = |slot: usize| match operator.inputs.get(slot) {
        Some(Some(Value::Pending(pending))) => Some(pending.clone()),
        _ => None,
    };
    let (Some(Pending::DynamicIntegers(input)), Some(Pending::DynamicZeroPoint(same))) =
        (pending(0), pending(2))
    else {
        operator.fault(OnnxFault::DynamicPattern);
        return None;
    };
    let matrix = operator.input(1, "second matrix")?;
    let zero_points = operator.constant_integers(3, "zero point")?.unwrap_or_else(|| vec![0]);
    let tensor = operator.tensor(matrix);
    let middle = match tensor.dtype {
        DType::I8 => 0,
        DType::U8 => 128,
        _ => -1,
    };
    let suits = same == input && tensor.is_constant() && tensor.shape.rank() == 2;
    if !suits || zero_points.iter().any(|&zero_point| zero_point != middle) {
        operator.fault(OnnxFault::DynamicPattern);
        return None;
    }
    let values = tensor.integer_values()?.into_iter().map(|value| value - middle).collect();
    let shape = tensor.shape.clone();
    let filter = operator.builder.constant(Elements::Integers(values), DType::I8, shape)?;
    let name = operator.tensor(matrix).name.clone();
    operator.builder.graph.tensor_mut(filter).name = name;
    Some(vec![Value::Pending(Pending::Product { input, filter })])
}

/// The scale of the input times those of the filter, and the product of the integers times both.
pub(super) fn scaled(operator: &mut Operator<'_>) -> Option<Values> {
    let mut pending: Vec<Pending> = Vec::new();
    let mut scales = None;
    for slot in 0..operator.inputs.len() {
        match operator.inputs[slot].clone() {
            Some(Value::Pending(value)) => pending.push(value),
            _ => scales = operator.constant_reals(slot, "scale of the weights")?,
        }
    }
    if let ([Pending::Product { .. }, Pending::ProductScale { .. }], _) = (pending.as_slice(), &scales) {
        pending.reverse();
    }
    match (pending.as_slice(), scales) {
        (&[Pending::DynamicScale(input)], Some(scales)) => {
            Some(vec![Value::Pending(Pending::ProductScale { input, scales })])
        }
        ([Pending::ProductScale { input: same, scales }, Pending::Product { input, filter }], None)
            if same == input =>
        {
            let (input, filter, scales) = (*input, *filter, scales.clone());
            let turned = operator.emit(Op::Transpose(Transpose { permutation: vec![1, 0] }), &[filter])?;
            let tensor = operator.builder.graph.tensor_mut(turned);
            tensor.quantization = Some(match scales.as_slice() {
                &[scale] => Quantization::per_tensor(scale, 0),
                scales => Quantization::per_channel(scales.to_vec(), 0),
            });
            let name = operator.tensor(filter).name.clone();
            operator.builder.graph.tensor_mut(turned).name = name;
            let keep_dims = operator.rank(input) != 2;
            let op = Op::FullyConnected(FullyConnected { keep_dims, activation: Activation::None });
            operator.emit(op, &[input, turned]).and_then(one)
        }
        _ => {
            operator.fault(OnnxFault::DynamicPattern);
            None
        }
    }
}

/// Scales and zero points of a tensor.
struct Scale {
    scales: Vec<f32>,
    zero_points: Vec<i32>,
    /// The type of the zero points, if there are any: it is that of the integers.
    dtype: Option<DType>,
}

impl Scale {
    fn read(operator: &mut Operator<'_>, scale: usize, zero_point: usize) -> Option<Scale> {
        let Some(scales) = operator.constant_reals(scale, "scale")? else {
            operator.fault(Fault::MissingInput { role: "scale" });
            return None;
        };
        let values = operator.constant_integers(zero_point, "zero point")?;
        let dtype = operator.optional(zero_point)?.map(|id| operator.tensor(id).dtype);
        let zero_points = values.unwrap_or_else(|| vec![0; scales.len()]);
        if zero_points.len() != scales.len() || scales.is_empty() {
            let (found, expected) =
                (zero_points.len(), format!("{}, one for each scale", scales.len().max(1)));
            operator.fault(ImportFault::ConstantLength { role: "zero point", found, expected });
            return None;
        }
        let narrowed =
            zero_points.into_iter().map(|value| i32::try_from(value).unwrap_or(i32::MAX)).collect();
        Some(Scale { scales, zero_points: narrowed, dtype })
    }

    /// Several scales run along the axis that the attribute states.
    fn along(self, operator: &mut Operator<'_>, input: TensorId) -> Option<Quantization> {
        let value = operator.integer("axis", 1)?;
        let axis = match self.scales.len() {
            1 => 0,
            _ => operator.axis("axis", value, operator.rank(input))?,
        };
        Some(self.of(axis))
    }

    fn of(self, axis: usize) -> Quantization {
        let axis = if self.scales.len() == 1 { 0 } else { axis };
        Quantization { scales: self.scales, zero_points: self.zero_points, axis }
    }
}

/// Refuses scales of parts of an axis.
fn whole_axes(operator: &mut Operator<'_>) -> Option<()> {
    match operator.integer("block_size", 0)? {
        0 => Some(()),
        size => operator.unsupported("block_size", size, "quantize per tensor or per channel"),
    }
}

/// The real numbers that integers of a given meaning stand for.
fn dequantized(operator: &mut Operator<'_>, id: TensorId, quantization: Quantization) -> Option<TensorId> {
    let tensor = operator.tensor(id);
    let id = match &tensor.quantization {
        Some(own) if *own == quantization => id,
        Some(_) if tensor.is_constant() => {
            let copy = tensor.clone();
            operator.builder.add_tensor(copy.with_quantization(quantization))
        }
        Some(_) => {
            operator.fault(OnnxFault::Reinterpreted);
            return None;
        }
        None => {
            operator.builder.graph.tensor_mut(id).quantization = Some(quantization);
            id
        }
    };
    operator.emit(Op::Dequantize, &[id])
}

/// Integers of a type and meaning that stand for real numbers.
fn quantized(
    operator: &mut Operator<'_>,
    id: TensorId,
    dtype: DType,
    quantization: Quantization,
) -> Option<TensorId> {
    if !matches!(dtype, DType::I8 | DType::U8 | DType::I16 | DType::I32) {
        let expected = "i8 or u8".to_string();
        operator.fault(Fault::Type { role: "output", found: dtype, expected });
        return None;
    }
    let output = operator.emit(Op::Quantize, &[id])?;
    let tensor = operator.builder.graph.tensor_mut(output);
    tensor.dtype = dtype;
    tensor.quantization = Some(quantization);
    Some(output)
}

/// What an operator gives, in integers.
fn requantized(operator: &mut Operator<'_>, result: Values, scale: Scale) -> Option<Values> {
    let Some(&Value::Tensor(result)) = result.first() else { return None };
    let dtype = scale.dtype.unwrap_or(DType::U8);
    quantized(operator, result, dtype, scale.of(0)).and_then(one)
}
