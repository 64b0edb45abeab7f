//! Divisions.

use super::{Rewriter, part};
use crate::ir::attributes::Arithmetic;
use crate::ir::{Fault, Node, Op};

/// `x / c` becomes `x * (1 / c)`, `c / x` becomes `Reciprocal(x) * c`, for constants `c`.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::Div(Arithmetic { activation }) = node.op else { return Ok(None) };
    let (first, second, output) =
        (rewriter.input(node, 0)?, rewriter.input(node, 1)?, rewriter.output(node)?);
    let product = Op::Mul(Arithmetic { activation });
    if let Some(divisor) = rewriter.constant(second) {
        let factor: Vec<f32> = divisor.iter().map(|divisor| 1.0 / divisor).collect();
        if factor.iter().all(|factor| factor.is_finite()) {
            let (name, shape) = (format!("{}/factor", node.name), rewriter.shape(second));
            let factor = rewriter.add_constant(name, shape, &factor);
            return Ok(Some(vec![Node::new(&node.name, product, [first, factor], output)]));
        }
    } else if rewriter.constant(first).is_some() {
        let reciprocal = rewriter.add_activation(node, "reciprocal", rewriter.shape(second))?;
        return Ok(Some(vec![
            part(node, "reciprocal", Op::Reciprocal, [second], reciprocal),
            part(node, "mul", product, [reciprocal, first], output),
        ]));
    }
    Ok(None)
}
