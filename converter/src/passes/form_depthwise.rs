//! Turns layers that keep channels apart into depthwise convolutions.
//!
//! These are convolutions with as many groups as channels, and what is left of batch normalizations and of products with
//! factors that differ from channel to channel: convolutions of one tap. A depthwise convolution has a kernel of its own
//! and, when it is quantized, a scale per channel.
//!
//! ```text
//! %1 "scale" f32[2] = [2.0,4.0]                          %1 "scale" f32[1,1,1,2] = [2.0,4.0]
//! node Mul(%0, %1) -> %2                            =>   node DepthwiseConv2d(%0, %1) -> %2
//! ```
//!
//! - Needs: factors folded into neighbouring layers where that is possible ([`super::FoldBatchNorm`]).
//! - Gives: the same results but for rounding; what is added to the channels afterwards can be folded in then.
//! - Leaves alone: products with one factor for all, and filters that are not constant.

use super::constants::{reals, uniform};
use super::fold_batch_norm::Affine;
use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::{Conv2d, DepthwiseConv2d, Reshape};
use crate::ir::{
    Activation, DType, Float, Graph, Hw, Node, NodeId, Op, Padding, Rewriter, Shape, Tensor, TensorId,
};

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormDepthwise;

impl Pass<Float> for FormDepthwise {
    fn name(&self) -> &'static str {
        "form_depthwise"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "form_depthwise", report, |graph, node| {
            split_groups(graph, node).or_else(|| scale_channels(graph, node))
        }))
    }
}

/// A convolution with as many groups as channels: a depthwise one.
fn split_groups(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    let Op::Conv2d(conv) = graph[node].op.clone() else { return None };
    let filter = graph[node].input(1)?;
    let old = &graph[filter];
    let &[outputs, height, width, 1] = &old.shape[..] else { return None };
    if conv.groups < 2 {
        return None;
    }
    let values = old.f32_values()?;
    let taps = height * width;
    let turned: Vec<f32> =
        (0..values.len()).map(|index| values[index % outputs * taps + index / outputs]).collect();
    let filter = Tensor::constant_f32(old.name.clone(), [1, height, width, outputs], &turned);
    let filter = graph.add_tensor(filter);
    let Conv2d { stride, dilation, padding, groups, activation } = conv;
    let multiplier = outputs / groups;
    graph.set_op(
        node,
        Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation }),
    );
    graph.set_input(node, 1, filter);
    Some(())
}

/// A batch normalization, or factors that differ from channel to channel: a depthwise convolution of one tap, whose
/// weights have a scale per channel.
fn scale_channels(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    let op = graph[node].op.clone();
    let is_normalization = matches!(op, Op::BatchNormalization(_));
    let differ = |slot: usize| {
        let tensor = graph[node].input(slot);
        reals(graph, tensor).is_some() && uniform(graph, tensor).is_none()
    };
    if !is_normalization && !differ(0) && !differ(1) {
        return None;
    }
    if !matches!(op, Op::BatchNormalization(_) | Op::Mul(_) | Op::Div(_)) {
        return None;
    }
    let affine = Affine::of(graph, node)?;
    let activation = op.clone().activation_mut().map_or(Activation::None, |activation| *activation);
    let single = |values: &[f64]| values.iter().map(|&value| value as f32).collect::<Vec<_>>();
    let channels = affine.factors.len();
    let name = graph[node].name.clone();
    let filter = Tensor::constant_f32(format!("{name}/scale"), [1, 1, 1, channels], &single(&affine.factors));
    let mut parameters = vec![graph.add_tensor(filter)];
    if !affine.only_multiplies() {
        let bias = Tensor::constant_f32(format!("{name}/bias"), [channels], &single(&affine.summands));
        parameters.push(graph.add_tensor(bias));
    }
    let shape = graph[affine.input].shape.clone();
    let image = if shape.rank() == 4 {
        shape.clone()
    } else {
        Shape::from([1, 1, shape.iter().product::<usize>() / channels, channels])
    };
    let one = Hw::square(1);
    let layer = Op::DepthwiseConv2d(DepthwiseConv2d {
        stride: one,
        dilation: one,
        padding: Padding::NONE,
        multiplier: 1,
        activation,
    });
    let input = reshaped(graph, node, affine.input, &image);
    let inputs = [&[input], &parameters[..]].concat();
    if image == shape {
        put(graph, node, layer, &inputs);
    } else {
        let scaled = before(graph, node, layer, &inputs, image);
        graph.tensor_mut(scaled).name = graph[graph[node].output()?].name.clone();
        put(graph, node, Op::Reshape(Reshape { shape }), &[scaled]);
    }
    Some(())
}

/// Adds a node before another, whose name it takes, and gives the tensor that it writes.
fn before(
    graph: &mut Rewriter<'_, Float>,
    node: NodeId,
    op: Op,
    inputs: &[TensorId],
    shape: impl Into<Shape>,
) -> TensorId {
    let output = graph.add_tensor(Tensor::new("", DType::F32, shape));
    let name = graph[node].name.clone();
    graph.insert_before(node, Node::new(name, op, inputs.iter().copied(), output));
    output
}

/// The tensor under another shape, by a node before `node`.
fn reshaped(graph: &mut Rewriter<'_, Float>, node: NodeId, tensor: TensorId, shape: &Shape) -> TensorId {
    if graph[tensor].shape == *shape {
        return tensor;
    }
    before(graph, node, Op::Reshape(Reshape { shape: shape.clone() }), &[tensor], shape.clone())
}

/// Puts an operator in a node's place, whose output it writes.
fn put(graph: &mut Rewriter<'_, Float>, node: NodeId, op: Op, inputs: &[TensorId]) {
    graph.set_op(node, op);
    graph.set_inputs(node, inputs.iter().copied().map(Some).collect());
}

#[cfg(test)]
mod tests;
