//! Rewrites of what int8 has no kernel for into what it has one for, on the graph of real numbers, so that calibration
//! sees every tensor that there will be.
//!
//! | module | rewrites |
//! |---|---|
//! | `batch_normalization` | one that could not be folded: a depthwise convolution of 1x1, or a product and a sum |
//! | `p_relu` | a leaky relu where all slopes are equal, else `relu(x) + slope * min(x, 0)` |
//! | `divide` | division by constants: a product |
//! | `extreme` | maximum or minimum with one number: a clip |
//! | `reduce` | minima: maxima of the negated input; maxima over scattered axes: one after another |
//! | `pool` | averages that count padding: padding by an operator of its own |
//! | `repeat` | tiles and broadcasts: concatenations |
//! | `gather` | constant indices: slices, joined |
//! | `log_softmax` | the logarithm of a softmax, with a warning |
//! | `cast` | casts that change nothing here: gone |
//! | `concatenation` | a fused clamp: a clamp of its own |
//!
//! What is left and cannot be executed in int8 is refused, with what to do instead.

mod batch_normalization;
mod cast;
mod concatenation;
mod divide;
mod extreme;
mod gather;
mod log_softmax;
mod p_relu;
mod pool;
mod reduce;
mod repeat;

use super::report::Warning;
use crate::arithmetic::unsupported;
use crate::ir::{Fault, Float, Graph, Node, NodeId, Op, Problem, Shape, Tensor, TensorId};

/// A rewrite: the nodes that take a node's place, in running order and with the same outputs; `None` to leave it.
type Rewrite = fn(&mut Rewriter<'_>, &Node) -> Result<Option<Vec<Node>>, Fault>;

const REWRITES: [Rewrite; 11] = [
    batch_normalization::rewrite,
    cast::rewrite,
    concatenation::rewrite,
    divide::rewrite,
    extreme::rewrite,
    gather::rewrite,
    log_softmax::rewrite,
    p_relu::rewrite,
    pool::rewrite,
    reduce::rewrite,
    repeat::rewrite,
];

/// Rewrites a checked graph until every operator has a kernel, and tells what may cost accuracy. Results change by
/// rounding only.
///
/// # Errors
/// Every node that cannot be executed in int8.
pub fn legalize(graph: &mut Graph<Float>) -> Result<Vec<Warning>, Vec<Problem>> {
    let mut rewriter = Rewriter { graph, warnings: Vec::new() };
    let mut problems = Vec::new();
    let mut position = 0;
    while let Some(node) = rewriter.graph.nodes().get(position).cloned() {
        let id = NodeId(position as u32);
        match rewriter.node(&node) {
            Ok(None) => position += 1,
            // What was written may have to be rewritten in turn.
            Ok(Some(nodes)) => {
                rewriter.graph.remove_node(id);
                for (at, node) in (id.0..).zip(nodes) {
                    rewriter.graph.insert_node(NodeId(at), node);
                }
            }
            Err(fault) => {
                problems.push(Problem { place: rewriter.graph.place_of_node(id), fault });
                position += 1;
            }
        }
    }
    let warnings = rewriter.warnings;
    graph.remove_dead_nodes();
    if problems.is_empty() { Ok(warnings) } else { Err(problems) }
}

/// A graph under change.
struct Rewriter<'g> {
    graph: &'g mut Graph<Float>,
    warnings: Vec<Warning>,
}

impl Rewriter<'_> {
    fn node(&mut self, node: &Node) -> Result<Option<Vec<Node>>, Fault> {
        for rewrite in REWRITES {
            if let Some(nodes) = rewrite(self, node)? {
                return Ok(Some(nodes));
            }
        }
        refuse(&node.op).map_or(Ok(None), |what| Err(unsupported(what.to_owned())))
    }

    /// The tensor at an input slot that the operator has.
    fn input(&self, node: &Node, slot: usize) -> Result<TensorId, Fault> {
        node.input(slot).ok_or(Fault::MissingInput { role: "input" })
    }

    fn output(&self, node: &Node) -> Result<TensorId, Fault> {
        node.output().ok_or(Fault::OutputCount { found: 0, expected: 1 })
    }

    /// The numbers of a constant.
    fn constant(&self, id: TensorId) -> Option<Vec<f32>> {
        self.graph[id].f32_values()
    }

    /// A new constant.
    fn add_constant(&mut self, name: String, shape: impl Into<Shape>, values: &[f32]) -> TensorId {
        self.graph.add_tensor(Tensor::constant_f32(name, shape, values))
    }

    /// A new activation of a node's type, named after it.
    fn add_activation(&mut self, node: &Node, suffix: &str, shape: Shape) -> Result<TensorId, Fault> {
        let output = &self.graph[self.output(node)?];
        let tensor = Tensor::new(format!("{}/{suffix}", output.name), output.dtype, shape);
        Ok(self.graph.add_tensor(tensor))
    }

    /// The shape of a tensor.
    fn shape(&self, id: TensorId) -> Shape {
        self.graph[id].shape.clone()
    }
}

/// A node named after the one that it helps to replace.
fn part(
    of: &Node,
    suffix: &str,
    op: Op,
    inputs: impl IntoIterator<Item = TensorId>,
    output: TensorId,
) -> Node {
    Node::new(format!("{}/{suffix}", of.name), op, inputs, output)
}

/// Why an operator cannot be executed, and what to do.
fn refuse(op: &Op) -> Option<&'static str> {
    Some(match op {
        Op::Div(_) => {
            "division by what is computed is not executable in int8: multiply by a Reciprocal, or divide outside of the model"
        }
        Op::ReduceProd(_) => "products over axes are not executable in int8: multiply one by one",
        Op::Gather(_) => "indices that are computed are not executable: export them as constants",
        Op::Cast(_) => {
            "casts between real numbers and integers are not executable: convert outside of the model"
        }
        Op::Quantize | Op::Dequantize => {
            "this model is quantized in part: give the model as it was before, or one that is quantized as a whole"
        }
        Op::PRelu => "slopes that are computed are not executable in int8: export them as constants",
        Op::BatchNormalization(_) => {
            "statistics that are computed are not executable: export them as constants"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
