//! Minima, and maxima over axes that are not neighbours.

use super::{Rewriter, part};
use crate::ir::attributes::Reduce;
use crate::ir::{Fault, Node, Op, Shape};

/// `ReduceMin(x)` becomes `-ReduceMax(-x)`, `ArgMin(x)` becomes `ArgMax(-x)`; a maximum over axes with others between
/// them becomes several.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    match &node.op {
        Op::ReduceMin(reduce) => minimum(rewriter, node, reduce).map(Some),
        Op::ArgMin(arg) => {
            let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
            let negated = negated(rewriter, node)?;
            Ok(Some(vec![
                part(node, "negate", Op::Neg, [input], negated),
                Node::new(&node.name, Op::ArgMax(arg.clone()), [negated], output),
            ]))
        }
        Op::ReduceMax(reduce) => {
            let run = reduce.axes.windows(2).take_while(|pair| pair[1] == pair[0] + 1).count() + 1;
            if run >= reduce.axes.len() {
                return Ok(None);
            }
            // The later axes first: the earlier ones keep their numbers.
            let (earlier, later) = reduce.axes.split_at(run);
            let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
            let shape = rewriter.shape(input);
            let keep_dims = reduce.keep_dims;
            let between = rewriter.add_activation(node, "between", reduced(&shape, later, keep_dims))?;
            let op = |axes: &[usize]| Op::ReduceMax(Reduce { axes: axes.to_vec(), keep_dims });
            Ok(Some(vec![
                part(node, "inner", op(later), [input], between),
                part(node, "outer", op(earlier), [between], output),
            ]))
        }
        _ => Ok(None),
    }
}

fn minimum(rewriter: &mut Rewriter<'_>, node: &Node, reduce: &Reduce) -> Result<Vec<Node>, Fault> {
    let (input, output) = (rewriter.input(node, 0)?, rewriter.output(node)?);
    let negated = negated(rewriter, node)?;
    let maximum = rewriter.add_activation(node, "maximum", rewriter.shape(output))?;
    Ok(vec![
        part(node, "negate", Op::Neg, [input], negated),
        part(node, "maximum", Op::ReduceMax(reduce.clone()), [negated], maximum),
        part(node, "restore", Op::Neg, [maximum], output),
    ])
}

/// A tensor for the negated input.
fn negated(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<crate::ir::TensorId, Fault> {
    let input = rewriter.input(node, 0)?;
    let tensor = &rewriter.graph[input];
    let tensor =
        crate::ir::Tensor::new(format!("{}/negated", tensor.name), tensor.dtype, tensor.shape.clone());
    Ok(rewriter.graph.add_tensor(tensor))
}

fn reduced(shape: &Shape, axes: &[usize], keep_dims: bool) -> Shape {
    let kept = shape.iter().enumerate().filter_map(|(axis, &size)| match (axes.contains(&axis), keep_dims) {
        (false, _) => Some(size),
        (true, true) => Some(1),
        (true, false) => None,
    });
    kept.collect()
}
