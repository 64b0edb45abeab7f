//! A graph under rewriting: ids of nodes stay valid and everyone's readers and writers are known all the time.
//!
//! Passes that look for patterns work through it; [`Rewriter::finish`] brings the list of nodes in order again.

use std::collections::HashSet;
use std::ops::Deref;

use crate::ir::graph::Uses;
use crate::ir::{Graph, Node, NodeId, Op, Tensor, TensorId};

/// The graph, its users of tensors, and where nodes have been added and removed.
#[derive(Debug)]
pub struct Rewriter<'g, S> {
    graph: &'g mut Graph<S>,
    uses: Uses,
    outputs: HashSet<TensorId>,
    /// For each node the one that it stood or was put before, and its turn there; `None`: removed.
    places: Vec<Option<(NodeId, usize)>>,
}

/// The graph as it is now. Nodes that were removed are still listed, without inputs and outputs.
impl<S> Deref for Rewriter<'_, S> {
    type Target = Graph<S>;

    fn deref(&self) -> &Graph<S> {
        self.graph
    }
}

impl<'g, S> Rewriter<'g, S> {
    /// Starts on a graph whose nodes are in running order.
    pub fn new(graph: &'g mut Graph<S>) -> Self {
        let places = graph.node_ids().map(|id| Some((id, usize::MAX))).collect();
        Rewriter { uses: graph.uses(), outputs: graph.outputs().iter().copied().collect(), places, graph }
    }

    /// Removes what was taken out and puts what was added where it belongs. Ids of nodes change.
    pub fn finish(self) {
        let mut order: Vec<_> = self
            .places
            .iter()
            .zip(self.graph.node_ids())
            .filter_map(|(&place, id)| Some((place?, id)))
            .collect();
        order.sort_unstable();
        let order: Vec<NodeId> = order.into_iter().map(|(_, id)| id).collect();
        self.graph.keep_nodes(&order);
    }

    /// Whether the node has not been removed.
    pub fn is_live(&self, node: NodeId) -> bool {
        matches!(self.places.get(node.index()), Some(Some(_)))
    }

    /// The node that writes the tensor; `None` for inputs and constants.
    pub fn writer(&self, tensor: TensorId) -> Option<NodeId> {
        self.uses.writer(tensor)
    }

    /// The nodes that read the tensor, one entry per input slot.
    pub fn readers(&self, tensor: TensorId) -> &[NodeId] {
        self.uses.readers(tensor)
    }

    /// Whether the caller reads the tensor.
    pub fn is_output(&self, tensor: TensorId) -> bool {
        self.outputs.contains(&tensor)
    }

    /// The node that reads the tensor, if nobody else does, the caller included.
    pub fn sole_reader(&self, tensor: TensorId) -> Option<NodeId> {
        match *self.readers(tensor) {
            [reader] if !self.is_output(tensor) => Some(reader),
            _ => None,
        }
    }

    /// The node that writes the tensor, if only one node reads it and the caller does not.
    pub fn sole_writer(&self, tensor: TensorId) -> Option<NodeId> {
        self.sole_reader(tensor).and_then(|_| self.writer(tensor))
    }

