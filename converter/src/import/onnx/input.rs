//! The inputs of the graph and their shapes.

use std::collections::BTreeMap;

use rten_onnx::onnx::{Dimension, ValueInfoProto};

use super::OnnxFault;
use super::tensor::element_type;
use crate::import::ImportFault;
use crate::ir::{Shape, Tensor};

/// The tensor that an input of the graph is, with a batch of unknown size taken as 1.
///
/// # Errors
/// Everything that is wrong with the input.
pub(super) fn read(
    input: &ValueInfoProto,
    shapes: &BTreeMap<String, Vec<usize>>,
) -> Result<Tensor, Vec<ImportFault>> {
    let name = input.name.clone().unwrap_or_default();
    let kind = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let kind = kind.ok_or_else(|| vec![OnnxFault::NotATensor.into()])?;
    let dtype = element_type(kind.elem_type.unwrap_or(rten_onnx::onnx::DataType(0)));
    let stated = kind.shape.as_ref().map(|shape| shape.dim.as_slice());
    let shape = match (shapes.get(&name), stated) {
        (Some(given), stated) => given_shape(given, stated).map_err(|fault| vec![fault]),
        (None, Some(stated)) => stated_shape(&name, stated),
        (None, None) => Err(vec![OnnxFault::NoShape { name: name.clone() }.into()]),
    };
    match (dtype, shape) {
        (Ok(dtype), Ok(shape)) => Ok(Tensor::new(name, dtype, shape)),
        (dtype, shape) => {
            let faults = dtype.err().map(ImportFault::from).into_iter();
            Err(faults.chain(shape.err().unwrap_or_default()).collect())
        }
    }
}

/// The size of a dimension, if the file fixes it.
fn size(dimension: &Dimension) -> Option<usize> {
    let value = dimension.dim_value.filter(|&value| value > 0)?;
    usize::try_from(value).ok()
}

fn given_shape(given: &[usize], stated: Option<&[Dimension]>) -> Result<Shape, ImportFault> {
    let fits = |stated: &[Dimension]| {
        let each = stated.iter().zip(given);
        stated.len() == given.len()
            && each.into_iter().all(|(dimension, &given)| size(dimension).is_none_or(|size| size == given))
    };
    let given: Shape = given.into();
    match stated {
        Some(stated) if !fits(stated) => {
            Err(OnnxFault::GivenShape { given, stated: format!("[{}]", names(stated).join(",")) }.into())
        }
        _ => Ok(given),
    }
}

fn stated_shape(name: &str, stated: &[Dimension]) -> Result<Shape, Vec<ImportFault>> {
    if stated.len() > Shape::MAX_RANK {
        return Err(vec![ImportFault::RankTooHigh { rank: stated.len(), most: Shape::MAX_RANK }]);
    }
    let names = names(stated);
    let sizes = stated.iter().enumerate().map(|(axis, dimension)| match (size(dimension), axis) {
        (Some(size), _) => Ok(size),
        (None, 0) => Ok(1),
        (None, _) => Err(axis),
    });
    let (sizes, open): (Vec<_>, Vec<_>) = sizes.partition(|size| size.is_ok());
    if open.is_empty() {
        return Ok(sizes.into_iter().flatten().collect());
    }
    let example = stated.iter().enumerate().map(|(axis, dimension)| match (size(dimension), axis) {
        (Some(size), _) => size.to_string(),
        (None, 0) => "1".to_string(),
        (None, axis) => names[axis].clone(),
    });
    let example = example.collect::<Vec<_>>().join(",");
    let open = open.into_iter().filter_map(Result::err);
    Err(open
        .map(|axis| {
            let (name, example) = (super::shortened(name), example.clone());
            OnnxFault::OpenDimension { axis, dimension: names[axis].clone(), name, example }.into()
        })
        .collect())
}

/// The dimensions as the file states them.
fn names(stated: &[Dimension]) -> Vec<String> {
    let name = |dimension: &Dimension| match (&dimension.dim_param, dimension.dim_value) {
        (Some(name), _) if !name.is_empty() => super::shortened(name),
        (_, Some(value)) if value > 0 => value.to_string(),
        _ => "?".to_string(),
    };
    stated.iter().map(name).collect()
}
