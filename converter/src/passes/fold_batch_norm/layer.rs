//! Layers with other weights.

use super::super::constants::reals;
use super::affine::Affine;
use crate::ir::{Activation, Float, Graph, Node, NodeId, Op, Padding, Rewriter, Tensor};

/// Other weights of a layer; `None`: as they were.
pub(super) struct Folded {
    filter: Option<Vec<f64>>,
    bias: Option<Vec<f64>>,
}

impl Folded {
    fn new(layer: &Node, affine: &Affine, filter: Vec<f64>, bias: Vec<f64>) -> Self {
        let biased = layer.input(2).is_some() || !affine.only_multiplies();
        Folded { filter: (!affine.only_adds()).then_some(filter), bias: biased.then_some(bias) }
    }
}

/// The bias of a layer; zeros if there is none.
fn bias(graph: &Graph<Float>, layer: NodeId) -> Option<Vec<f64>> {
    let node = &graph[layer];
    let channels = match &node.op {
        Op::Conv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => {
            *graph.input_of(node, 1)?.shape.first()?
        }
        Op::DepthwiseConv2d(_) => *graph.input_of(node, 1)?.shape.last()?,
        _ => return None,
    };
    match node.input(2) {
        None => Some(vec![0.0; channels]),
        bias => reals(graph, bias),
    }
}

/// The weights of a layer that does, after its own work, what `affine` does.
pub(super) fn folded_back(graph: &Graph<Float>, layer: NodeId, affine: &Affine) -> Option<Folded> {
    let mut bias = bias(graph, layer)?;
    // A filter of integers stays as it is.
    let mut filter = if affine.only_adds() { Vec::new() } else { reals(graph, graph[layer].input(1))? };
    let mut op = graph[layer].op.clone();
    if affine.factors.len() != bias.len() || *op.activation_mut()? != Activation::None {
        return None;
    }
    let channels = bias.len();
    let inner = if matches!(op, Op::DepthwiseConv2d(_)) { 1 } else { filter.len() / channels };
    for (index, weight) in filter.iter_mut().enumerate() {
        *weight *= affine.factors[index / inner % channels];
    }
    for ((bias, factor), summand) in bias.iter_mut().zip(&affine.factors).zip(&affine.summands) {
        *bias = *bias * factor + summand;
    }
    Some(Folded::new(&graph[layer], affine, filter, bias))
}

/// The weights of a layer that does, before its own work, what `affine` does. `direct`: not on the input under another
/// shape.
pub(super) fn folded_forth(
    graph: &Graph<Float>,
    layer: NodeId,
    affine: &Affine,
    direct: bool,
) -> Option<Folded> {
    let (mut filter, mut bias) = (reals(graph, graph[layer].input(1))?, bias(graph, layer)?);
    let node = &graph[layer];
    let shape = &graph.input_of(node, 1)?.shape;
    let inputs = affine.factors.len();
    let outputs = bias.len();
    let unpadded = |padding: Padding| padding == Padding::NONE || affine.only_multiplies();
    // For each weight its input channel, and its output channel.
    let channels: Box<dyn Fn(usize) -> (usize, usize)> = match &node.op {
        Op::Conv2d(conv) if direct && unpadded(conv.padding) => {
            let (inner, last) = (filter.len() / outputs, *shape.last()?);
            let per_group = outputs / conv.groups;
            Box::new(move |index| (index / inner / per_group * last + index % last, index / inner))
        }
        Op::DepthwiseConv2d(conv) if direct && unpadded(conv.padding) => {
            let multiplier = conv.multiplier;
            Box::new(move |index| (index % outputs / multiplier, index % outputs))
        }
        Op::FullyConnected(_) => {
            let columns = *shape.last()?;
            if columns % inputs != 0 {
                return None;
            }
            Box::new(move |index| (index % inputs, index / columns))
        }
        _ => return None,
    };
    for (index, weight) in filter.iter_mut().enumerate() {
        let (input, output) = channels(index);
        bias[output] += *weight * affine.summands.get(input)?;
        *weight *= affine.factors[input];
    }
    Some(Folded::new(node, affine, filter, bias))
}

/// Gives a layer its new weights.
pub(super) fn replace(graph: &mut Rewriter<'_, Float>, layer: NodeId, folded: Folded) {
    let node = &graph[layer];
    let (name, mut inputs) = (node.name.clone(), node.inputs.clone());
    if let (Some(filter), Some(old)) = (folded.filter, inputs[1]) {
        let new = Tensor::constant_f32(graph[old].name.clone(), graph[old].shape.clone(), &single(filter));
        inputs[1] = Some(graph.add_tensor(new));
    }
    if let Some(bias) = folded.bias {
        inputs.resize(3, None);
        let name = inputs[2].map_or_else(|| format!("{name}/bias"), |old| graph[old].name.clone());
        let bias = Tensor::constant_f32(name, [bias.len()], &single(bias));
        inputs[2] = Some(graph.add_tensor(bias));
    }
    graph.set_inputs(layer, inputs);
}

fn single(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}
