//! What a float model consists of, for reports.

use serde::Serialize;

use crate::ir::{Float, Graph, Node, Op, Shape};
use crate::port::Port;
use crate::source::FloatModel;

/// A float model, taken apart after normalization.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FloatDescription {
    /// Name of the model.
    pub name: String,
    /// What the caller fills.
    pub inputs: Vec<Port>,
    /// What the caller reads.
    pub outputs: Vec<Port>,
    /// The operators in the order of execution.
    pub operators: Vec<FloatOperator>,
    /// Numbers of all constants; those that several operators share are counted once.
    pub parameters: usize,
    /// Multiply-accumulates with weights of one inference.
    pub macs: u64,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FloatOperator {
    /// Position in the order of execution.
    pub index: usize,
    /// What it computes.
    pub kind: &'static str,
    /// Its name, by which recipes know it.
    pub name: String,
    /// Dimensions of what it writes.
    pub shape: Vec<usize>,
    /// Numbers in its constants.
    pub parameters: usize,
    /// Multiply-accumulates with weights; null for an operator without.
    pub macs: Option<u64>,
}

impl FloatDescription {
    /// Describes a model.
    pub fn of(model: &FloatModel) -> Self {
        let graph = model.graph();
        let operators: Vec<FloatOperator> =
            graph.nodes().iter().enumerate().map(|(index, node)| operator(graph, index, node)).collect();
        let uses = graph.uses();
        let constants = graph.tensor_ids().filter(|&id| graph[id].is_constant());
        let used = constants.filter(|&id| !uses.readers(id).is_empty());
        Self {
            name: graph.name.clone(),
            inputs: model.inputs().to_vec(),
            outputs: model.outputs().to_vec(),
            parameters: used.map(|id| graph[id].shape.elements().unwrap_or_default()).sum(),
            macs: operators.iter().filter_map(|operator| operator.macs).sum(),
            operators,
        }
    }
}

fn operator(graph: &Graph<Float>, index: usize, node: &Node) -> FloatOperator {
    let output = node.output().map(|id| &graph[id]);
    let constants = node.inputs.iter().flatten().map(|&id| &graph[id]).filter(|tensor| tensor.is_constant());
    FloatOperator {
        index,
        kind: node.op.name(),
        name: node.name.clone(),
        shape: output.map(|tensor| tensor.shape.to_vec()).unwrap_or_default(),
        parameters: constants.map(|tensor| tensor.shape.elements().unwrap_or_default()).sum(),
        macs: macs(graph, node),
    }
}

/// Every output of a layer is the sum of as many products as its filter has weights per output channel; every input
/// of a transposed convolution meets every weight of its channel.
fn macs(graph: &Graph<Float>, node: &Node) -> Option<u64> {
    let elements = |shape: &Shape| shape.elements().unwrap_or_default() as u64;
    let filter = &graph.input_of(node, 1)?.shape;
    let output = &graph.get(node.output()?)?.shape;
    let [weights, written] = [filter, output].map(elements);
    match node.op {
        Op::Conv2d(_) | Op::FullyConnected(_) => Some(written * (weights / (*filter.first()? as u64).max(1))),
        Op::DepthwiseConv2d(_) => Some(written * (weights / (*filter.last()? as u64).max(1))),
        Op::TransposeConv2d(_) => {
            let input = &graph.input_of(node, 0)?.shape;
            Some(elements(input) * (weights / (*filter.last()? as u64).max(1)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::parse;

    #[test]
    fn layers_count_their_products() {
        let graph = parse(
            r#"graph "g" float
%0 "x" f32[1,2,2,3]
%1 "w" f32[2,1,1,3] = [1,2,3,4,5,6]
%2 "c" f32[1,2,2,2]
%3 "d" f32[1,1,2,2] = [1,2,3,4]
%4 "e" f32[1,2,1,2]
%5 "y" f32[1,2,1,2]
inputs %0
outputs %5
node "n0" Conv2d(%0, %1) -> %2 stride=[1,1] dilation=[1,1] groups=1
node "n1" DepthwiseConv2d(%2, %3) -> %4 stride=[1,1] dilation=[1,1] multiplier=1
node "n2" Tanh(%4) -> %5
"#,
        );
        let description = FloatDescription::of(&FloatModel::new(graph.unwrap()).unwrap());
        let macs: Vec<_> = description.operators.iter().map(|operator| operator.macs).collect();
        assert_eq!(macs, [Some(24), Some(8), None]);
        assert_eq!((description.macs, description.parameters), (32, 10));
        assert_eq!(description.operators[1].name, "n1");
    }
}
