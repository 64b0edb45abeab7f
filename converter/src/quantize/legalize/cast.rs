//! Casts that change nothing on the device.

use super::Rewriter;
use crate::ir::attributes::Reshape;
use crate::ir::{DType, Fault, Node, Op};

/// A cast to the type that a tensor has, or between indices of 32 and 64 bits, becomes a reshape, which costs nothing.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::Cast(cast) = &node.op else { return Ok(None) };
    let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
    let from = rewriter.graph[input].dtype;
    let is_index = |dtype: DType| matches!(dtype, DType::I32 | DType::I64);
    if from != cast.to && !(is_index(from) && is_index(cast.to)) {
        return Ok(None);
    }
    rewriter.graph.tensor_mut(output).dtype = from;
    let op = Op::Reshape(Reshape { shape: rewriter.shape(output) });
    Ok(Some(vec![Node::new(&node.name, op, [input], output)]))
}
