//! Layers.

use super::super::constants::{reals, uniform};
use super::super::fold_batch_norm::Affine;
use super::{before, put, reshaped};
use crate::ir::attributes::{Conv2d, DepthwiseConv2d, Pad, Pool2d, Reshape};
use crate::ir::{Activation, DType, Float, Hw, NodeId, Op, Padding, Rewriter, Shape, Tensor};

/// A convolution with as many groups as channels: a depthwise one.
pub(super) fn depthwise(graph: &mut Rewriter<'_, Float>, node: NodeId, conv: &Conv2d) -> Option<()> {
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
    let Conv2d { stride, dilation, padding, groups, activation } = *conv;
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
pub(super) fn scale_channels(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    let op = graph[node].op.clone();
    let is_normalization = matches!(op, Op::BatchNormalization(_));
    let differ = |slot: usize| {
        let tensor = graph[node].input(slot);
        reals(graph, tensor).is_some() && uniform(graph, tensor).is_none()
    };
    if !is_normalization && !differ(0) && !differ(1) {
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
        let scaled = before(graph, node, layer, &inputs, DType::F32, image);
        graph.tensor_mut(scaled).name = graph[graph[node].output()?].name.clone();
        put(graph, node, Op::Reshape(Reshape { shape }), &[scaled]);
    }
    Some(())
}

/// An average that counts padding: padding, and an average without it.
pub(super) fn counted_padding(graph: &mut Rewriter<'_, Float>, node: NodeId, pool: &Pool2d) -> Option<()> {
    if !pool.count_padding {
        return None;
    }
    let input = graph[node].input(0)?;
    let Padding { top, bottom, left, right } = pool.padding;
    let plain = Op::AveragePool2d(Pool2d { padding: Padding::NONE, count_padding: false, ..pool.clone() });
    let &[batch, height, width, channels] = &graph[input].shape[..] else { return None };
    let dtype = graph[input].dtype;
    let padded = if pool.padding == Padding::NONE {
        input
    } else {
        let pad = Pad { before: vec![0, top, left, 0], after: vec![0, bottom, right, 0], value: 0.0 };
        let shape = [batch, height + top + bottom, width + left + right, channels];
        before(graph, node, Op::Pad(pad), &[input], dtype, shape)
    };
    put(graph, node, plain, &[padded]);
    Some(())
}
