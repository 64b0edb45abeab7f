//! Recognizes functions that exporters have taken apart.
//!
//! ```text
//! node Add(%0, %three) -> %1
//! node Relu6(%1) -> %2
//! node Mul(%0, %2) -> %3                            =>   node HardSwish(%0) -> %4
//! node Div(%3, %six) -> %4
//! ```
//!
//! - Needs: constants folded ([`super::FoldConstants`]).
//! - Gives: `HardSwish`, `HardSigmoid` (of slope 1/6), `Gelu` in both forms, `Softmax` along the last axis, `LogSoftmax`,
//!   and clamps where the greater or lesser of a tensor and one number is taken. Whatever else was computed on the way and
//!   is read by others stays.
//! - Leaves alone: products with other numbers in them, and `x * Logistic(x)`, which are two nodes on a device too.

mod product;

use super::constants::scalar;
use super::{Changed, Pass, PassError, Report, apply_everywhere};
use crate::ir::attributes::{Clip, Gelu, HardSigmoid, Reduce, Softmax};
use crate::ir::{Activation, Float, Graph, Node, NodeId, Op, Rewriter, TensorId};
use product::Product;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecognizeFunctions;

impl Pass<Float> for RecognizeFunctions {
    fn name(&self) -> &'static str {
        "recognize_functions"
    }

    fn run(&self, graph: &mut Graph<Float>, report: &mut Report) -> Result<Changed, PassError> {
        Ok(apply_everywhere(graph, "recognize_functions", report, |graph, node| {
            let (op, input) = function(graph, node)?;
            let output = graph[node].output()?;
            if graph[input].shape != graph[output].shape || graph[input].dtype != graph[output].dtype {
                return None;
            }
            graph.set_op(node, op);
            graph.set_inputs(node, vec![Some(input)]);
            Some(())
        }))
    }
}

/// The function that the node is the last part of, and what it is applied to.
fn function(graph: &Rewriter<'_, Float>, id: NodeId) -> Option<(Op, TensorId)> {
    let node = &graph[id];
    match &node.op {
        Op::Mul(_) | Op::Div(_) => softmax(graph, node).or_else(|| gated(graph, id)),
        Op::Log => {
            let before = writer(graph, node.input(0)?)?;
            let is_plain = matches!(&before.op, Op::Softmax(softmax) if softmax.beta == 1.0);
            is_plain.then_some((Op::LogSoftmax, before.input(0)?))
        }
        Op::Maximum => {
            let (input, low) = with_scalar(graph, node)?;
            Some((Op::Clip(Clip { low: low as f32, high: f32::INFINITY }), input))
        }
        Op::Minimum => {
            let (input, high) = with_scalar(graph, node)?;
            Some((Op::Clip(Clip { low: f32::NEG_INFINITY, high: high as f32 }), input))
        }
        _ => None,
    }
}

/// Products of a tensor and a function of it.
fn gated(graph: &Rewriter<'_, Float>, id: NodeId) -> Option<(Op, TensorId)> {
    let Product { factor, operands } = Product::of(graph, id)?;
    if let &[gate] = &operands[..] {
        let input = six_times_hard_sigmoid(graph, gate).filter(|_| is_close(factor, 1.0 / 6.0))?;
        return Some((HARD_SIGMOID, input));
    }
    let &[first, second] = &operands[..] else { return None };
    [(first, second), (second, first)].into_iter().find_map(|(input, gate)| {
        let function = |of: Option<TensorId>, times: f64, op: Op| {
            (of == Some(input) && is_close(factor, times)).then_some((op, input))
        };
        function(hard_sigmoid(graph, gate), 1.0, Op::HardSwish)
            .or_else(|| function(six_times_hard_sigmoid(graph, gate), 1.0 / 6.0, Op::HardSwish))
            .or_else(|| function(one_and(graph, gate, erf), 0.5, Op::Gelu(Gelu { tanh: false })))
            .or_else(|| function(one_and(graph, gate, tanh), 0.5, Op::Gelu(Gelu { tanh: true })))
    })
}

const HARD_SIGMOID: Op = Op::HardSigmoid(HardSigmoid { alpha: 1.0 / 6.0, beta: 0.5 });

