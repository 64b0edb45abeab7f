//! Channels evened out between consecutive layers ("cross-layer equalization", Nagel et al. 2019).
//!
//! A channel between two layers can be scaled: where the first layer's channel `c`, weights and bias, is divided by
//! `s > 0`, and the second layer's weights for input channel `c` are multiplied by it, the result stays the same, if
//! all that is between them commutes with such a factor. Relu does (`relu(x / s) = relu(x) / s`), and so do pools, means
//! over other axes and padding with zeros; clamps at other numbers than 0 do not.
//!
//! `docs/quantization.md` derives the factor `s = sqrt(r1 / r2)`, `r1` and `r2` being the largest magnitudes of the channel
//! in the first layer, bias included, and in the second one: it makes both `sqrt(r1 r2)`. Pairs of layers influence each
//! other, so that all of them are gone through until nothing changes any more.

use super::layers::{Layer, channel_step, layers};
use crate::ir::attributes::{Conv2d, DepthwiseConv2d, Pad, Pool2d, Reduce};
use crate::ir::graph::Uses;
use crate::ir::{Activation, Float, Graph, NodeId, Op, Tensor, TensorId};

/// Most rounds over all pairs.
const ROUNDS: usize = 50;

/// A round whose factors are this near to 1 is the last one.
const CONVERGED: f64 = 1e-3;

/// Evens out all pairs of layers that allow it, and tells how many these are. Results change by rounding only.
pub fn equalize(graph: &mut Graph<Float>) -> usize {
    let layers: Vec<Layer> = layers(graph).into_iter().filter(|layer| !layer.is_given).collect();
    let pairs = pairs(graph, &layers);
    let mut parts: Vec<Parts> = layers.iter().map(|layer| Parts::of(graph, layer)).collect();
    for _ in 0..ROUNDS {
        let change = pairs.iter().map(|&pair| even_out(&mut parts, pair)).fold(0.0, f64::max);
        if change < CONVERGED {
            break;
        }
    }
    let mut changed = vec![false; layers.len()];
    for &(first, second) in &pairs {
        (changed[first], changed[second]) = (true, true);
    }
    for ((layer, parts), _) in layers.iter().zip(&parts).zip(&changed).filter(|(_, changed)| **changed) {
        parts.store(graph, layer);
    }
    pairs.len()
}

/// A layer's numbers while they change.
struct Parts {
    weights: Vec<f64>,
    bias: Vec<f64>,
    /// Elements per step of the output channel, and number of output channels.
    output: (usize, usize),
    /// The same for the input channel; a depthwise layer's output channels, several for each input channel.
    input: (usize, usize),
    /// Output channels per input channel of a depthwise layer, else 1.
    multiplier: usize,
}

impl Parts {
    fn of(graph: &Graph<Float>, layer: &Layer) -> Parts {
        let shape = &graph[layer.filter].shape;
        let wide = |tensor: Option<&Tensor>| {
            let values = tensor.and_then(Tensor::f32_values).unwrap_or_default();
            values.into_iter().map(f64::from).collect::<Vec<f64>>()
        };
        let multiplier = match graph[layer.node].op {
            Op::DepthwiseConv2d(DepthwiseConv2d { multiplier, .. }) => multiplier.max(1),
            _ => 1,
        };
        Parts {
            weights: wide(graph.get(layer.filter)),
            bias: wide(graph.input_of(&graph[layer.node], 2)),
            output: channel_step(shape, layer.axis),
            input: channel_step(shape, shape.rank().saturating_sub(1)),
            multiplier,
        }
    }

    fn output_channel(&self, index: usize) -> usize {
        index / self.output.0 % self.output.1
    }

    fn input_channel(&self, index: usize) -> usize {
        index / self.input.0 % self.input.1 / self.multiplier
    }

    fn output_magnitudes(&self) -> Vec<f64> {
        let mut largest = vec![0f64; self.output.1];
        for (index, weight) in self.weights.iter().enumerate() {
            let channel = &mut largest[self.output_channel(index)];
            *channel = channel.max(weight.abs());
        }
        largest.iter_mut().zip(&self.bias).for_each(|(largest, bias)| *largest = largest.max(bias.abs()));
        largest
    }

    fn input_magnitudes(&self) -> Vec<f64> {
        let mut largest = vec![0f64; self.input.1 / self.multiplier];
        for (index, weight) in self.weights.iter().enumerate() {
            let channel = &mut largest[self.input_channel(index)];
            *channel = channel.max(weight.abs());
        }
        largest
    }

