//! Which state an imported graph is in.

use super::Imported;
use crate::ir::check::check;
use crate::ir::{DType, Float, Graph, Node, NodeId, Op, Problem, Quantization, Tensor, TensorId};

/// The graph in its state, or the nodes that compute with real numbers in a graph that otherwise computes with integers.
pub(crate) fn settle(mut graph: Graph<Float>) -> Result<Imported, Vec<NodeId>> {
    let float_nodes: Vec<NodeId> = graph
        .node_ids()
        .filter(|&id| !is_edge(&graph[id]) && touches(&graph, &graph[id], |tensor| tensor.dtype.is_float()))
        .collect();
    if float_nodes.is_empty() {
        return Ok(Imported::Quantized(graph.into_state()));
    }
    let is_integer_activation =
        |tensor: &Tensor| matches!(tensor.dtype, DType::I8 | DType::U8 | DType::I16) && !tensor.is_constant();
    if graph.nodes().iter().any(|node| touches(&graph, node, is_integer_activation)) {
        return Err(float_nodes);
    }
    let stored_as_integers: Vec<TensorId> = float_nodes
        .iter()
        .flat_map(|&id| graph[id].inputs.iter().flatten().copied())
        .filter(|&id| graph[id].dtype == DType::I8)
        .collect();
    let mut hybrid = false;
    for id in stored_as_integers {
        if let Some(real) = dequantize(&graph[id]) {
            *graph.tensor_mut(id) = real;
            hybrid = true;
        }
    }
    Ok(if hybrid { Imported::Hybrid(graph) } else { Imported::Float(graph) })
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
}

fn is_edge(node: &Node) -> bool {
    matches!(node.op, Op::Quantize | Op::Dequantize)
}

fn touches(graph: &Graph<Float>, node: &Node, property: impl Fn(&Tensor) -> bool) -> bool {
    node.inputs.iter().flatten().chain(&node.outputs).any(|&id| graph.get(id).is_some_and(&property))
}

/// A constant of type i8 as one of type f32; `None` if its scales do not fit.
fn dequantize(tensor: &Tensor) -> Option<Tensor> {
    let stored = tensor.i8_values()?;
    let Quantization { scales, zero_points, axis } = tensor.quantization.as_ref()?;
    let inner: usize = tensor.shape.get(axis + 1..).unwrap_or(&[]).iter().product();
    let channels = scales.len();
    let fits = channels == 1 || tensor.shape.get(*axis) == Some(&channels);
    if !fits || zero_points.len() != channels || inner == 0 {
        return None;
    }
    let real = stored.iter().enumerate().map(|(index, &value)| {
        let channel = index / inner % channels;
        scales[channel] * (i32::from(value) - zero_points[channel]) as f32
    });
    Some(Tensor::constant_f32(tensor.name.clone(), tensor.shape.clone(), &real.collect::<Vec<_>>()))
}
