//! The graph without its transpositions and reshapes, and where they are still due.

use std::collections::{BTreeSet, HashMap};

use super::arrangement::{Arrangement, Layout};
use super::{inverse, to_channels_last};
use crate::ir::attributes::{Reshape, Transpose};
use crate::ir::{Float, Graph, Node, Op, Shape, Tensor, TensorId};

/// The new graph as far as it is built.
///
/// Ids of the old graph's tensors hold in the new one too. A tensor that [`Pusher::view`] tells to be another one need not
/// be written by anyone yet; [`Pusher::plain`] sees to that.
pub(super) struct Pusher<'a> {
    old: &'a Graph<Float>,
    pub(super) new: Graph<Float>,
    views: HashMap<TensorId, View>,
    /// What has been written out: source, arrangement and shape.
    written: HashMap<(TensorId, Arrangement, Shape), TensorId>,
    /// Whether an operator on two operands, of which one is transposed, should rather transpose the other.
    pub(super) eager: bool,
}

/// A tensor as another one in another order.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) source: TensorId,
    pub(super) arrangement: Arrangement,
    /// Of the node that was held back.
    name: String,
}

impl<'a> Pusher<'a> {
    /// The old graph with all transpositions pushed as far down as they go, and the inputs in `turned` channels-last.
    pub(super) fn push(old: &'a Graph<Float>, eager: bool, turned: &BTreeSet<TensorId>) -> Graph<Float> {
        let mut new = Graph::new(old.name.clone());
        for tensor in old.tensors() {
            new.add_tensor(tensor.clone());
        }
        new.set_outputs(old.outputs().to_vec());
        let mut pusher = Pusher { old, new, views: HashMap::new(), written: HashMap::new(), eager };
        let inputs = old.inputs().iter();
        let inputs =
            inputs.map(|&input| if turned.contains(&input) { pusher.turn(input) } else { input }).collect();
        pusher.new.set_inputs(inputs);
        for node in old.nodes() {
            if pusher.node(node).is_none() {
                pusher.keep(node);
            }
        }
        pusher.write_outputs();
        pusher.new.compact();
        pusher.new
    }

    /// The tensor in the new graph, in its old shape.
    pub(super) fn tensor(&self, id: TensorId) -> &Tensor {
        &self.new[id]
    }

    /// Where a tensor's elements are.
    pub(super) fn view(&self, id: TensorId) -> View {
        self.views.get(&id).cloned().unwrap_or_else(|| View {
            source: id,
            arrangement: Arrangement::identity(self.new[id].shape.iter().product()),
            name: String::new(),
        })
    }

    /// Remembers that a tensor is another one, in another order.
    ///
    /// The other one takes its name if it has none.
    pub(super) fn defer(&mut self, id: TensorId, source: TensorId, arrangement: Arrangement, name: &str) {
        if self.new[source].name.is_empty() {
            self.new.tensor_mut(source).name = self.new[id].name.clone();
        }
        self.views.insert(id, View { source, arrangement, name: name.to_owned() });
    }

    /// An input of the graph in its new order.
    fn turn(&mut self, input: TensorId) -> TensorId {
        let Some(permutation) = to_channels_last(self.old, input) else { return input };
        let before = &self.old[input];
        let shape: Shape = permutation.iter().map(|&axis| before.shape[axis]).collect();
        let arrangement = Arrangement::of_layout(&before.shape, &permutation);
        let source = self.new.add_tensor(Tensor { shape, ..before.clone() });
        self.defer(input, source, arrangement, &before.name);
        source
    }

    /// Takes over a node as it is.
    fn keep(&mut self, node: &Node) {
        let inputs = node.inputs.iter().map(|input| input.map(|id| self.plain(id))).collect();
        self.new.add_node(Node { inputs, ..node.clone() });
    }

    /// The tensor in its own shape and order.
    pub(super) fn plain(&mut self, id: TensorId) -> TensorId {
        let Some(View { source, arrangement, name }) = self.views.get(&id).cloned() else { return id };
        let shape = self.new[id].shape.clone();
        self.write(source, &arrangement, &shape, &name, Some(id))
    }

    /// The tensor, seen under `shape`, with its axes in the order `layout`.
    pub(super) fn in_layout(&mut self, id: TensorId, shape: &[usize], layout: &[usize]) -> Option<TensorId> {
        let laid_out: Shape = layout.iter().map(|&axis| shape[axis]).collect();
        if let Some(data) = &self.new[id].data {
            if laid_out.iter().all(|&dimension| dimension == 1) {
                return Some(id);
            }
            let places = super::arrangement::places(shape, layout);
            let data = reordered(data, self.new[id].dtype.size(), &places);
            let constant = Tensor { shape: laid_out, ..self.new[id].clone() }.with_data(data);
            return Some(self.new.add_tensor(constant));
        }
        let View { source, arrangement, name } = self.view(id);
        let arrangement = arrangement.transposed(shape, layout)?;
        Some(self.write(source, &arrangement, &laid_out, &name, None))
    }

