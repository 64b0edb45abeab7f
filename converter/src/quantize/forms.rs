//! In which form each activation is stored: as int8 with a scale and zero point, or as real numbers.
//!
//! Operators that move or compare values demand that what they read and write is quantized alike: their tensors form
//! groups that share one scale, from the union of their ranges. Some operators write at a scale that is theirs by
//! definition; what only moves such a tensor takes it over, what joins it with others does not: there the
//! [builder](super::build) requantizes. A clamp whose input nobody else reads shares its output's quantization and
//! vanishes into the rounding of the operator before it.

use super::affine::affine;
use super::layers::{Choice, Layer};
use super::recipe::Activations;
use crate::arithmetic::{Affine, unsupported};
use crate::calibrate::{Range, Ranges};
use crate::ir::attributes::{
    Arithmetic, Clip, Conv2d, DepthwiseConv2d, FullyConnected, Pad, TransposeConv2d,
};
use crate::ir::graph::Uses;
use crate::ir::{DType, Float, Graph, Node, Op, Problem, TensorId};

/// How an activation is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// As int8.
    Int8(Affine),
    /// As f32; where somebody needs it as int8, this is how.
    Real(Option<Affine>),
    /// As it is: integers that stand for themselves, and constants.
    Own,
}

/// The form of every tensor.
///
/// # Errors
/// Tensors that need a range and have none.
pub(super) fn forms(
    graph: &Graph<Float>,
    ranges: &Ranges,
    layers: &[Layer],
    choices: &[Choice],
) -> Result<Vec<Form>, Vec<Problem>> {
    let uses = graph.uses();
    let is_real = real(graph, &uses, layers, choices);
    let groups = Groups::of(graph, &uses, &is_real);
    groups.forms(graph, ranges, &is_real)
}

/// Which activations stay real numbers: what dynamic layers write, what only they read, and what moves these.
fn real(graph: &Graph<Float>, uses: &Uses, layers: &[Layer], choices: &[Choice]) -> Vec<bool> {
    let mut is_dynamic = vec![false; graph.nodes().len()];
    for (layer, choice) in layers.iter().zip(choices) {
        is_dynamic[layer.node.index()] = choice.activations == Activations::Dynamic;
    }
    let mut wanted = vec![false; graph.tensors().len()];
    for id in graph.node_ids().rev() {
        let node = &graph[id];
        let moves_real = moves_any_type(&node.op)
            && node.output().is_some_and(|out| {
                let readers = uses.readers(out);
                wanted[out.index()] && !readers.is_empty() && !graph.outputs().contains(&out)
            });
        for (slot, &tensor) in node.inputs.iter().enumerate() {
            let Some(tensor) = tensor else { continue };
            let takes_real = slot == 0 && (is_dynamic[id.index()] || moves_real);
            // The last reader comes first in this order and decides; every other one must agree.
            let is_last = uses.readers(tensor).last() == Some(&id);
            wanted[tensor.index()] = takes_real && (is_last || wanted[tensor.index()]);
        }
    }
    let mut is_real = vec![false; graph.tensors().len()];
    for &input in graph.inputs() {
        is_real[input.index()] = wanted[input.index()];
    }
    for (id, node) in graph.node_ids().zip(graph.nodes()) {
        let reads_real = node.input(0).is_some_and(|input| is_real[input.index()]);
        if is_dynamic[id.index()] || (moves_any_type(&node.op) && reads_real) {
            node.outputs.iter().for_each(|output| is_real[output.index()] = true);
        }
    }
    is_real
}

/// Whether the operator moves f32 as well as int8.
fn moves_any_type(op: &Op) -> bool {
    matches!(op, Op::Reshape(_) | Op::Pad(_) | Op::Transpose(_) | Op::StridedSlice(_))
}

/// The quantization that an operator's output has by definition.
fn fixed(op: &Op) -> Option<Affine> {
    match op {
        Op::Logistic | Op::Softmax(_) => Some(Affine { scale: 1.0 / 256.0, zero_point: -128 }),
        Op::Tanh => Some(Affine { scale: 1.0 / 128.0, zero_point: 0 }),
        Op::Sign => Some(Affine { scale: 1.0, zero_point: 0 }),
        _ => None,
    }
}

/// The clamp that an operator is.
pub(super) fn clamp(op: &Op) -> Option<(f32, f32)> {
    match *op {
        Op::Relu => Some((0.0, f32::INFINITY)),
        Op::Relu6 => Some((0.0, 6.0)),
        Op::ReluN1To1 => Some((-1.0, 1.0)),
        Op::Clip(Clip { low, high }) => Some((low, high)),
        _ => None,
    }
}

/// Whether the operator computes a value that it rounds to its output's scale, whatever that is.
fn rounds_to_output(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv2d(Conv2d { .. })
            | Op::DepthwiseConv2d(DepthwiseConv2d { .. })
            | Op::TransposeConv2d(TransposeConv2d { .. })
            | Op::FullyConnected(FullyConnected { .. })
            | Op::Add(Arithmetic { .. })
            | Op::Sub(Arithmetic { .. })
            | Op::Mul(Arithmetic { .. })
            | Op::Mean(_)
            | Op::Sum(_)
    )
}

/// Whether a clamp's input may share the output's quantization: its writer clips to it, and nobody else reads it.
fn clamps_alone(graph: &Graph<Float>, uses: &Uses, input: TensorId) -> bool {
    let is_private = uses.readers(input).len() == 1 && !graph.outputs().contains(&input);
    is_private && uses.writer(input).is_some_and(|writer| rounds_to_output(&graph[writer].op))
}

