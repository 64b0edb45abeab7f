//! Maxima and minima with one number.

use super::Rewriter;
use crate::ir::attributes::Clip;
use crate::ir::{Fault, Node, Op};

/// `Maximum(x, c)` and `Minimum(x, c)` become clips, where `c` is one number.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let clip = |number: f32| match node.op {
        Op::Maximum => Some(Clip { low: number, high: f32::INFINITY }),
        Op::Minimum => Some(Clip { low: f32::NEG_INFINITY, high: number }),
        _ => None,
    };
    if clip(0.0).is_none() {
        return Ok(None);
    }
    let output = rewriter.output(node)?;
    for (activation, number) in [(0, 1), (1, 0)] {
        let (activation, number) = (rewriter.input(node, activation)?, rewriter.input(node, number)?);
        let is_whole = rewriter.shape(activation) == rewriter.shape(output);
        if let Some([number]) = rewriter.constant(number).as_deref()
            && is_whole
            && let Some(clip) = clip(*number)
        {
            return Ok(Some(vec![Node::new(&node.name, Op::Clip(clip), [activation], output)]));
        }
    }
    Ok(None)
}