    fn store(&self, graph: &mut Graph<Float>, layer: &Layer) {
        let narrow = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<f32>>();
        // Other nodes may share the constants: these get their own.
        for (slot, values) in [(1, &self.weights), (2, &self.bias)] {
            if let Some(id) = graph[layer.node].input(slot) {
                let (name, shape) = (graph[id].name.clone(), graph[id].shape.clone());
                let own = graph.add_tensor(Tensor::constant_f32(name, shape, &narrow(values)));
                graph.node_mut(layer.node).inputs[slot] = Some(own);
            }
        }
    }
}

/// Evens out one pair and gives the largest change, as a factor less 1.
fn even_out(parts: &mut [Parts], (first, second): (usize, usize)) -> f64 {
    let factors: Vec<f64> = parts[first]
        .output_magnitudes()
        .into_iter()
        .zip(parts[second].input_magnitudes())
        .map(|(first, second)| {
            let factor = (first / second).sqrt();
            if factor.is_finite() && factor > 0.0 { factor } else { 1.0 }
        })
        .collect();
    let layer = &mut parts[first];
    for index in 0..layer.weights.len() {
        let channel = layer.output_channel(index);
        layer.weights[index] /= factors.get(channel).unwrap_or(&1.0);
    }
    layer.bias.iter_mut().zip(&factors).for_each(|(bias, factor)| *bias /= factor);
    let layer = &mut parts[second];
    for index in 0..layer.weights.len() {
        let channel = layer.input_channel(index);
        layer.weights[index] *= factors.get(channel).unwrap_or(&1.0);
    }
    factors.iter().map(|factor| (factor - 1.0).abs().max((1.0 / factor - 1.0).abs())).fold(0.0, f64::max)
}

/// Pairs of layers, by position, between which every channel can be scaled.
fn pairs(graph: &Graph<Float>, layers: &[Layer]) -> Vec<(usize, usize)> {
    let uses = graph.uses();
    let position = |node: NodeId| layers.iter().position(|layer| layer.node == node);
    let pair = |(index, layer): (usize, &Layer)| {
        let second = position(next_layer(graph, &uses, layer.node)?)?;
        (index != second && takes_channels(graph, layer, &layers[second])).then_some((index, second))
    };
    layers.iter().enumerate().filter_map(pair).collect()
}

/// The layer that alone reads what a layer writes, with nothing in between that minds a factor per channel.
fn next_layer(graph: &Graph<Float>, uses: &Uses, from: NodeId) -> Option<NodeId> {
    let mut op = graph[from].op.clone();
    if !commutes(*op.activation_mut()?) {
        return None;
    }
    let mut tensor: TensorId = graph[from].output()?;
    loop {
        let &[reader] = uses.readers(tensor) else { return None };
        if graph.outputs().contains(&tensor) || graph[reader].input(0) != Some(tensor) {
            return None;
        }
        let node = &graph[reader];
        let (input, output) = (&graph[tensor], graph.get(node.output()?)?);
        let last = input.shape.rank().checked_sub(1)?;
        let passes = match &node.op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected(_) => return Some(reader),
            Op::Relu => true,
            Op::MaxPool2d(Pool2d { activation, .. }) | Op::AveragePool2d(Pool2d { activation, .. }) => {
                commutes(*activation)
            }
            Op::Pad(Pad { before, after, value }) => {
                *value == 0.0 && before.get(last) == Some(&0) && after.get(last) == Some(&0)
            }
            Op::Mean(Reduce { axes, .. }) => !axes.contains(&last),
            Op::Reshape(_) => input.shape.last() == output.shape.last(),
            _ => false,
        };
        if !passes {
            return None;
        }
        tensor = node.output()?;
    }
}

/// Whether the second layer's input channels are the first one's output channels.
fn takes_channels(graph: &Graph<Float>, first: &Layer, second: &Layer) -> bool {
    let channels = graph[first.filter].shape.get(first.axis).copied();
    let columns = match graph[second.node].op {
        Op::Conv2d(Conv2d { groups: 1, .. }) => graph[second.filter].shape.get(3).copied(),
        Op::FullyConnected(_) => graph[second.filter].shape.get(1).copied(),
        Op::DepthwiseConv2d(DepthwiseConv2d { multiplier, .. }) => {
            graph[second.filter].shape.get(3).map(|&outputs| outputs / multiplier.max(1))
        }
        _ => None,
    };
    let read = graph.input_of(&graph[second.node], 0).and_then(|input| input.shape.last().copied());
    channels.is_some() && channels == columns && channels == read
}

fn commutes(activation: Activation) -> bool {
    matches!(activation, Activation::None | Activation::Relu)
}
