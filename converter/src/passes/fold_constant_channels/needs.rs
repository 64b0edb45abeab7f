//! The channels that the network cannot do without.
//!
//! A class of channels stays if the caller reads one of them, if an operator needs all that it touches, or if a layer
//! multiplies one of them for an output channel that stays, and does not know what that adds.

use std::collections::HashMap;

use super::channels;
use super::classes::Classes;
use super::layer::{Kind, Layer};
use super::ranges::Ranges;
use crate::ir::{Graph, Quantized, TensorId};

/// For every channel of every tensor whether it stays.
#[derive(Debug)]
pub(super) struct Needs {
    classes: Classes,
    /// By class.
    needed: Vec<bool>,
}

impl Needs {
    /// Finds them, `layers` being those of the graph's nodes. Every tensor keeps one channel at least.
    pub(super) fn of(graph: &Graph<Quantized>, layers: &[Option<Layer>], ranges: &Ranges) -> Self {
        let classes = Classes::of(graph, layers);
        let rows = Rows::of(graph, layers, ranges, &classes);
        let mut needs = Needs { needed: vec![false; classes.fixed().len()], classes };
        for class in 0..needs.needed.len() {
            if needs.classes.fixed()[class] {
                needs.need(class, &rows);
            }
        }
        for (id, tensor) in graph.tensor_ids().zip(graph.tensors()) {
            if needs.kept(id, channels(tensor)).is_empty() {
                needs.need(needs.classes.class(id, 0), &rows);
            }
        }
        needs
    }

    /// The channels of a tensor that stay, of `count`.
    pub(super) fn kept(&self, id: TensorId, count: usize) -> Vec<usize> {
        (0..count).filter(|&channel| self.needed[self.classes.class(id, channel)]).collect()
    }

    /// Keeps a class, and all that it is computed from.
    fn need(&mut self, class: usize, rows: &Rows<'_>) {
        let mut new = vec![class];
        while let Some(class) = new.pop() {
            if !std::mem::replace(&mut self.needed[class], true) {
                rows.for_each_read(class, |id, channel| {
                    let read = self.classes.class(id, channel);
                    if !self.needed[read] {
                        new.push(read);
                    }
                });
            }
        }
    }
}

/// A dense layer with the channels that it reads.
struct Reader<'a> {
    layer: &'a Layer,
    input: TensorId,
    /// By input channel: whether the layer can do without it.
    is_absorbed: Vec<bool>,
}

/// The output channels of dense layers by their classes.
struct Rows<'a> {
    readers: Vec<Reader<'a>>,
    /// Position of the reader, and output channel.
    by_class: HashMap<usize, Vec<(usize, usize)>>,
}

impl<'a> Rows<'a> {
    fn of(graph: &Graph<Quantized>, layers: &'a [Option<Layer>], ranges: &Ranges, classes: &Classes) -> Self {
        let mut rows = Rows { readers: Vec::new(), by_class: HashMap::new() };
        for (node, layer) in graph.nodes().iter().zip(layers) {
            let dense = layer.as_ref().filter(|layer| layer.kind == Kind::Dense);
            let (Some(layer), Some(input), Some(output)) = (dense, node.input(0), node.output()) else {
                continue;
            };
            for channel in 0..layer.outputs {
                let row = (rows.readers.len(), channel);
                rows.by_class.entry(classes.class(output, channel)).or_default().push(row);
            }
            let is_absorbed = layer.absorbed(ranges.tensor(input));
            rows.readers.push(Reader { layer, input, is_absorbed });
        }
        rows
    }

    /// Visits the channels from which the channels of a class are computed.
    fn for_each_read(&self, class: usize, mut visit: impl FnMut(TensorId, usize)) {
        for &(reader, output) in self.by_class.get(&class).into_iter().flatten() {
            let Reader { layer, input, is_absorbed } = &self.readers[reader];
            for (channel, weight) in layer.row(output) {
                if weight != 0 && !is_absorbed[channel] {
                    visit(*input, channel);
                }
            }
        }
    }
}
