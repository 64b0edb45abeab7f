//! Layers with weights as channel folding sees them: one row of weights per output channel.

use secateur::quant::{ChannelQuant, OutputStage};

use super::range::Range;
use crate::arithmetic::int8;
use crate::arithmetic::scale::stage;
use crate::arithmetic::weights::{self, row_sums, transposed};
use crate::ir::{Graph, Hw, Node, Op, Padding, Quantized, Shape};

/// How rows and input channels belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A row has weights for every input channel: convolutions and fully connected layers.
    Dense,
    /// A row has weights for one input channel, each of which has so many rows.
    Depthwise {
        /// Rows per input channel.
        multiplier: usize,
    },
}

/// A convolution without groups, a depthwise convolution or a fully connected layer, int8 with constant weights.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) kind: Kind,
    /// Input channels.
    pub(super) inputs: usize,
    /// Output channels.
    pub(super) outputs: usize,
    /// Places of the window; for a fully connected layer, how often the input channels repeat in a row.
    pub(super) taps: usize,
    /// `outputs` rows of `taps` times the input channels of a row.
    pub(super) weights: Vec<i8>,
    /// One per output channel.
    pub(super) biases: Vec<i32>,
    /// The input's zero point, which padding holds.
    pub(super) zero_point: i8,
    /// Whether a window covers padding.
    pub(super) is_padded: bool,
    channels: Vec<ChannelQuant>,
    stage: OutputStage,
}

impl Layer {
    /// The layer that a node is; `None` if it is another operator or of a kind that folding leaves alone.
    pub(super) fn of(graph: &Graph<Quantized>, node: &Node) -> Option<Self> {
        let (input, filter) = (graph.input_of(node, 0)?, graph.input_of(node, 1)?);
        let output = graph.get(node.output()?)?;
        let (from, to) = (int8("input", input).ok()?, int8("output", output).ok()?);
        let (inputs, outputs) = (*input.shape.last()?, *output.shape.last()?);
        let stored = weights::values(filter).ok()?;
        let (kind, activation, is_padded) = match &node.op {
            Op::Conv2d(conv) if conv.groups == 1 => {
                let size = filter_size(&filter.shape)?;
                let last = [&input.shape, &output.shape];
                (Kind::Dense, conv.activation, covers(conv.padding, size, conv.stride, conv.dilation, last))
            }
            Op::DepthwiseConv2d(conv) => {
                let size = filter_size(&filter.shape)?;
                let last = [&input.shape, &output.shape];
                let is_padded = covers(conv.padding, size, conv.stride, conv.dilation, last);
                (Kind::Depthwise { multiplier: conv.multiplier }, conv.activation, is_padded)
            }
            Op::FullyConnected(layer) if filter.shape.last()?.is_multiple_of(inputs) => {
                (Kind::Dense, layer.activation, false)
            }
            _ => return None,
        };
        let weights = if kind == Kind::Dense { stored } else { transposed(&stored, outputs) };
        let bias = graph.input_of(node, 2);
        let channels = weights::channels(filter, bias, &row_sums(&weights, outputs), from, to).ok()?;
        let depth = if kind == Kind::Dense { inputs } else { 1 };
        Some(Layer {
            kind,
            inputs,
            outputs,
            taps: weights.len() / outputs / depth,
            biases: weights::biases(bias, outputs).ok()?,
            weights,
            zero_point: i8::try_from(from.zero_point).ok()?,
            is_padded,
            channels,
            stage: stage(to, activation),
        })
    }

    /// Input channels that a row has weights for.
    fn depth(&self) -> usize {
        if self.kind == Kind::Dense { self.inputs } else { 1 }
    }

    /// The weights of an output channel, with the input channel that each belongs to.
    pub(super) fn row(&self, output: usize) -> impl Iterator<Item = (usize, i8)> {
        let (depth, first) = match self.kind {
            Kind::Dense => (self.inputs, 0),
            Kind::Depthwise { multiplier } => (1, output / multiplier.max(1)),
        };
        let row = self.weights.chunks_exact(self.taps * self.depth()).nth(output).unwrap_or_default();
        row.iter().enumerate().map(move |(index, &weight)| (first + index % depth, weight))
    }

