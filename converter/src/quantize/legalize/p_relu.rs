//! Slopes below 0 that differ from channel to channel.

use super::{Rewriter, part};
use crate::ir::attributes::{Arithmetic, Clip, LeakyRelu};
use crate::ir::{Fault, Node, Op};

/// `PRelu(x, slope)` becomes `LeakyRelu(x)` if all slopes are equal, else `Relu(x) + slope * Clip(x, -inf, 0)`.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    if node.op != Op::PRelu {
        return Ok(None);
    }
    let (input, slope, output) = (rewriter.input(node, 0)?, rewriter.input(node, 1)?, rewriter.output(node)?);
    let Some(slopes) = rewriter.constant(slope) else { return Ok(None) };
    if let [alpha, rest @ ..] = &slopes[..]
        && rest.iter().all(|other| other == alpha)
    {
        let op = Op::LeakyRelu(LeakyRelu { alpha: *alpha });
        return Ok(Some(vec![Node::new(&node.name, op, [input], output)]));
    }
    let shape = rewriter.shape(input);
    let above = rewriter.add_activation(node, "above", shape.clone())?;
    let below = rewriter.add_activation(node, "below", shape.clone())?;
    let sloped = rewriter.add_activation(node, "sloped", shape)?;
    let clip = Op::Clip(Clip { low: f32::NEG_INFINITY, high: 0.0 });
    Ok(Some(vec![
        part(node, "relu", Op::Relu, [input], above),
        part(node, "clip", clip, [input], below),
        part(node, "mul", Op::Mul(Arithmetic::default()), [below, slope], sloped),
        part(node, "add", Op::Add(Arithmetic::default()), [above, sloped], output),
    ]))
}