    /// Adds a tensor, which nobody uses yet.
    pub fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        self.uses.writers.push(Vec::new());
        self.uses.readers.push(Vec::new());
        self.graph.add_tensor(tensor)
    }

    /// The tensor, to change its name, type, shape or data.
    ///
    /// # Panics
    /// If the id belongs to another graph.
    pub fn tensor_mut(&mut self, id: TensorId) -> &mut Tensor {
        self.graph.tensor_mut(id)
    }

    /// Adds a node that runs just before another, after those that were put there earlier.
    pub fn insert_before(&mut self, before: NodeId, node: Node) -> NodeId {
        let anchor = self.places.get(before.index()).copied().flatten().map_or(before, |(anchor, _)| anchor);
        let turn = self.places.len();
        let id = self.graph.add_node(node);
        self.places.push(Some((anchor, turn)));
        self.connect(id);
        id
    }

    /// Puts another operator in a node's place, with the same name, inputs and outputs.
    pub fn set_op(&mut self, node: NodeId, op: Op) {
        self.graph.set_op(node, op);
    }

    /// Gives a node other inputs.
    pub fn set_inputs(&mut self, node: NodeId, inputs: Vec<Option<TensorId>>) {
        self.disconnect(node);
        self.graph.node_mut(node).inputs = inputs;
        self.connect(node);
    }

    /// Gives a node another input at a slot that it has.
    pub fn set_input(&mut self, node: NodeId, slot: usize, tensor: TensorId) {
        let mut inputs = self.graph[node].inputs.clone();
        if let Some(input) = inputs.get_mut(slot) {
            *input = Some(tensor);
        }
        self.set_inputs(node, inputs);
    }

    /// Gives a node other outputs.
    pub fn set_outputs(&mut self, node: NodeId, outputs: Vec<TensorId>) {
        self.disconnect(node);
        self.graph.node_mut(node).outputs = outputs;
        self.connect(node);
    }

    /// Removes a node. Its outputs lose their writer.
    pub fn remove(&mut self, node: NodeId) {
        self.disconnect(node);
        let gone = self.graph.node_mut(node);
        gone.inputs.clear();
        gone.outputs.clear();
        self.places[node.index()] = None;
    }

    /// Removes a node and lets the writer of `input`, which nobody else reads, write the node's output itself.
    ///
    /// Returns `false`, and changes nothing, if that is not the case, or the node has several outputs.
    pub fn absorb(&mut self, node: NodeId, input: TensorId) -> bool {
        let &[output] = self.graph[node].outputs.as_slice() else { return false };
        let Some(writer) = self.sole_writer(input) else { return false };
        self.remove(node);
        let outputs =
            self.graph[writer].outputs.iter().map(|&id| if id == input { output } else { id }).collect();
        self.set_outputs(writer, outputs);
        true
    }

    /// Removes a node of one output whose readers shall read `replacement` instead.
    ///
    /// If the output is an output of the graph, it survives: the writer of `replacement` writes it from now on, so that
    /// the graph's outputs keep their names.
    ///
    /// Returns `false`, and changes nothing, if the node has several outputs, or if an output of the graph would have
    /// to be written by nobody (because `replacement` is a constant, an input or itself an output of the graph).
    pub fn bypass(&mut self, node: NodeId, replacement: TensorId) -> bool {
        let &[output] = self.graph[node].outputs.as_slice() else { return false };
        if !self.is_output(output) {
            self.remove(node);
            self.redirect(output, replacement);
            return true;
        }
        let Some(writer) = self.writer(replacement).filter(|_| !self.is_output(replacement)) else {
            return false;
        };
        self.remove(node);
        let outputs = self.graph[writer].outputs.iter();
        let outputs = outputs.map(|&id| if id == replacement { output } else { id }).collect();
        self.set_outputs(writer, outputs);
        self.redirect(replacement, output);
        true
    }

    /// Makes every node that reads `old` read `new`.
    pub fn redirect(&mut self, old: TensorId, new: TensorId) {
        for reader in self.uses.readers(old).to_vec() {
            let inputs = &self.graph[reader].inputs;
            let inputs = inputs.iter().map(|&id| if id == Some(old) { Some(new) } else { id }).collect();
            self.set_inputs(reader, inputs);
        }
    }

    fn connect(&mut self, node: NodeId) {
        for tensor in &self.graph[node].outputs {
            self.uses.writers[tensor.index()].push(node);
        }
        for tensor in self.graph[node].inputs.iter().flatten() {
            self.uses.readers[tensor.index()].push(node);
        }
    }

    fn disconnect(&mut self, node: NodeId) {
        for tensor in &self.graph[node].outputs {
            self.uses.writers[tensor.index()].retain(|&writer| writer != node);
        }
        for tensor in self.graph[node].inputs.iter().flatten() {
            self.uses.readers[tensor.index()].retain(|&reader| reader != node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Float;
    use crate::ir::check::check;
    use crate::ir::text::parse;

    const CHAIN: &str = r#"graph "chain" float
%0 "x" f32[2]
%1 "a" f32[2]
%2 "b" f32[2]
%3 "y" f32[2]
inputs %0
outputs %3
node "first" Tanh(%0) -> %1
node "second" Relu(%1) -> %2
node "third" Logistic(%2) -> %3
"#;

    fn nodes(graph: &Graph<Float>) -> Vec<String> {
        graph.nodes().iter().map(|node| node.name.clone()).collect()
    }

    #[test]
    fn inserted_nodes_stand_where_they_were_put() {
        let mut graph = parse::<Float>(CHAIN).unwrap();
        let mut rewriter = Rewriter::new(&mut graph);
        let second = NodeId(1);
        let mut input = TensorId(1);
        for name in ["early", "late"] {
            let output = rewriter.add_tensor(rewriter[input].clone());
            rewriter.insert_before(second, Node::new(name, Op::Neg, [input], output));
            input = output;
        }
        rewriter.set_input(second, 0, input);
        assert_eq!(rewriter.sole_reader(input), Some(second));
        rewriter.finish();
        assert_eq!(nodes(&graph), ["first", "early", "late", "second", "third"]);
        assert_eq!(check(&graph), Ok(()));
    }

    #[test]
    fn an_absorbed_node_leaves_its_output_to_the_writer_before() {
        let mut graph = parse::<Float>(CHAIN).unwrap();
        let mut rewriter = Rewriter::new(&mut graph);
        assert!(rewriter.absorb(NodeId(2), TensorId(2)));
        assert!(!rewriter.is_live(NodeId(2)));
        assert_eq!(rewriter.writer(TensorId(3)), Some(NodeId(1)));
        rewriter.finish();
        assert_eq!(nodes(&graph), ["first", "second"]);
        assert_eq!(check(&graph), Ok(()));
    }

    #[test]
    fn bypass_refuses_to_leave_an_output_unwritten() {
        let mut graph = parse::<Float>(CHAIN).unwrap();
        let mut rewriter = Rewriter::new(&mut graph);
        assert!(!rewriter.bypass(NodeId(2), TensorId(0)));
        assert!(rewriter.bypass(NodeId(0), TensorId(0)));
        assert_eq!(rewriter.readers(TensorId(0)), [NodeId(1)]);
        rewriter.finish();
        assert_eq!(nodes(&graph), ["second", "third"]);
        assert_eq!(check(&graph), Ok(()));
    }
}
