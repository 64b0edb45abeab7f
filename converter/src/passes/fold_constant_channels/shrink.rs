//! Taking channels out of tensors, weights and biases.

use std::sync::Arc;

use super::channels;
use super::layer::{Kind, Layer};
use super::needs::Needs;
use super::ranges::Ranges;
use crate::ir::{Graph, NodeId, Op, Quantization, Quantized, Shape, Tensor, TensorId};

/// Takes out every channel that is not needed. `layers` are those of the graph's nodes.
pub(super) fn shrink(graph: &mut Graph<Quantized>, layers: &[Option<Layer>], ranges: &Ranges, needs: &Needs) {
    let tensors: Vec<TensorId> = graph.tensor_ids().collect();
    let kept: Vec<Vec<usize>> = tensors.iter().map(|&id| needs.kept(id, channels(&graph[id]))).collect();
    for (id, layer) in graph.node_ids().zip(layers) {
        if let Some(layer) = layer {
            shrink_layer(graph, id, layer, ranges, &kept);
        }
    }
    for (&id, kept) in tensors.iter().zip(&kept) {
        if kept.len() < channels(&graph[id]) {
            let tensor = graph.tensor_mut(id);
            tensor.data = tensor.data.as_deref().map(|data| columns(data, channels(tensor), kept));
            tensor.shape = with_last(&tensor.shape, kept.len());
        }
    }
    for id in graph.node_ids() {
        if let (Op::Reshape(reshape), Some(output)) = (&graph[id].op, graph[id].output()) {
            let mut reshape = reshape.clone();
            reshape.shape = graph[output].shape.clone();
            graph.set_op(id, Op::Reshape(reshape));
        }
    }
}

/// Gives a layer filters and biases of its own without the channels that go.
fn shrink_layer(
    graph: &mut Graph<Quantized>,
    id: NodeId,
    layer: &Layer,
    ranges: &Ranges,
    kept: &[Vec<usize>],
) {
    let node = &graph[id];
    let (Some(input), Some(filter), Some(output)) = (node.input(0), node.input(1), node.output()) else {
        return;
    };
    let (inputs, outputs) = (&kept[input.index()], &kept[output.index()]);
    if inputs.len() == layer.inputs && outputs.len() == layer.outputs {
        return;
    }
    let mut is_kept = vec![false; layer.inputs];
    inputs.iter().for_each(|&channel| is_kept[channel] = true);
    let bias = node.input(2).map(|bias| graph[bias].clone());
    let filter = shrunk_filter(&graph[filter], layer, inputs.len(), outputs, &is_kept);
    let bias = shrunk_bias(bias, layer, ranges, input, outputs, &is_kept);
    let slots = [Some(input), Some(graph.add_tensor(filter)), bias.map(|bias| graph.add_tensor(bias))];
    graph.node_mut(id).inputs = slots.to_vec();
}

fn shrunk_filter(
    filter: &Tensor,
    layer: &Layer,
    inputs: usize,
    outputs: &[usize],
    is_kept: &[bool],
) -> Tensor {
    let weights = layer.remaining(outputs, is_kept);
    let mut shape = filter.shape.to_vec();
    match (layer.kind, shape.as_mut_slice()) {
        (Kind::Depthwise { .. }, [.., last]) => *last = outputs.len(),
        (Kind::Dense, [first, .., last]) => {
            *first = outputs.len();
            *last = *last / layer.inputs * inputs;
        }
        _ => {}
    }
    let quantization = filter.quantization.as_ref().map(|q| selected(q, outputs));
    Tensor { quantization, dtype: filter.dtype, ..Tensor::constant_i8(filter.name.clone(), shape, &weights) }
}

/// The biases of the outputs that stay, with what the inputs that go add to them.
fn shrunk_bias(
    bias: Option<Tensor>,
    layer: &Layer,
    ranges: &Ranges,
    input: TensorId,
    outputs: &[usize],
    is_kept: &[bool],
) -> Option<Tensor> {
    let moved = match layer.kind {
        Kind::Dense => {
            let left_out: Vec<bool> = is_kept.iter().map(|kept| !kept).collect();
            layer.contributions(ranges.tensor(input), &left_out)
        }
        Kind::Depthwise { .. } => vec![0; layer.outputs],
    };
    if bias.is_none() && outputs.iter().all(|&channel| moved[channel] == 0) {
        return None;
    }
    // `Layer::absorbed` has seen that the sums fit.
    let sum = |&channel: &usize| layer.biases[channel].wrapping_add(moved[channel] as i32);
    let values: Vec<i32> = outputs.iter().map(sum).collect();
    let (name, quantization) = bias.map(|bias| (bias.name, bias.quantization)).unwrap_or_default();
    let quantization = quantization.as_ref().map(|q| selected(q, outputs));
    Some(Tensor { quantization, ..Tensor::constant_i32(name, [values.len()], &values) })
}

/// The scales of the channels that stay.
fn selected(quantization: &Quantization, kept: &[usize]) -> Quantization {
    let Quantization { scales, zero_points, axis } = quantization;
    if scales.len() == 1 {
        return quantization.clone();
    }
    Quantization {
        scales: kept.iter().filter_map(|&channel| scales.get(channel).copied()).collect(),
        zero_points: kept.iter().filter_map(|&channel| zero_points.get(channel).copied()).collect(),
        axis: *axis,
    }
}

/// The bytes of some columns of a matrix of `count` columns of bytes.
fn columns(data: &[u8], count: usize, kept: &[usize]) -> Arc<[u8]> {
    data.chunks_exact(count).flat_map(|row| kept.iter().map(|&column| row[column])).collect()
}

fn with_last(shape: &Shape, last: usize) -> Shape {
    let mut dimensions = shape.to_vec();
    if let Some(dimension) = dimensions.last_mut() {
        *dimension = last;
    }
    dimensions.into()
}
