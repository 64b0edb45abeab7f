//! Fully connected layers and tables of vectors.

use super::super::layer::Layer;
use super::super::network::{Form, ValueId};
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::{Activation, FullyConnected, Gather};
use crate::ir::{Op, Shape};

/// `weight` is `[out, in]`, applied to the last axis.
pub(super) fn linear(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let weight = layer.weight("weight")?;
    let [outputs, columns] = *weight.shape else {
        let (name, shape) = (weight.name.clone(), weight.shape.clone());
        return layer.fail(ArchitectureFault::Weight {
            name,
            shape,
            expected: "[out_features, in_features]".into(),
        });
    };
    layer.agree("in_features", columns, weight)?;
    layer.agree("out_features", outputs, weight)?;
    let bias = layer.bias(outputs)?;
    if shape.last() != Some(&columns) || shape.rank() < 2 {
        let advice = match shape.iter().skip(1).product::<usize>() == columns {
            true => "; put a flatten before it".to_owned(),
            false => String::new(),
        };
        let (name, takes, groups) = (weight.name.clone(), columns, 1);
        let has = shape.last().copied().unwrap_or(1);
        let (shape, input) = (weight.shape.clone(), shape);
        return layer.fail(ArchitectureFault::Channels { name, shape, takes, groups, has, input, advice });
    }
    let op = Op::FullyConnected(FullyConnected { keep_dims: shape.rank() > 2, activation: Activation::None });
    // The columns of an image with its channels last are put in that order too.
    if let Some((image, tensor)) = layer.flattened_channels_last(input)? {
        let rank = image.rank();
        let from: Vec<usize> = [outputs].into_iter().chain(image.iter().skip(1).copied()).collect();
        let permutation: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
        let filter =
            layer.network.weight(weight, Form::Permuted { from, permutation, to: vec![outputs, columns] });
        let result = layer.node(op, &[Some(tensor), Some(filter), bias])?;
        return Some(layer.network.plain_value(result));
    }
    let filter = layer.network.weight(weight, Form::Plain);
    let tensor = layer.plain(input)?;
    let result = layer.node(op, &[Some(tensor), Some(filter), bias])?;
    Some(layer.network.plain_value(result))
}

/// `weight` is `[words, length]`; the input holds indices of words.
pub(super) fn embedding(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let table = layer.weight("weight")?;
    let [words, length] = *table.shape else {
        let (name, shape) = (table.name.clone(), table.shape.clone());
        let expected = "[num_embeddings, embedding_dim]".into();
        return layer.fail(ArchitectureFault::Weight { name, shape, expected });
    };
    layer.agree("num_embeddings", words, table)?;
    layer.agree("embedding_dim", length, table)?;
    layer.attributes.integer("padding_idx");
    let indices = layer.plain(input)?;
    if layer.network.graph[indices].dtype.is_float() {
        let (value, expected) = ("float32".into(), "\"int32\", for the indices of an embedding,".into());
        return layer.fail(ArchitectureFault::Attribute { attribute: "input_type", value, expected });
    }
    let table = layer.network.weight(table, Form::Plain);
    let result = layer.node(Op::Gather(Gather { axis: 0 }), &[Some(table), Some(indices)])?;
    Some(layer.network.plain_value(result))
}

/// The channels of a value in PyTorch's order: axis 1.
pub(super) fn channels(shape: &Shape) -> usize {
    shape.get(1).copied().unwrap_or(1)
}