    /// Whether the tensor, seen under `shape`, has that layout at no cost.
    pub(super) fn lies_in(&self, id: TensorId, shape: &[usize], layout: &[usize]) -> bool {
        self.new[id].is_constant() || self.view(id).arrangement == Arrangement::of_layout(shape, layout)
    }

    /// The tensor as it lies, its axes in the order that is returned.
    pub(super) fn as_it_lies(&mut self, id: TensorId) -> Option<(TensorId, Layout)> {
        let shape = self.new[id].shape.clone();
        let view = self.view(id);
        let layout = view.arrangement.layout(&shape, &self.new[view.source].shape)?;
        Some((self.in_layout(id, &shape, &layout)?, layout))
    }

    /// Adds a node that writes the elements of a tensor under the given shape, in the order that the arrangement undoes.
    pub(super) fn emit(
        &mut self,
        node: &Node,
        op: Op,
        inputs: Vec<Option<TensorId>>,
        outputs: Vec<(Shape, Arrangement)>,
    ) {
        let mut written = Vec::with_capacity(outputs.len());
        for (&id, (shape, arrangement)) in node.outputs.iter().zip(outputs) {
            if arrangement.is_identity() && shape == self.new[id].shape {
                written.push(id);
                continue;
            }
            let source = self.new.add_tensor(Tensor { shape, ..self.new[id].clone() });
            self.defer(id, source, arrangement, &node.name);
            written.push(source);
        }
        self.new.add_node(Node { name: node.name.clone(), op, inputs, outputs: written });
    }

    /// The source in another order and shape, written into `target` if that is given.
    fn write(
        &mut self,
        source: TensorId,
        arrangement: &Arrangement,
        shape: &Shape,
        name: &str,
        target: Option<TensorId>,
    ) -> TensorId {
        if arrangement.is_identity() && self.new[source].shape == *shape {
            return source;
        }
        let key = (source, arrangement.clone(), shape.clone());
        if let Some(&written) = self.written.get(&key) {
            return written;
        }
        let written = match arrangement.layout(shape, &self.new[source].shape) {
            _ if arrangement.is_identity() => self.reshape(source, shape, name, target),
            Some(layout) => {
                let laid_out: Shape = layout.iter().map(|&axis| shape[axis]).collect();
                let source = self.reshape(source, &laid_out, name, None);
                self.transpose(source, inverse(&layout), shape, name, target)
            }
            None => {
                let (dims, permutation) = arrangement.transposition();
                let permuted: Shape = permutation.iter().map(|&axis| dims[axis]).collect();
                let source = self.reshape(source, &dims.into(), name, None);
                let moved = self.transpose(source, permutation.to_vec(), &permuted, name, None);
                self.reshape(moved, shape, name, target)
            }
        };
        self.written.insert(key, written);
        written
    }

    fn reshape(&mut self, source: TensorId, shape: &Shape, name: &str, target: Option<TensorId>) -> TensorId {
        if self.new[source].shape == *shape {
            return source;
        }
        self.move_to(source, Op::Reshape(Reshape { shape: shape.clone() }), shape, name, target)
    }

    fn transpose(
        &mut self,
        source: TensorId,
        permutation: Vec<usize>,
        shape: &Shape,
        name: &str,
        target: Option<TensorId>,
    ) -> TensorId {
        self.move_to(source, Op::Transpose(Transpose { permutation }), shape, name, target)
    }

    fn move_to(
        &mut self,
        source: TensorId,
        op: Op,
        shape: &Shape,
        name: &str,
        target: Option<TensorId>,
    ) -> TensorId {
        let target = target.unwrap_or_else(|| {
            let tensor = Tensor { shape: shape.clone(), ..self.new[source].clone() };
            self.new.add_tensor(tensor)
        });
        self.new.add_node(Node::new(name, op, [source], target));
        target
    }

    /// Sees to it that every output of the graph is written.
    fn write_outputs(&mut self) {
        for &output in self.old.outputs() {
            let written = self.plain(output);
            if written == output {
                continue;
            }
            let uses = self.new.uses();
            match uses.writer(written).filter(|_| !self.old.outputs().contains(&written)) {
                // The tensor is held by another: its writer writes it.
                Some(writer) if uses.writer(output).is_none() => {
                    for id in &mut self.new.node_mut(writer).outputs {
                        *id = if *id == written { output } else { *id };
                    }
                    self.new.replace_uses(written, output);
                }
                _ => {
                    let shape = self.new[output].shape.clone();
                    let op = Op::Reshape(Reshape { shape: shape.clone() });
                    let name = self.new[output].name.clone();
                    self.move_to(written, op, &shape, &name, Some(output));
                }
            }
        }
    }
}

/// Elements in another order: the element at `places[i]` comes at `i`.
pub(super) fn reordered(data: &[u8], size: usize, places: &[usize]) -> Vec<u8> {
    places.iter().flat_map(|&place| &data[place * size..(place + 1) * size]).copied().collect()
}
