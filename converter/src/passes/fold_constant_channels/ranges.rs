//! The values that every channel of every tensor can have, found from the inputs to the outputs.
//!
//! A channel is an index along a tensor's last axis. Ranges are as exact as the arithmetic of the operators allows;
//! what an operator does that is not listed in [`written`] is not known.

use secateur::kernels::add::Add;
use secateur::kernels::elementwise::Binary;
use secateur::kernels::maximum::Maximum;
use secateur::kernels::minimum::Minimum;
use secateur::kernels::mul::Mul;
use secateur::kernels::sub::Sub;

use super::layer::Layer;
use super::range::Range;
use super::{channels, keeps_last_axis};
use crate::arithmetic::scale::{quantize, stage};
use crate::arithmetic::table::{applies, requantization, table};
use crate::arithmetic::{elementwise, int8, narrow, reduction};
use crate::ir::attributes::{Arithmetic, Concatenation, Pool2d, Reduce};
use crate::ir::{DType, Graph, Node, Op, Quantized, Tensor, TensorId};

/// Ranges of all channels, by tensor.
#[derive(Debug)]
pub(super) struct Ranges(Vec<Vec<Range>>);

impl Ranges {
    /// `layers` are those of the graph's nodes.
    pub(super) fn of(graph: &Graph<Quantized>, layers: &[Option<Layer>]) -> Self {
        let mut ranges = Ranges(graph.tensors().iter().map(constant).collect());
        for (node, layer) in graph.nodes().iter().zip(layers) {
            let written = Operands { graph, node, ranges: &ranges }.written(layer.as_ref());
            if let (Some(written), &[output]) = (written, node.outputs.as_slice())
                && written.len() == channels(&graph[output])
            {
                ranges.0[output.index()] = written;
            }
        }
        ranges
    }

    /// Ranges of a tensor's channels.
    pub(super) fn tensor(&self, id: TensorId) -> &[Range] {
        &self.0[id.index()]
    }
}

/// Ranges of a tensor's data; without data, of everything.
fn constant(tensor: &Tensor) -> Vec<Range> {
    let count = channels(tensor);
    match tensor.i8_values() {
        Some(values) if !values.is_empty() => {
            let channel = |channel| Range::of(values.iter().skip(channel).step_by(count).copied());
            (0..count).map(|c| channel(c).unwrap_or(Range::WHOLE)).collect()
        }
        _ => vec![Range::WHOLE; count],
    }
}

/// A node with what is known of what it reads.
struct Operands<'a> {
    graph: &'a Graph<Quantized>,
    node: &'a Node,
    ranges: &'a Ranges,
}

