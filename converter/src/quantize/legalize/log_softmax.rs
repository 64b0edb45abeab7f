//! Logarithms of probabilities.

use super::{Rewriter, part};
use crate::ir::attributes::Softmax;
use crate::ir::{Fault, Node, Op};
use crate::quantize::report::Warning;

/// `LogSoftmax(x)` becomes `Log(Softmax(x))`, of which the user is told.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    if node.op != Op::LogSoftmax {
        return Ok(None);
    }
    let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
    let probabilities = rewriter.add_activation(node, "probabilities", rewriter.shape(input))?;
    rewriter.warnings.push(Warning::LogSoftmax { node: node.name.clone() });
    Ok(Some(vec![
        part(node, "softmax", Op::Softmax(Softmax { beta: 1.0 }), [input], probabilities),
        part(node, "log", Op::Log, [probabilities], output),
    ]))
}
