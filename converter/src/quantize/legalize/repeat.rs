//! Tensors repeated.

use super::{Rewriter, part};
use crate::arithmetic::unsupported;
use crate::ir::attributes::{Concatenation, Reshape, Tile};
use crate::ir::{Activation, Fault, Node, Op, Shape};

/// Most repetitions along an axis.
const MOST: usize = 64;

/// `BroadcastTo` becomes `Reshape` and `Tile`; `Tile` becomes a concatenation along the last axis that it repeats, and
/// a `Tile` along the others.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    match &node.op {
        Op::BroadcastTo(broadcast) => {
            let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
            let from = rewriter.shape(input);
            let missing = broadcast.shape.rank().saturating_sub(from.rank());
            let shape: Shape = std::iter::repeat_n(1, missing).chain(from.iter().copied()).collect();
            let repeats = broadcast.shape.iter().zip(shape.iter()).map(|(to, from)| to / from).collect();
            let ranked = rewriter.add_activation(node, "ranked", shape.clone())?;
            Ok(Some(vec![
                part(node, "reshape", Op::Reshape(Reshape { shape }), [input], ranked),
                part(node, "tile", Op::Tile(Tile { repeats }), [ranked], output),
            ]))
        }
        Op::Tile(tile) => {
            let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
            let Some(axis) = tile.repeats.iter().rposition(|&count| count != 1) else {
                let op = Op::Reshape(Reshape { shape: rewriter.shape(output) });
                return Ok(Some(vec![Node::new(&node.name, op, [input], output)]));
            };
            let count = tile.repeats[axis];
            if count > MOST {
                let what = format!("{count} repetitions along axis {axis}: at most {MOST} are executable");
                return Err(unsupported(what));
            }
            let mut shape = rewriter.shape(input).to_vec();
            shape[axis] *= count;
            let mut repeats = tile.repeats.clone();
            repeats[axis] = 1;
            let join = Op::Concatenation(Concatenation { axis, activation: Activation::None });
            if repeats.iter().all(|&count| count == 1) {
                let inputs = std::iter::repeat_n(input, count);
                return Ok(Some(vec![Node::new(&node.name, join, inputs, output)]));
            }
            let joined = rewriter.add_activation(node, "joined", shape.into())?;
            Ok(Some(vec![
                part(node, "join", join, std::iter::repeat_n(input, count), joined),
                part(node, "tile", Op::Tile(Tile { repeats }), [joined], output),
            ]))
        }
        _ => Ok(None),
    }
}