impl Operands<'_> {
    /// What the channels of the node's only output can be, if that is known.
    fn written(&self, layer: Option<&Layer>) -> Option<Vec<Range>> {
        let Node { op, .. } = self.node;
        match op {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::FullyConnected(_) => {
                Some(layer?.ranges(self.channels(0)?))
            }
            Op::AveragePool2d(pool) | Op::MaxPool2d(pool) => self.pool(pool),
            Op::Mean(reduce) => self.sum_or_mean(reduce, true),
            Op::Sum(reduce) => self.sum_or_mean(reduce, false),
            Op::Add(add) => self.sum::<Add>(add),
            Op::Sub(sub) => self.sum::<Sub>(sub),
            Op::Mul(mul) => self.product(mul),
            Op::Maximum => self.pairs(|a, b| corners::<Maximum>(&(), true, a, b)),
            Op::Minimum => self.pairs(|a, b| corners::<Minimum>(&(), true, a, b)),
            Op::Reshape(_) => self.reshape(),
            Op::Pad(pad) => {
                let value = quantize(pad.value, int8("output", self.output()?).ok()?);
                let padding = Range::exactly(narrow(value));
                self.channelwise(|range| range.hull(padding))
            }
            Op::Concatenation(join) => self.concatenation(join),
            Op::ReduceMax(_) | Op::Transpose(_) | Op::ResizeNearest(_) => self.channelwise(|range| range),
            op if applies(op) || *op == Op::Quantize => {
                let (input, output) = (self.graph.input_of(self.node, 0)?, self.output()?);
                let table = table(op, int8("input", input).ok()?, int8("output", output).ok()?).ok()?;
                self.channelwise(|range| range.looked_up(&table))
            }
            _ => None,
        }
    }

    fn output(&self) -> Option<&Tensor> {
        self.graph.get(self.node.output()?)
    }

    /// Ranges of the channels of an int8 operand.
    fn channels(&self, slot: usize) -> Option<&[Range]> {
        let id = self.node.input(slot)?;
        (self.graph[id].dtype == DType::I8).then(|| self.ranges.tensor(id))
    }

    /// The ranges of the first operand, each changed for itself, if the operator keeps channels apart.
    fn channelwise(&self, f: impl Fn(Range) -> Range) -> Option<Vec<Range>> {
        keeps_last_axis(self.graph, self.node).then_some(())?;
        Some(self.channels(0)?.iter().copied().map(f).collect())
    }

    fn pool(&self, pool: &Pool2d) -> Option<Vec<Range>> {
        let stage = stage(int8("output", self.output()?).ok()?, pool.activation);
        self.channelwise(|range| range.clamped(&stage))
    }

    fn sum_or_mean(&self, reduce: &Reduce, is_mean: bool) -> Option<Vec<Range>> {
        let input = self.graph.input_of(self.node, 0)?;
        let (from, to) = (int8("input", input).ok()?, int8("output", self.output()?).ok()?);
        let params = reduction::sum_or_mean(&input.shape, reduce, is_mean, from, to).ok()?;
        let count: usize = reduce.axes.iter().filter_map(|&axis| input.shape.get(axis)).product();
        let sum = |value: i8| i64::from(value) * count as i64 + i64::from(params.bias);
        self.channelwise(|range| {
            Range::requantized((sum(range.low), sum(range.high)), params.multiplier, &params.stage)
        })
    }

    fn sum<B>(&self, arithmetic: &Arithmetic) -> Option<Vec<Range>>
    where
        B: Binary<Params = secateur::kernels::add::Params>,
    {
        let [first, second, output] = self.affine()?;
        let params = elementwise::sum(first, second, output, arithmetic.activation).ok()?;
        let monotonic = params.output.shift <= 0;
        self.pairs(|a, b| corners::<B>(&params, monotonic, a, b).clamped(&params.stage))
    }

    fn product(&self, arithmetic: &Arithmetic) -> Option<Vec<Range>> {
        let [first, second, output] = self.affine()?;
        let params = elementwise::product(first, second, output, arithmetic.activation).ok()?;
        let monotonic = params.multiplier.shift <= 0;
        self.pairs(|a, b| corners::<Mul>(&params, monotonic, a, b).clamped(&params.stage))
    }

    fn affine(&self) -> Option<[crate::arithmetic::Affine; 3]> {
        let operand = |slot| int8("operand", self.graph.input_of(self.node, slot)?).ok();
        Some([operand(0)?, operand(1)?, int8("output", self.output()?).ok()?])
    }

    /// The results for two operands, either of which may repeat its only channel.
    fn pairs(&self, f: impl Fn(Range, Range) -> Range) -> Option<Vec<Range>> {
        let (first, second) = (self.channels(0)?, self.channels(1)?);
        let at = |operand: &[Range], channel: usize| operand[channel % operand.len()];
        Some((0..channels(self.output()?)).map(|c| f(at(first, c), at(second, c))).collect())
    }

    /// The last axis split or merged: an output channel holds what the input channels at the same places can be.
    fn reshape(&self) -> Option<Vec<Range>> {
        let (input, count) = (self.channels(0)?, channels(self.output()?));
        if count.is_multiple_of(input.len()) {
            return Some((0..count).map(|channel| input[channel % input.len()]).collect());
        }
        input.len().is_multiple_of(count).then_some(())?;
        let merged = |channel| input.iter().skip(channel).step_by(count).copied().reduce(Range::hull);
        (0..count).map(merged).collect()
    }

    fn concatenation(&self, join: &Concatenation) -> Option<Vec<Range>> {
        let output = self.output()?;
        let to = int8("output", output).ok()?;
        let mut parts = Vec::new();
        for (slot, id) in self.node.inputs.iter().enumerate() {
            let input = &self.graph[(*id)?];
            let table = requantization(int8("input", input).ok()?, to).ok()?;
            let is_same = input.quantization == output.quantization;
            let requantized = |range: &Range| if is_same { *range } else { range.looked_up(&table) };
            parts.push(self.channels(slot)?.iter().map(requantized).collect::<Vec<_>>());
        }
        if join.axis + 1 == output.shape.rank() {
            return Some(parts.concat());
        }
        parts.into_iter().reduce(|all, part| all.iter().zip(&part).map(|(a, &b)| a.hull(b)).collect())
    }
}

/// The results of an operator on two values for ranges of these.
///
/// `is_monotonic`: in each operand, so that the extremes are among the results for the ends of the ranges.
fn corners<B: Binary>(params: &B::Params, is_monotonic: bool, a: Range, b: Range) -> Range {
    if !is_monotonic && (a.constant().is_none() || b.constant().is_none()) {
        return Range::WHOLE;
    }
    let mut results = [0; 4];
    B::block(params, &[a.low, a.low, a.high, a.high], &[b.low, b.high, b.low, b.high], &mut results);
    Range::of(results).unwrap_or(Range::WHOLE)
}
