//! Channels that stay or go together.
//!
//! An operator that computes each output channel from the input channels at the same index ties them together: none
//! can go alone. Layers with weights for all input channels tie nothing.

use super::layer::{Kind, Layer};
use super::{channels, keeps_last_axis};
use crate::ir::attributes::Concatenation;
use crate::ir::{DType, Graph, Node, Op, Quantized, Tensor, TensorId};

/// The classes of tied channels; a class is one of its channels, counted through all tensors.
#[derive(Debug)]
pub(super) struct Classes {
    /// Where the channels of each tensor begin.
    first: Vec<usize>,
    /// The class of each channel.
    classes: Vec<u32>,
    /// By class: whether its channels stay whatever the layers do.
    fixed: Vec<bool>,
}

impl Classes {
    /// Finds them, `layers` being those of the graph's nodes.
    pub(super) fn of(graph: &Graph<Quantized>, layers: &[Option<Layer>]) -> Self {
        let mut forest = Forest::new(graph);
        graph.inputs().iter().chain(graph.outputs()).for_each(|&id| forest.fix(id));
        for (id, tensor) in graph.tensor_ids().zip(graph.tensors()) {
            if !has_channels(tensor) {
                forest.fix(id);
            }
        }
        for (node, layer) in graph.nodes().iter().zip(layers) {
            if !forest.node(node, layer.as_ref()) {
                node.inputs.iter().flatten().chain(&node.outputs).for_each(|&id| forest.fix(id));
            }
        }
        let classes = (0..forest.parents.len()).map(|at| forest.root(at) as u32).collect();
        Classes { first: forest.first, classes, fixed: forest.fixed }
    }

    /// The class of a channel.
    pub(super) fn class(&self, id: TensorId, channel: usize) -> usize {
        self.classes[self.first[id.index()] + channel] as usize
    }

    /// By class: whether its channels stay whatever the layers do.
    pub(super) fn fixed(&self) -> &[bool] {
        &self.fixed
    }
}

/// Whether channels of the tensor can be taken away: int8, one scale, one axis at least.
fn has_channels(tensor: &Tensor) -> bool {
    let has_one_scale = tensor.quantization.as_ref().is_some_and(|q| q.single().is_some());
    tensor.dtype == DType::I8 && has_one_scale && tensor.shape.rank() > 0
}

/// Classes as trees while they grow: a channel's parent is tied to it, the root of a class is its own parent.
struct Forest<'g> {
    graph: &'g Graph<Quantized>,
    first: Vec<usize>,
    parents: Vec<u32>,
    /// By root.
    fixed: Vec<bool>,
}

impl<'g> Forest<'g> {
    /// Every channel for itself, and free to go.
    fn new(graph: &'g Graph<Quantized>) -> Self {
        let mut total = 0;
        let begin = |tensor| {
            let first = total;
            total += channels(tensor);
            first
        };
        let first = graph.tensors().iter().map(begin).collect();
        Forest { graph, first, parents: (0..total as u32).collect(), fixed: vec![false; total] }
    }

    fn channels(&self, id: TensorId) -> usize {
        channels(&self.graph[id])
    }

    /// The root of a channel's class. Halves the way to it.
    fn root(&mut self, mut at: usize) -> usize {
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        at
    }

    /// All channels of a tensor stay.
    fn fix(&mut self, id: TensorId) {
        for channel in 0..self.channels(id) {
            let root = self.root(self.first[id.index()] + channel);
            self.fixed[root] = true;
        }
    }

    /// From now on two channels stay or go together.
    fn tie(&mut self, one: (TensorId, usize), other: (TensorId, usize)) {
        let [one, other] = [one, other].map(|(id, channel)| self.root(self.first[id.index()] + channel));
        self.fixed[one] |= self.fixed[other];
        self.parents[other] = one as u32;
    }

    /// Ties what a node ties. Whether channels of what it reads and writes can go at all.
    fn node(&mut self, node: &Node, layer: Option<&Layer>) -> bool {
        let operands: Vec<TensorId> = node.inputs.iter().flatten().copied().collect();
        match (&node.op, node.outputs.as_slice(), operands.as_slice()) {
            (
                Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected(_),
                &[output],
                &[input, ref constants @ ..],
            ) => {
                constants.iter().for_each(|&constant| self.fix(constant));
                if let Some(&Layer { kind: Kind::Depthwise { multiplier }, outputs, .. }) = layer {
                    (0..outputs)
                        .for_each(|channel| self.tie((input, channel / multiplier), (output, channel)));
                }
                layer.is_some()
            }
            (Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Maximum | Op::Minimum, &[output], operands) => {
                operands.iter().for_each(|&operand| self.repeating(operand, output));
                true
            }
            (Op::Concatenation(join), &[output], operands) => {
                self.concatenation(join, operands, output);
                true
            }
            (Op::Reshape(_), &[output], &[input]) => self.reshape(input, output),
            (_, &[output], &[input]) if keeps_last_axis(self.graph, node) => {
                (0..self.channels(output)).for_each(|channel| self.tie((input, channel), (output, channel)));
                true
            }
            _ => false,
        }
    }

    /// An operand of a broadcasting operator: its channels are those of the output, or it has one for all.
    fn repeating(&mut self, operand: TensorId, output: TensorId) {
        let count = self.channels(output);
        if self.channels(operand) == count {
            (0..count).for_each(|channel| self.tie((operand, channel), (output, channel)));
        } else {
            self.fix(operand);
        }
    }

    fn concatenation(&mut self, join: &Concatenation, operands: &[TensorId], output: TensorId) {
        let is_last = join.axis + 1 == self.graph[output].shape.rank();
        let mut first = 0;
        for &operand in operands {
            let count = self.channels(operand);
            (0..count).for_each(|channel| self.tie((operand, channel), (output, first + channel)));
            first += if is_last { count } else { 0 };
        }
    }

    /// The last axis split or merged. Whether the channels stay apart.
    fn reshape(&mut self, input: TensorId, output: TensorId) -> bool {
        let (from, to) = (self.channels(input), self.channels(output));
        let divides = from.is_multiple_of(to) || to.is_multiple_of(from);
        if divides {
            (0..from.max(to)).for_each(|channel| self.tie((input, channel % from), (output, channel % to)));
        }
        divides
    }
}
