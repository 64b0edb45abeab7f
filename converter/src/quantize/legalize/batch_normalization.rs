//! A batch normalization that no layer could take in.

use super::{Rewriter, part};
use crate::ir::attributes::{Arithmetic, DepthwiseConv2d};
use crate::ir::{Activation, Fault, Hw, Node, Op, Padding};

/// `BatchNormalization(x)` becomes a depthwise convolution of 1x1, whose weights have a scale per channel, where `x` is
/// an image, else `x * factor + offset`.
pub(super) fn rewrite(rewriter: &mut Rewriter<'_>, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
    let Op::BatchNormalization(attributes) = &node.op else { return Ok(None) };
    let input = rewriter.input(node, 0)?;
    let output = rewriter.output(node)?;
    let mut parameters = Vec::new();
    for slot in 1..5 {
        let Some(values) = rewriter.constant(rewriter.input(node, slot)?) else { return Ok(None) };
        parameters.push(values);
    }
    let [scale, shift, mean, variance] = &parameters[..] else { return Ok(None) };
    let factor: Vec<f64> = scale
        .iter()
        .zip(variance)
        .map(|(&scale, &variance)| {
            f64::from(scale) / (f64::from(variance) + f64::from(attributes.epsilon)).sqrt()
        })
        .collect();
    let offset: Vec<f32> = factor
        .iter()
        .zip(mean.iter().zip(shift))
        .map(|(factor, (&mean, &shift))| (f64::from(shift) - f64::from(mean) * factor) as f32)
        .collect();
    let factor: Vec<f32> = factor.iter().map(|&factor| factor as f32).collect();
    let channels = factor.len();
    let offset = rewriter.add_constant(format!("{}/offset", node.name), [channels], &offset);
    if rewriter.shape(input).rank() == 4 {
        let factor = rewriter.add_constant(format!("{}/factor", node.name), [1, 1, 1, channels], &factor);
        let op = Op::DepthwiseConv2d(DepthwiseConv2d {
            stride: Hw::square(1),
            dilation: Hw::square(1),
            padding: Padding::NONE,
            multiplier: 1,
            activation: Activation::None,
        });
        return Ok(Some(vec![Node::new(&node.name, op, [input, factor, offset], output)]));
    }
    let factor = rewriter.add_constant(format!("{}/factor", node.name), [channels], &factor);
    let product = rewriter.add_activation(node, "product", rewriter.shape(input))?;
    Ok(Some(vec![
        part(node, "mul", Op::Mul(Arithmetic::default()), [input, factor], product),
        part(node, "add", Op::Add(Arithmetic::default()), [product, offset], output),
    ]))
}