/// `x`, if the tensor is `HardSigmoid(x)` of slope 1/6.
fn hard_sigmoid(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<TensorId> {
    let node = writer(graph, tensor)?;
    let Op::HardSigmoid(HardSigmoid { alpha, beta }) = node.op else { return None };
    (is_close(alpha.into(), 1.0 / 6.0) && beta == 0.5).then_some(node.input(0)?)
}

/// `x`, if the tensor is `min(max(x + 3, 0), 6)`.
fn six_times_hard_sigmoid(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<TensorId> {
    let mut node = writer(graph, tensor)?;
    let is_clamp = match &node.op {
        Op::Relu6 => true,
        Op::Clip(clip) => (clip.low, clip.high) == (0.0, 6.0),
        _ => false,
    };
    if is_clamp {
        node = writer(graph, node.input(0)?)?;
    }
    let expected = if is_clamp { Activation::None } else { Activation::Relu6 };
    let Op::Add(add) = &node.op else { return None };
    let (input, three) = with_scalar(graph, node)?;
    (add.activation == expected && three == 3.0).then_some(input)
}

/// What `function` finds in `y`, if the tensor is `1 + y`.
fn one_and(
    graph: &Rewriter<'_, Float>,
    tensor: TensorId,
    function: impl Fn(&Rewriter<'_, Float>, &Node) -> Option<TensorId>,
) -> Option<TensorId> {
    let (sum, one) = plain_sum(graph, tensor)?;
    function(graph, writer(graph, sum)?).filter(|_| one == 1.0)
}

/// `x`, if the node is `erf(x / sqrt(2))`.
fn erf(graph: &Rewriter<'_, Float>, node: &Node) -> Option<TensorId> {
    let scaled = Product::of(graph, graph.writer(node.input(0)?)?)?;
    let &[input] = &scaled.operands[..] else { return None };
    (node.op == Op::Erf && is_close(scaled.factor, std::f64::consts::FRAC_1_SQRT_2)).then_some(input)
}

/// `x`, if the node is `tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))`.
fn tanh(graph: &Rewriter<'_, Float>, node: &Node) -> Option<TensorId> {
    let scaled = Product::of(graph, graph.writer(node.input(0)?)?)?;
    let &[sum] = &scaled.operands[..] else { return None };
    let sum = writer(graph, sum)?;
    let is_function = node.op == Op::Tanh && is_close(scaled.factor, (2.0 / std::f64::consts::PI).sqrt());
    if !is_function || !matches!(&sum.op, Op::Add(add) if add.activation == Activation::None) {
        return None;
    }
    [(0, 1), (1, 0)].into_iter().find_map(|(slot, other)| {
        let input = sum.input(slot)?;
        let cube = Product::of(graph, graph.writer(sum.input(other)?)?)?;
        (is_close(cube.factor, 0.044715) && cube.operands == [input; 3]).then_some(input)
    })
}

/// Exponentials divided by their sum.
fn softmax(graph: &Rewriter<'_, Float>, node: &Node) -> Option<(Op, TensorId)> {
    let (top, bottom) = (node.input(0)?, node.input(1)?);
    let (exp, sum) = (writer(graph, top)?, writer(graph, bottom)?);
    let Op::Sum(reduce) = &sum.op else { return None };
    let is_softmax = matches!(&node.op, Op::Div(div) if div.activation == Activation::None)
        && exp.op == Op::Exp
        && sum.input(0) == Some(top)
        && keeps_all_but_last(graph, top, reduce);
    if !is_softmax {
        return None;
    }
    let shifted = exp.input(0)?;
    let input = less_its_maximum(graph, shifted).unwrap_or(shifted);
    Some((Op::Softmax(Softmax { beta: 1.0 }), input))
}

/// `x`, if the tensor is `x - max(x)` along the last axis.
fn less_its_maximum(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<TensorId> {
    let node = writer(graph, tensor)?;
    let (Op::Sub(sub), input) = (&node.op, node.input(0)?) else { return None };
    let maximum = writer(graph, node.input(1)?)?;
    let Op::ReduceMax(reduce) = &maximum.op else { return None };
    let holds = sub.activation == Activation::None
        && maximum.input(0) == Some(input)
        && keeps_all_but_last(graph, input, reduce);
    holds.then_some(input)
}

fn keeps_all_but_last(graph: &Graph<Float>, tensor: TensorId, reduce: &Reduce) -> bool {
    reduce.keep_dims
        && Some(&*reduce.axes) == graph[tensor].shape.rank().checked_sub(1).as_ref().map(std::slice::from_ref)
}

/// The node that writes a tensor.
fn writer<'g>(graph: &'g Rewriter<'_, Float>, tensor: TensorId) -> Option<&'g Node> {
    Some(&graph[graph.writer(tensor)?])
}

/// The operands of an operator on a tensor and a constant of one element, in either order.
fn with_scalar(graph: &Graph<Float>, node: &Node) -> Option<(TensorId, f64)> {
    [(0, 1), (1, 0)].into_iter().find_map(|(tensor, constant)| {
        let tensor = node.input(tensor)?;
        Some((tensor, scalar(graph, node.input(constant))?)).filter(|_| !graph[tensor].is_constant())
    })
}

/// A sum with a constant of one element, without a clamp.
fn plain_sum(graph: &Rewriter<'_, Float>, tensor: TensorId) -> Option<(TensorId, f64)> {
    let node = writer(graph, tensor)?;
    let is_plain = matches!(&node.op, Op::Add(add) if add.activation == Activation::None);
    with_scalar(graph, node).filter(|_| is_plain)
}

/// Whether two numbers are equal but for rounding to single precision, or to the digits that exporters write.
fn is_close(first: f64, second: f64) -> bool {
    (first - second).abs() <= 1e-5 * second.abs()
}

#[cfg(test)]
mod tests;
