//! The channels that the network cannot do without.
//!
//! Operators tie channels together: what a pool reads and writes at the same index stays or goes together. A class of
//! tied channels stays if the caller reads one of them, or an operator that can neither do without it nor hand the
//! question on to what it writes.

use super::layer::{Kind, Layer};
use super::ranges::Ranges;
use super::{channels, keeps_last_axis};
use crate::ir::attributes::Concatenation;
use crate::ir::{DType, Graph, Node, Op, Quantized, Tensor, TensorId};

/// For every channel of every tensor whether it stays.
#[derive(Debug)]
pub(super) struct Needs {
    /// Where the channels of each tensor begin.
    first: Vec<usize>,
    /// Classes as trees; the root of a class is its own parent.
    parents: Vec<u32>,
    /// By root.
    needed: Vec<bool>,
}

impl Needs {
    /// Finds them, `layers` being those of the graph's nodes. Every tensor keeps one channel at least.
    pub(super) fn of(graph: &Graph<Quantized>, layers: &[Option<Layer>], ranges: &Ranges) -> Self {
        let mut needs = Self::new(graph);
        graph.inputs().iter().chain(graph.outputs()).for_each(|&id| needs.need_all(graph, id));
        for (id, tensor) in graph.tensor_ids().zip(graph.tensors()) {
            if !has_channels(tensor) {
                needs.need_all(graph, id);
            }
        }
        for (node, layer) in graph.nodes().iter().zip(layers) {
            needs.node(graph, node, layer.as_ref(), ranges);
        }
        for (id, tensor) in graph.tensor_ids().zip(graph.tensors()) {
            if needs.kept(id, channels(tensor)).is_empty() {
                needs.need((id, 0));
            }
        }
        needs
    }

    /// Every channel for itself, and none needed.
    fn new(graph: &Graph<Quantized>) -> Self {
        let mut total = 0;
        let begin = |tensor| {
            let first = total;
            total += channels(tensor);
            first
        };
        let first = graph.tensors().iter().map(begin).collect();
        Needs { first, parents: (0..total as u32).collect(), needed: vec![false; total] }
    }

    /// The channels of a tensor that stay, of `count`.
    pub(super) fn kept(&self, id: TensorId, count: usize) -> Vec<usize> {
        let is_kept = |&channel: &usize| {
            let mut at = self.first[id.index()] + channel;
            while self.parents[at] as usize != at {
                at = self.parents[at] as usize;
            }
            self.needed[at]
        };
        (0..count).filter(is_kept).collect()
    }

    /// The root of a channel's class. Halves the way to it.
    fn root(&mut self, (id, channel): (TensorId, usize)) -> usize {
        let mut at = self.first[id.index()] + channel;
        while self.parents[at] as usize != at {
            self.parents[at] = self.parents[self.parents[at] as usize];
            at = self.parents[at] as usize;
        }
        at
    }

    fn need(&mut self, channel: (TensorId, usize)) {
        let root = self.root(channel);
        self.needed[root] = true;
    }

    fn need_all(&mut self, graph: &Graph<Quantized>, id: TensorId) {
        (0..channels(&graph[id])).for_each(|channel| self.need((id, channel)));
    }

    /// From now on two channels stay or go together.
    fn tie(&mut self, one: (TensorId, usize), other: (TensorId, usize)) {
        let (one, other) = (self.root(one), self.root(other));
        self.needed[one] |= self.needed[other];
        self.parents[other] = one as u32;
    }

    fn node(&mut self, graph: &Graph<Quantized>, node: &Node, layer: Option<&Layer>, ranges: &Ranges) {
        let operands: Vec<TensorId> = node.inputs.iter().flatten().copied().collect();
        let is_handled = match (&node.op, node.outputs.as_slice(), operands.as_slice()) {
            (Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected(_), &[output], &[input, ..]) => {
                operands[1..].iter().for_each(|&constant| self.need_all(graph, constant));
                layer.map(|layer| self.layer(layer, ranges, input, output)).is_some()
            }
            (Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Maximum | Op::Minimum, &[output], operands) => {
                operands.iter().for_each(|&operand| self.repeating(graph, operand, output));
                true
            }
            (Op::Concatenation(join), &[output], operands) => {
                self.concatenation(graph, join, operands, output);
                true
            }
            (Op::Reshape(_), &[output], &[input]) => self.reshape(graph, input, output),
            (_, &[output], &[input]) if keeps_last_axis(graph, node) => {
                (0..channels(&graph[output]))
                    .for_each(|channel| self.tie((input, channel), (output, channel)));
                true
            }
            _ => false,
        };
        if !is_handled {
            operands.iter().chain(&node.outputs).for_each(|&id| self.need_all(graph, id));
        }
    }

    fn layer(&mut self, layer: &Layer, ranges: &Ranges, input: TensorId, output: TensorId) {
        match layer.kind {
            Kind::Dense => {
                let dispensable = layer.dispensable(ranges.tensor(input));
                let read = (0..layer.inputs).filter(|&channel| !dispensable[channel]);
                read.for_each(|channel| self.need((input, channel)));
            }
            Kind::Depthwise { multiplier } => {
                (0..layer.outputs)
                    .for_each(|channel| self.tie((input, channel / multiplier), (output, channel)));
            }
        }
    }

    /// An operand of a broadcasting operator: its channels are those of the output, or it has one for all.
    fn repeating(&mut self, graph: &Graph<Quantized>, operand: TensorId, output: TensorId) {
        let count = channels(&graph[output]);
        if channels(&graph[operand]) == count {
            (0..count).for_each(|channel| self.tie((operand, channel), (output, channel)));
        } else {
            self.need_all(graph, operand);
        }
    }

    fn concatenation(
        &mut self,
        graph: &Graph<Quantized>,
        join: &Concatenation,
        operands: &[TensorId],
        output: TensorId,
    ) {
        let is_last = join.axis + 1 == graph[output].shape.rank();
        let mut first = 0;
        for &operand in operands {
            let count = channels(&graph[operand]);
            (0..count).for_each(|channel| self.tie((operand, channel), (output, first + channel)));
            first += if is_last { count } else { 0 };
        }
    }

    /// The last axis split or merged. Whether the channels stay apart.
    fn reshape(&mut self, graph: &Graph<Quantized>, input: TensorId, output: TensorId) -> bool {
        let (from, to) = (channels(&graph[input]), channels(&graph[output]));
        let divides = from.is_multiple_of(to) || to.is_multiple_of(from);
        if divides {
            (0..from.max(to)).for_each(|channel| self.tie((input, channel % from), (output, channel % to)));
        }
        divides
    }
}

/// Whether channels of the tensor can be taken away: int8, one scale, one axis at least.
fn has_channels(tensor: &Tensor) -> bool {
    let has_one_scale = tensor.quantization.as_ref().is_some_and(|q| q.single().is_some());
    tensor.dtype == DType::I8 && has_one_scale && tensor.shape.rank() > 0
}
