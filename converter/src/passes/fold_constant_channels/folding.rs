//! What channel folding did, for reports.

use serde::Serialize;

use crate::ir::{Graph, Node, Op, Quantized};

/// What channel folding did to a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Folding {
    /// The layers that lost weights, in the order they run.
    pub layers: Vec<FoldedLayer>,
    /// All layers with weights before and after.
    pub total: Change<Size>,
}

/// A layer that lost channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoldedLayer {
    /// The node's name.
    pub name: String,
    /// The operator.
    pub kind: &'static str,
    /// Input channels.
    pub inputs: Change<usize>,
    /// Output channels.
    pub outputs: Change<usize>,
    /// Its size.
    pub size: Change<Size>,
}

/// A quantity before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change<T> {
    /// Before.
    pub before: T,
    /// After.
    pub after: T,
}

/// What a layer, or several, costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Multiply-accumulates of one inference.
    pub macs: u64,
    /// Weights, biases left out.
    pub weights: u64,
}

impl Folding {
    /// Why no output changes, in a sentence.
    pub const REASON: &'static str =
        "what goes is constant or multiplied by zeros: the biases hold what it adds, sums stay equal";

    /// Output channels that were left out, in all layers.
    pub fn channels(&self) -> usize {
        self.layers.iter().map(|layer| layer.outputs.before - layer.outputs.after).sum()
    }

    /// Compares the layers of a graph before and after; nodes are the same, in the same order.
    pub(super) fn between(before: &Graph<Quantized>, after: &Graph<Quantized>) -> Self {
        let mut folding = Self::default();
        for (old, new) in before.nodes().iter().zip(after.nodes()) {
            let (Some(was), Some(is)) = (Size::of(before, old), Size::of(after, new)) else { continue };
            folding.total.before.add(was);
            folding.total.after.add(is);
            if was != is {
                folding.layers.push(FoldedLayer {
                    name: new.name.clone(),
                    kind: new.op.name(),
                    inputs: Change { before: inputs(before, old), after: inputs(after, new) },
                    outputs: Change { before: outputs(before, old), after: outputs(after, new) },
                    size: Change { before: was, after: is },
                });
            }
        }
        folding
    }
}

impl Size {
    /// The size of a node with weights.
    fn of(graph: &Graph<Quantized>, node: &Node) -> Option<Self> {
        let weights = graph.input_of(node, 1)?.shape.elements()? as u64;
        let (from, to) =
            (graph.input_of(node, 0)?.shape.elements()?, graph.get(node.output()?)?.shape.elements()?);
        let rows = match node.op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected(_) => {
                (to / outputs(graph, node)) as u64
            }
            Op::TransposeConv2d(_) => (from / inputs(graph, node)) as u64,
            _ => return None,
        };
        Some(Size { macs: rows.saturating_mul(weights), weights })
    }

    fn add(&mut self, other: Self) {
        self.macs = self.macs.saturating_add(other.macs);
        self.weights = self.weights.saturating_add(other.weights);
    }
}

fn inputs(graph: &Graph<Quantized>, node: &Node) -> usize {
    graph.input_of(node, 0).map_or(1, super::channels)
}

fn outputs(graph: &Graph<Quantized>, node: &Node) -> usize {
    node.output().and_then(|id| graph.get(id)).map_or(1, super::channels)
}
