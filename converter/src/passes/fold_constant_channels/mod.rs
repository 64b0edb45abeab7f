//! Drops channels that nobody needs to compute, exactly: no output of the graph changes by a bit.
//!
//! A channel (an index along a tensor's last axis) goes if every reader can do without it:
//!
//! - a layer that multiplies it by zeros only;
//! - a layer for which it is constant: its value times its weights is added to the biases. Where the layer's window
//!   covers padding, the value must be the zero point, so that the channel adds the same at the border as inside;
//! - an operator that keeps channels apart, if what it writes for the channel goes too.
//!
//! A channel is constant if its weights and the ranges of what they multiply give the same value for every input,
//! rounding and clamp included. That is the case where all weights are 0, where the scale is so small that nothing is
//! left of the sum, and where the clamp cuts everything off.
//!
//! ```text
//! %2 "filter" i8[3,1,1,1] = [5,0,-3]                     %2 "filter" i8[2,1,1,1] = [5,-3]
//! %3 "bias" i32[3] = [0,40,0]                            %3 "bias" i32[2] = [0,0]
//! %4 "a" i8[1,4,4,3]                                =>   %4 "a" i8[1,4,4,2]
//! %5 "next" i8[1,1,1,3] = [1,2,3]                        %5 "next" i8[1,1,1,2] = [1,3]
//! node Conv2d(%0, %2, %3) -> %4                          %6 "bias" i32[1] = [80]
//! node Conv2d(%4, %5, _) -> %7                           node Conv2d(%0, %2, %3) -> %4
//!                                                        node Conv2d(%4, %5, %6) -> %7
//! ```
//!
//! - Needs: nothing beyond a well-formed graph.
//! - Gives: the same nodes with smaller tensors, compacted.
//! - Leaves alone: the graph's inputs and outputs, grouped and transposed convolutions, slices, splits, softmax and every
//!   other operator that is not named in `keeps_last_axis` or in `classes`, with all channels that they touch; the last
//!   channel of a tensor whose channels could all go; layers whose biases would exceed 32 bits.

mod classes;
mod folding;
mod layer;
mod needs;
mod range;
mod ranges;
mod shrink;

pub use folding::{Change, FoldedLayer, Folding, Size};

use super::{Changed, Pass, PassError, Report};
use crate::arithmetic::table;
use crate::ir::{Graph, Node, Op, Quantized, Tensor};
use layer::Layer;
use needs::Needs;
use ranges::Ranges;

/// The pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct FoldConstantChannels;

/// Most channels of a graph that is looked at. More than any network has; it bounds the memory that a file can demand.
const MOST_CHANNELS: usize = 1 << 20;

/// Most weights of all layers of a graph that is looked at, those that layers share counted each time.
const MOST_WEIGHTS: usize = 1 << 26;

impl Pass<Quantized> for FoldConstantChannels {
    fn name(&self) -> &'static str {
        "fold_constant_channels"
    }

    fn run(&self, graph: &mut Graph<Quantized>, report: &mut Report) -> Result<Changed, PassError> {
        let original = graph.clone();
        graph.compact();
        let before = graph.clone();
        if is_sane(graph) {
            let layers: Vec<Option<Layer>> =
                graph.nodes().iter().map(|node| Layer::of(graph, node)).collect();
            let ranges = Ranges::of(graph, &layers);
            let needs = Needs::of(graph, &layers, &ranges);
            shrink::shrink(graph, &layers, &ranges, &needs);
            graph.compact();
        }
        report.folding = Some(Folding::between(&before, graph));
        Ok(if *graph == original { Changed::No } else { Changed::Yes })
    }
}

/// Whether the graph is of a size that a network can have.
fn is_sane(graph: &Graph<Quantized>) -> bool {
    let sum = |sizes: &mut dyn Iterator<Item = usize>| sizes.fold(0usize, usize::saturating_add);
    let weights = |node: &Node| graph.input_of(node, 1)?.data.as_ref().map(|data| data.len());
    sum(&mut graph.tensors().iter().map(channels)) <= MOST_CHANNELS
        && sum(&mut graph.nodes().iter().filter_map(weights)) <= MOST_WEIGHTS
}

/// Number of a tensor's channels: the length of its last axis.
fn channels(tensor: &Tensor) -> usize {
    tensor.shape.last().copied().unwrap_or(1)
}

/// Whether a node of one input and one output computes each output channel from the input channel at the same index.
fn keeps_last_axis(graph: &Graph<Quantized>, node: &Node) -> bool {
    let last = graph.input_of(node, 0).map_or(0, |input| input.shape.rank()).checked_sub(1);
    let Some(last) = last else { return false };
    match &node.op {
        Op::AveragePool2d(_)
        | Op::MaxPool2d(_)
        | Op::ResizeNearest(_)
        | Op::ResizeBilinear(_)
        | Op::Quantize => true,
        Op::Mean(reduce) | Op::Sum(reduce) | Op::ReduceMax(reduce) => !reduce.axes.contains(&last),
        Op::Pad(pad) => [&pad.before, &pad.after].map(|amounts| amounts.get(last).copied()) == [Some(0); 2],
        Op::Transpose(transpose) => transpose.permutation.last() == Some(&last),
        op => table::applies(op),
    }
}

#[cfg(test)]
mod tests;
