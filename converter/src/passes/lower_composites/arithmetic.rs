//! Operators on single elements, and least elements.

use super::super::constants::{reals, uniform};
use super::{before, put};
use crate::ir::attributes::{
    ArgExtreme, Arithmetic, Clip, Concatenation, DepthwiseConv2d, LeakyRelu, Reduce,
};
use crate::ir::{Activation, DType, Float, Hw, NodeId, Op, Padding, Rewriter, Tensor, TensorId};

/// By a constant: a multiplication by its reciprocal.
pub(super) fn division(graph: &mut Rewriter<'_, Float>, node: NodeId, div: &Arithmetic) -> Option<()> {
    with_constant(graph, node, |value| 1.0 / value, Op::Mul(div.clone()))
}

/// Of a constant: an addition of its opposite.
pub(super) fn subtraction(graph: &mut Rewriter<'_, Float>, node: NodeId, sub: &Arithmetic) -> Option<()> {
    with_constant(graph, node, |value| -value, Op::Add(sub.clone()))
}

/// Another operator, with another constant as the second operand.
fn with_constant(
    graph: &mut Rewriter<'_, Float>,
    node: NodeId,
    value: impl Fn(f64) -> f64,
    op: Op,
) -> Option<()> {
    let (first, second) = (graph[node].input(0)?, graph[node].input(1)?);
    let values: Vec<f32> = reals(graph, Some(second))?.into_iter().map(|old| value(old) as f32).collect();
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let old = &graph[second];
    let constant = Tensor::constant_f32(old.name.clone(), old.shape.clone(), &values);
    let constant = graph.add_tensor(constant);
    put(graph, node, op, &[first, constant]);
    Some(())
}

/// The greatest of the negated, negated.
pub(super) fn reduce_min(graph: &mut Rewriter<'_, Float>, node: NodeId, reduce: &Reduce) -> Option<()> {
    let (input, output) = (graph[node].input(0)?, graph[node].output()?);
    let (from, to) = (&graph[input], &graph[output]);
    let (dtype, shape, result) = (from.dtype, from.shape.clone(), to.shape.clone());
    let negated = before(graph, node, Op::Neg, &[input], dtype, shape);
    let greatest = before(graph, node, Op::ReduceMax(reduce.clone()), &[negated], dtype, result);
    put(graph, node, Op::Neg, &[greatest]);
    Some(())
}

/// Over axes that are not neighbours: one group after another.
pub(super) fn reduce_max(graph: &mut Rewriter<'_, Float>, node: NodeId, reduce: &Reduce) -> Option<()> {
    let cut = (1..reduce.axes.len()).rev().find(|&at| reduce.axes[at] != reduce.axes[at - 1] + 1)?;
    let (first, last) = reduce.axes.split_at(cut);
    let input = graph[node].input(0)?;
    let (dtype, mut shape) = (graph[input].dtype, graph[input].shape.to_vec());
    last.iter().for_each(|&axis| shape[axis] = 1);
    if !reduce.keep_dims {
        shape.drain(last[0]..=last[last.len() - 1]);
    }
    let part = |axes: &[usize]| Op::ReduceMax(Reduce { axes: axes.to_vec(), keep_dims: reduce.keep_dims });
    let inner = before(graph, node, part(last), &[input], dtype, shape);
    put(graph, node, part(first), &[inner]);
    Some(())
}

/// The greatest of the negated.
pub(super) fn arg_min(graph: &mut Rewriter<'_, Float>, node: NodeId, arg: &ArgExtreme) -> Option<()> {
    let input = graph[node].input(0)?;
    let (dtype, shape) = (graph[input].dtype, graph[input].shape.clone());
    let negated = before(graph, node, Op::Neg, &[input], dtype, shape);
    put(graph, node, Op::ArgMax(arg.clone()), &[negated]);
    Some(())
}

/// An index that only the caller reads needs no 64 bits.
pub(super) fn narrow_index(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    let output = graph[node].output()?;
    if graph[output].dtype != DType::I64 || !graph.readers(output).is_empty() {
        return None;
    }
    graph.tensor_mut(output).dtype = DType::I32;
    Some(())
}

/// One slope: a leaky clamp. Slopes per channel, none negative: `Relu(x) - Relu(-slope * x)`.
pub(super) fn p_relu(graph: &mut Rewriter<'_, Float>, node: NodeId) -> Option<()> {
    let (input, slope) = (graph[node].input(0)?, graph[node].input(1)?);
    if let Some(alpha) = uniform(graph, Some(slope)) {
        put(graph, node, Op::LeakyRelu(LeakyRelu { alpha: alpha as f32 }), &[input]);
        return Some(());
    }
    let slopes = reals(graph, Some(slope))?;
    let shape = graph[input].shape.clone();
    let &[_, _, _, channels] = &shape[..] else { return None };
    let per_channel = slopes.len() == channels && graph[slope].shape.last() == Some(&channels);
    if !per_channel || slopes.iter().any(|&slope| slope < 0.0) {
        return None;
    }
    let negated: Vec<f32> = slopes.iter().map(|&slope| -slope as f32).collect();
    let filter = Tensor::constant_f32(graph[slope].name.clone(), [1, 1, 1, channels], &negated);
    let filter = graph.add_tensor(filter);
    let below = scaled(graph, node, input, filter, Activation::Relu);
    let above = before(graph, node, Op::Relu, &[input], DType::F32, shape);
    put(graph, node, Op::Sub(Arithmetic::default()), &[above, below]);
    Some(())
}

/// An image times a factor per channel.
fn scaled(
    graph: &mut Rewriter<'_, Float>,
    node: NodeId,
    input: TensorId,
    filter: TensorId,
    activation: Activation,
) -> TensorId {
    let one = Hw::square(1);
    let layer =
        DepthwiseConv2d { stride: one, dilation: one, padding: Padding::NONE, multiplier: 1, activation };
    let shape = graph[input].shape.clone();
    before(graph, node, Op::DepthwiseConv2d(layer), &[input, filter], DType::F32, shape)
}

/// A join with a fused clamp: a join and a clamp.
pub(super) fn clamped_join(
    graph: &mut Rewriter<'_, Float>,
    node: NodeId,
    join: &Concatenation,
) -> Option<()> {
    if join.activation == Activation::None {
        return None;
    }
    let inputs: Vec<TensorId> = graph[node].inputs.iter().copied().collect::<Option<_>>()?;
    let output = &graph[graph[node].output()?];
    let (dtype, shape) = (output.dtype, output.shape.clone());
    let plain = Op::Concatenation(Concatenation { activation: Activation::None, ..join.clone() });
    let joined = before(graph, node, plain, &inputs, dtype, shape);
    let (low, high) = join.activation.bounds();
    let clamp = match join.activation {
        Activation::Relu => Op::Relu,
        Activation::Relu6 => Op::Relu6,
        Activation::ReluN1To1 => Op::ReluN1To1,
        Activation::None => Op::Clip(Clip { low, high }),
    };
    put(graph, node, clamp, &[joined]);
    Some(())
}
