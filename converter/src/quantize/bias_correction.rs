//! Biases that make up for the mean error of rounded weights.
//!
//! With weights `W` and rounded weights `R`, a layer's sums differ by `(W - R) x` from what they should be. Over many
//! inputs `x` this has a mean per channel, which goes into the bias. The difference is linear in `x`, so that its mean
//! over samples is that for the mean input: the layer is run once, with the weights `W - R`, on the mean of its inputs,
//! and what it writes is averaged over all positions of a channel. That is exact, padding included.

use super::layers::Layer;
use crate::calibrate::CalibrateError;
use crate::float::Executor;
use crate::ir::{Activation, Float, Graph, Node, Tensor};

/// What to add to the bias of each channel when a layer has `rounded` weights, given the mean of its input.
///
/// # Errors
/// If the layer cannot be run.
pub fn mean_error(
    graph: &Graph<Float>,
    layer: &Layer,
    mean_input: &[f32],
    rounded: &[f32],
) -> Result<Vec<f32>, CalibrateError> {
    let weights = layer.real_weights(graph);
    let difference: Vec<f32> =
        weights.iter().zip(rounded).map(|(weight, rounded)| weight - rounded).collect();
    mean_sums(graph, layer, mean_input, &difference)
}

/// The mean of each channel's sums when a layer has other weights and no bias, given the mean of its input.
///
/// # Errors
/// If the layer cannot be run.
pub fn mean_sums(
    graph: &Graph<Float>,
    layer: &Layer,
    mean_input: &[f32],
    weights: &[f32],
) -> Result<Vec<f32>, CalibrateError> {
    let node = &graph[layer.node];
    let filter = &graph[layer.filter];
    let channels = filter.shape.get(layer.axis).copied().unwrap_or(1);
    let (Some(input), Some(output)) = (graph.input_of(node, 0), node.output().and_then(|id| graph.get(id)))
    else {
        return Ok(vec![0.0; channels]);
    };
    let mut single = Graph::<Float>::new("layer");
    let from = single.add_tensor(Tensor::new("input", input.dtype, input.shape.clone()));
    let filter = single.add_tensor(Tensor::constant_f32("filter", filter.shape.clone(), weights));
    let to = single.add_tensor(Tensor::new("output", output.dtype, output.shape.clone()));
    let mut op = node.op.clone();
    if let Some(activation) = op.activation_mut() {
        *activation = Activation::None;
    }
    single.add_node(Node::new(&layer.name, op, [from, filter], to));
    single.set_inputs(vec![from]);
    single.set_outputs(vec![to]);
    let outputs = Executor::new(&single)?.run(&[mean_input.to_vec()])?;
    let values = outputs.first().map(Vec::as_slice).unwrap_or_default();
    let positions = (values.len() / channels.max(1)).max(1) as f64;
    let mean = |channel: usize| {
        let sum: f64 = values.iter().skip(channel).step_by(channels).map(|&value| f64::from(value)).sum();
        (sum / positions) as f32
    };
    Ok((0..channels).map(mean).collect())
}
