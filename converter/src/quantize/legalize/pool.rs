//! Averages that count padding.

use super::{Rewriter, part};
use crate::ir::attributes::{Pad, Pool2d};
use crate::ir::{Fault, Node, Op, Padding, Shape};

/// `AveragePool2d` that counts padding becomes `Pad` with zeros and an average without padding.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::AveragePool2d(pool) = &node.op else { return Ok(None) };
    if !pool.count_padding || pool.padding == Padding::NONE {
        return Ok(None);
    }
    let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
    let Padding { top, bottom, left, right } = pool.padding;
    let (before, after) = (vec![0, top, left, 0], vec![0, bottom, right, 0]);
    let shape: Shape = rewriter
        .shape(input)
        .iter()
        .zip(before.iter().zip(&after))
        .map(|(size, (b, a))| size + b + a)
        .collect();
    let padded = rewriter.add_activation(node, "padded", shape)?;
    let pool = Pool2d { padding: Padding::NONE, count_padding: false, ..pool.clone() };
    Ok(Some(vec![
        part(node, "pad", Op::Pad(Pad { before, after, value: 0.0 }), [input], padded),
        Node::new(&node.name, Op::AveragePool2d(pool), [padded], output),
    ]))
}
