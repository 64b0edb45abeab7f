//! Clamps fused into concatenations.

use super::{Rewriter, part};
use crate::ir::attributes::{Clip, Concatenation};
use crate::ir::{Activation, Fault, Node, Op};

/// The clamp of a `Concatenation` becomes a node of its own.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::Concatenation(join) = &node.op else { return Ok(None) };
    if join.activation == Activation::None {
        return Ok(None);
    }
    let output = rewriter.output(node)?;
    let (low, high) = join.activation.bounds();
    let joined = rewriter.add_activation(node, "joined", rewriter.shape(output))?;
    let plain = Op::Concatenation(Concatenation { activation: Activation::None, ..join.clone() });
    Ok(Some(vec![
        Node { name: node.name.clone(), op: plain, inputs: node.inputs.clone(), outputs: vec![joined] },
        part(node, "clip", Op::Clip(Clip { low, high }), [joined], output),
    ]))
}