/// Whether the clamp does nothing to values that are stored like this.
pub(super) fn is_idle_clamp((low, high): (f32, f32), affine: Affine) -> bool {
    let real = |stored: i32| f64::from(affine.scale) * f64::from(stored - affine.zero_point);
    let half = f64::from(affine.scale) / 2.0;
    real(-128) >= f64::from(low) - half && real(127) <= f64::from(high) + half
}

/// Tensors that are quantized alike, as a forest of which every root stands for one group.
struct Groups {
    parent: Vec<usize>,
    /// Of a root: the quantization that is given.
    fixed: Vec<Option<Affine>>,
    /// Tensors whose own range does not count, because a clamp follows.
    is_clamped: Vec<bool>,
}

impl Groups {
    fn of(graph: &Graph<Float>, uses: &Uses, is_real: &[bool]) -> Groups {
        let count = graph.tensors().len();
        let mut groups =
            Groups { parent: (0..count).collect(), fixed: vec![None; count], is_clamped: vec![false; count] };
        let is_int8 = |id: TensorId| {
            let tensor = &graph[id];
            tensor.dtype == DType::F32 && !tensor.is_constant() && !is_real[id.index()]
        };
        for node in graph.nodes() {
            groups.add(graph, uses, node, &is_int8);
        }
        groups
    }

    fn add(&mut self, graph: &Graph<Float>, uses: &Uses, node: &Node, is_int8: &dyn Fn(TensorId) -> bool) {
        let outputs: Vec<TensorId> = node.outputs.iter().copied().filter(|&id| is_int8(id)).collect();
        let inputs: Vec<TensorId> = node.inputs.iter().flatten().copied().filter(|&id| is_int8(id)).collect();
        match &node.op {
            Op::Pad(Pad { value, .. }) => {
                let given = inputs.first().and_then(|&input| self.fixed(input));
                if given.is_none_or(|affine| holds(affine, *value)) {
                    self.join_all(&inputs, &outputs);
                }
            }
            Op::Reshape(_)
            | Op::Transpose(_)
            | Op::StridedSlice(_)
            | Op::Split(_)
            | Op::Unpack(_)
            | Op::AveragePool2d(_)
            | Op::MaxPool2d(_)
            | Op::ReduceMax(_)
            | Op::ResizeNearest(_)
            | Op::ResizeBilinear(_) => self.join_all(&inputs, &outputs),
            Op::Maximum | Op::Minimum | Op::Concatenation(_) | Op::Pack(_) => {
                let given: Vec<Option<Affine>> = inputs.iter().map(|&input| self.fixed(input)).collect();
                if given.windows(2).all(|pair| pair[0] == pair[1]) {
                    self.join_all(&inputs, &outputs);
                } else {
                    let free = inputs.iter().copied().filter(|&input| self.fixed(input).is_none());
                    self.join_all(&free.collect::<Vec<_>>(), &outputs);
                }
            }
            op if clamp(op).is_some() => {
                if let [input] = inputs[..]
                    && clamps_alone(graph, uses, input)
                {
                    self.is_clamped[input.index()] = true;
                    self.join_all(&inputs, &outputs);
                }
            }
            op => {
                for output in outputs {
                    self.fixed[output.index()] = fixed(op);
                }
            }
        }
    }

    fn root(&self, id: TensorId) -> usize {
        let mut root = id.index();
        while self.parent[root] != root {
            root = self.parent[root];
        }
        root
    }

    fn fixed(&self, id: TensorId) -> Option<Affine> {
        self.fixed[self.root(id)]
    }

    /// Makes one group of what is read and written. What is written has no given quantization yet, and all that is read
    /// has the same or none.
    fn join_all(&mut self, inputs: &[TensorId], outputs: &[TensorId]) {
        let Some(&first) = inputs.first() else { return };
        for &other in inputs.iter().chain(outputs) {
            let (root, other) = (self.root(first), self.root(other));
            self.parent[other] = root;
        }
    }

    fn forms(
        &self,
        graph: &Graph<Float>,
        ranges: &Ranges,
        is_real: &[bool],
    ) -> Result<Vec<Form>, Vec<Problem>> {
        let uses = graph.uses();
        let mut problems = Vec::new();
        let mut union: Vec<Option<Range>> = vec![None; graph.tensors().len()];
        let is_used = |id: TensorId| uses.writer(id).is_some() || graph.inputs().contains(&id);
        let kind = |id: TensorId| {
            let tensor = &graph[id];
            match tensor.dtype {
                DType::F32 if !tensor.is_constant() && is_used(id) => Some(!is_real[id.index()]),
                _ => None,
            }
        };
        for id in graph.tensor_ids().filter(|&id| kind(id) == Some(true)) {
            let root = self.root(id);
            if self.fixed[root].is_some() || self.is_clamped[id.index()] {
                continue;
            }
            match ranges.get(id) {
                Some(range) => {
                    union[root] = Some(union[root].map_or(range, |union| union.union(range)));
                }
                None => problems.push(Problem {
                    place: graph.place_of_tensor(id),
                    fault: unsupported(
                        "its range is not known: give calibration data, or use dynamic activations in a model of fully \
                         connected layers only"
                            .to_owned(),
                    ),
                }),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let form = |id: TensorId| match kind(id) {
            Some(true) => {
                let root = self.root(id);
                Form::Int8(self.fixed[root].unwrap_or_else(|| affine(union[root].unwrap_or_default())))
            }
            Some(false) => Form::Real(ranges.get(id).map(affine)),
            None => Form::Own,
        };
        Ok(graph.tensor_ids().map(form).collect())
    }
}

/// Whether a real number is within what int8 stands for at this scale.
fn holds(affine: Affine, value: f32) -> bool {
    let stored = f64::from(value) / f64::from(affine.scale) + f64::from(affine.zero_point);
    (-128.5..=127.5).contains(&stored)
}