    /// What each output channel can be.
    pub(super) fn ranges(&self, inputs: &[Range]) -> Vec<Range> {
        let padding = Range::exactly(self.zero_point);
        let seen = |range: Range| if self.is_padded { range.hull(padding) } else { range };
        let inputs: Vec<Range> = inputs.iter().copied().map(seen).collect();
        let range = |(output, channel): (usize, &ChannelQuant)| {
            let start = (i64::from(channel.bias), i64::from(channel.bias));
            let sums = self.row(output).fold(start, |(low, high), (input, weight)| {
                let Range { low: least, high: greatest } = inputs[input];
                let (a, b) = (i64::from(weight) * i64::from(least), i64::from(weight) * i64::from(greatest));
                (low + a.min(b), high + a.max(b))
            });
            Range::requantized(sums, channel.multiplier, &self.stage)
        };
        self.channels.iter().enumerate().map(range).collect()
    }

    /// What leaving out some input channels takes from each output channel's sum, to be added to its bias.
    ///
    /// The channels' values must be known or multiplied by nothing but 0.
    pub(super) fn contributions(&self, inputs: &[Range], left_out: &[bool]) -> Vec<i64> {
        let value = |input: usize| {
            let constant = inputs[input].constant().filter(|_| left_out[input]);
            constant.map_or(0, |value| i64::from(value) - i64::from(self.zero_point))
        };
        let values: Vec<i64> = (0..inputs.len()).map(value).collect();
        let sum = |output| self.row(output).map(|(input, weight)| i64::from(weight) * values[input]).sum();
        (0..self.outputs).map(sum).collect()
    }

    /// The input channels of a dense layer whose part of each sum is known: constant ones that add the same wherever the
    /// window is.
    pub(super) fn absorbed(&self, inputs: &[Range]) -> Vec<bool> {
        let adds_nothing = |range: &Range| range.constant() == Some(self.zero_point);
        let adds_a_constant = |range: &Range| !self.is_padded && range.constant().is_some();
        let all: Vec<bool> =
            inputs.iter().map(|range| adds_nothing(range) || adds_a_constant(range)).collect();
        if self.biases_hold(inputs, &all) { all } else { inputs.iter().map(adds_nothing).collect() }
    }

    /// Whether the biases fit 32 bits, whichever of the channels are left out.
    fn biases_hold(&self, inputs: &[Range], candidates: &[bool]) -> bool {
        let magnitude = |input: usize| {
            let constant = inputs[input].constant().filter(|_| candidates[input]);
            constant.map_or(0, |value| (i64::from(value) - i64::from(self.zero_point)).abs())
        };
        let magnitudes: Vec<i64> = (0..self.inputs).map(magnitude).collect();
        self.biases.iter().enumerate().all(|(output, &bias)| {
            let row = self.row(output);
            let most: i64 = row.map(|(input, weight)| i64::from(weight).abs() * magnitudes[input]).sum();
            most + i64::from(bias).abs() <= i64::from(i32::MAX)
        })
    }

    /// The weights that some output and input channels leave, in the order in which a filter stores them.
    pub(super) fn remaining(&self, outputs: &[usize], inputs: &[bool]) -> Vec<i8> {
        let rows = outputs.iter().flat_map(|&output| {
            let kept = self.row(output).filter(|&(input, _)| inputs[input]);
            kept.map(|(_, weight)| weight)
        });
        let rows: Vec<i8> = rows.collect();
        // What is transposed twice is as it was.
        if self.kind == Kind::Dense { rows } else { transposed(&rows, self.taps) }
    }
}

fn filter_size(filter: &Shape) -> Option<Hw> {
    match filter[..] {
        [_, height, width, _] => Some(Hw { height, width }),
        _ => None,
    }
}

/// Whether a window covers padding in one of its places. `shapes` are those of input and output.
fn covers(padding: Padding, size: Hw, stride: Hw, dilation: Hw, shapes: [&Shape; 2]) -> bool {
    let &[[_, height, width, _], [_, rows, columns, _]] = &shapes.map(|shape| match shape[..] {
        [n, h, w, c] => [n, h, w, c],
        _ => [1; 4],
    });
    let past_end =
        |input: usize, output: usize, size: usize, stride: usize, dilation: usize, before: usize| {
            output.saturating_sub(1) * stride + size.saturating_sub(1) * dilation >= input + before
        };
    padding.top > 0
        || padding.left > 0
        || past_end(height, rows, size.height, stride.height, dilation.height, padding.top)
        || past_end(width, columns, size.width, stride.width, dilation.width, padding.left)
}
