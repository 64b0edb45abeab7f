//! Which state an imported graph is in.

use super::Imported;
use crate::ir::check::check;
use crate::ir::{DType, Float, Graph, Node, NodeId, Op, Problem, Tensor, TensorId};

/// The graph in its state, and the nodes that compute with real numbers in a graph that otherwise computes with integers.
pub(crate) fn settle(mut graph: Graph<Float>) -> (Imported, Vec<NodeId>) {
    let float_nodes: Vec<NodeId> = graph
        .node_ids()
        .filter(|&id| !is_edge(&graph[id]) && touches(&graph, &graph[id], |tensor| tensor.dtype.is_float()))
        .collect();
    if float_nodes.is_empty() {
        return (Imported::Quantized(graph.into_state()), float_nodes);
    }
    let is_integer_activation =
        |tensor: &Tensor| matches!(tensor.dtype, DType::I8 | DType::U8 | DType::I16) && !tensor.is_constant();
    if graph.nodes().iter().any(|node| touches(&graph, node, is_integer_activation)) {
        return (Imported::Quantized(graph.into_state()), float_nodes);
    }
    let stored_as_integers: Vec<TensorId> = float_nodes
        .iter()
        .flat_map(|&id| graph[id].inputs.iter().flatten().copied())
        .filter(|&id| graph[id].dtype == DType::I8)
        .collect();
    let mut hybrid = false;
    for id in stored_as_integers {
        let tensor = graph.tensor_mut(id);
        if let Some(values) = tensor.dequantized() {
            *tensor = Tensor::constant_f32(tensor.name.clone(), tensor.shape.clone(), &values);
            hybrid = true;
        }
    }
    (if hybrid { Imported::Hybrid(graph) } else { Imported::Float(graph) }, Vec::new())
}

impl Imported {
    /// Checks the graph against the rules of its state.
    ///
    /// # Errors
    /// All problems found.
    pub fn check(&self) -> Result<(), Vec<Problem>> {
        match self {
            Imported::Quantized(graph) => check(graph),
            Imported::Float(graph) | Imported::Hybrid(graph) => check(graph),
        }
    }

    /// Removes nodes that no output depends on; see [`Graph::remove_dead_nodes`].
    pub(crate) fn remove_dead_nodes(&mut self) {
        match self {
            Imported::Quantized(graph) => graph.remove_dead_nodes(),
            Imported::Float(graph) | Imported::Hybrid(graph) => graph.remove_dead_nodes(),
        };
    }
}

fn is_edge(node: &Node) -> bool {
    matches!(node.op, Op::Quantize | Op::Dequantize)
}

fn touches(graph: &Graph<Float>, node: &Node, property: impl Fn(&Tensor) -> bool) -> bool {
    node.inputs.iter().flatten().chain(&node.outputs).any(|&id| graph.get(id).is_some_and(&property))
}
