//! Operators that multiply each channel by a factor and add a summand.

use crate::ir::{Float, Graph, Node, NodeId, Op, TensorId};

use super::super::constants::reals;

/// `output = input * factor + summand` for each channel, the last axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) input: TensorId,
    /// One per channel.
    pub(crate) factors: Vec<f64>,
    /// One per channel.
    pub(crate) summands: Vec<f64>,
}

impl Affine {
    /// What a node does, if it is that. A fused clamp comes on top.
    pub(crate) fn of(graph: &Graph<Float>, node: NodeId) -> Option<Self> {
        let node = &graph[node];
        match &node.op {
            Op::BatchNormalization(normalization) => {
                let epsilon = f64::from(normalization.epsilon);
                let input = node.input(0)?;
                let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|slot| reals(graph, node.input(slot)));
                let (scale, shift, mean, variance) = (scale?, shift?, mean?, variance?);
                let factors: Vec<f64> = scale
                    .iter()
                    .zip(&variance)
                    .map(|(scale, variance)| scale / (variance + epsilon).sqrt())
                    .collect();
                let summands = shift
                    .iter()
                    .zip(&mean)
                    .zip(&factors)
                    .map(|((shift, mean), a)| shift - mean * a)
                    .collect();
                Affine { input, factors, summands }.finite()
            }
            Op::Add(_) => {
                let (input, constants) = operands(graph, node, 0).or_else(|| operands(graph, node, 1))?;
                Affine { input, factors: vec![1.0; constants.len()], summands: constants }.finite()
            }
            Op::Sub(_) => {
                if let Some((input, constants)) = operands(graph, node, 0) {
                    let summands = constants.iter().map(|c| -c).collect();
                    return Affine { input, factors: vec![1.0; constants.len()], summands }.finite();
                }
                let (input, constants) = operands(graph, node, 1)?;
                Affine { input, factors: vec![-1.0; constants.len()], summands: constants }.finite()
            }
            Op::Mul(_) => {
                let (input, constants) = operands(graph, node, 0).or_else(|| operands(graph, node, 1))?;
                Affine { input, summands: vec![0.0; constants.len()], factors: constants }.finite()
            }
            Op::Div(_) => {
                let (input, constants) = operands(graph, node, 0)?;
                let factors = constants.iter().map(|c| 1.0 / c).collect();
                Affine { input, summands: vec![0.0; constants.len()], factors }.finite()
            }
            _ => None,
        }
    }

    fn finite(self) -> Option<Self> {
        self.factors.iter().chain(&self.summands).all(|value| value.is_finite()).then_some(self)
    }

    /// Whether nothing is multiplied.
    pub(crate) fn only_adds(&self) -> bool {
        self.factors.iter().all(|&factor| factor == 1.0)
    }

    /// Whether nothing is added.
    pub(crate) fn only_multiplies(&self) -> bool {
        self.summands.iter().all(|&summand| summand == 0.0)
    }
}

/// The operand at a slot, which has the output's shape and is no constant, and the other one, a constant per channel.
fn operands(graph: &Graph<Float>, node: &Node, slot: usize) -> Option<(TensorId, Vec<f64>)> {
    let (input, other) = (node.input(slot)?, node.input(1 - slot)?);
    let shape = &graph[input].shape;
    let channels = *shape.last()?;
    if graph[input].is_constant() || graph[node.output()?].shape != *shape {
        return None;
    }
    let values = reals(graph, Some(other))?;
    match values.len() {
        1 => Some((input, vec![values[0]; channels])),
        count if count == channels && graph[other].shape.last() == Some(&channels) => Some((input, values)),
        _ => None,
    }
}
