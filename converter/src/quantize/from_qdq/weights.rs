//! Constants behind nodes: integers with their scales, moved as the nodes between say.

use crate::float::evaluate_as;
use crate::ir::graph::Uses;
use crate::ir::{DType, Fault, Float, Graph, Op, Quantization, Tensor, TensorId};

/// How far back a constant is looked for.
const DEEPEST: usize = 16;

/// The constant that a tensor is, as integers where the file has integers; `None` if the network computes it.
pub(super) fn constant(graph: &Graph<Float>, uses: &Uses, id: TensorId) -> Option<Tensor> {
    within(graph, uses, id, DEEPEST)
}

fn within(graph: &Graph<Float>, uses: &Uses, id: TensorId, depth: usize) -> Option<Tensor> {
    let tensor = &graph[id];
    if tensor.is_constant() {
        return Some(tensor.clone());
    }
    let node = &graph[uses.writer(id)?];
    let input = within(graph, uses, node.input(0)?, depth.checked_sub(1)?)?;
    match &node.op {
        Op::Dequantize => Some(input),
        Op::Transpose(attributes) => {
            let axis = |axis: usize| attributes.permutation.iter().position(|&from| from == axis);
            moved(&node.op, input, tensor, axis)
        }
        Op::Reshape(_) => {
            let (from, to) = (input.shape.clone(), tensor.shape.clone());
            let axis = |axis: usize| {
                let before: usize = from[..axis].iter().product();
                let same = |&other: &usize| {
                    to[other] == from[axis] && to[..other].iter().product::<usize>() == before
                };
                (0..to.rank()).find(same)
            };
            moved(&node.op, input, tensor, axis)
        }
        _ => None,
    }
}

/// A constant after a move of its elements; `axis` tells where an axis goes.
fn moved(op: &Op, input: Tensor, output: &Tensor, axis: impl Fn(usize) -> Option<usize>) -> Option<Tensor> {
    let quantization = match &input.quantization {
        Some(quantization) if quantization.scales.len() > 1 => {
            Some(Quantization { axis: axis(quantization.axis)?, ..quantization.clone() })
        }
        other => other.clone(),
    };
    let plain = Tensor { quantization: None, ..input };
    let target = Tensor::new(plain.name.clone(), plain.dtype, output.shape.clone());
    // Weights of less than 8 bits are one to a byte, as those of 8 bits.
    let stored = plain.dtype;
    let byte = matches!(stored, DType::I4 | DType::B1);
    let (plain, target) = match byte {
        true => (Tensor { dtype: DType::I8, ..plain }, Tensor { dtype: DType::I8, ..target }),
        false => (plain, target),
    };
    let result = evaluate_as(op, &[Some(&plain)], &[&target])?.into_iter().next()?;
    Some(Tensor { dtype: stored, quantization, ..result })
}

/// Weights as signed integers with zero points 0, and the axis that scales may run along.
///
/// # Errors
/// If they are real, or have zero points.
pub(super) fn symmetric(tensor: Tensor, axis: usize) -> Result<Tensor, Fault> {
    let middle = match tensor.dtype {
        DType::I8 | DType::I4 => 0,
        DType::U8 => 128,
        found => {
            return Err(Fault::Type {
                role: "filter",
                found,
                expected: "i8, u8 or i4, behind a DequantizeLinear".into(),
            });
        }
    };
    let dtype = tensor.dtype;
    let quantization = tensor.quantization.clone().ok_or(Fault::NotQuantized { dtype })?;
    if let Some(&zero_point) = quantization.zero_points.iter().find(|&&zero_point| zero_point != middle) {
        return Err(crate::arithmetic::unsupported(format!(
            "the filter has the zero point {zero_point}: only symmetric weights are supported; quantize with symmetric weights \
             (WeightSymmetric: True)"
        )));
    }
    if quantization.scales.len() > 1 && quantization.axis != axis {
        return Err(crate::arithmetic::unsupported(format!(
            "the filter has scales along axis {}: only output channels (axis {axis}) can have their own",
            quantization.axis
        )));
    }
    if middle == 0 {
        return Ok(tensor);
    }
    let shifted = tensor.data.as_deref().unwrap_or_default().iter().map(|&byte| byte ^ 0x80);
    let zero_points = vec![0; quantization.scales.len()];
    Ok(Tensor::new(tensor.name, DType::I8, tensor.shape)
        .with_data(shifted)
        .with_quantization(Quantization { zero_points, ..quantization }))
}

/// The real numbers of a constant.
pub(super) fn real(tensor: &Tensor) -> Option<Vec<f32>> {
    tensor.f32_values().or_else(|| tensor.dequantized())
}
