//! Changes of a graph: building, rewiring, removing.
//!
//! Nothing outside `ir` touches the lists of tensors and nodes but through these functions. They keep the running
//! order unless they say otherwise.

use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;

use crate::ir::{Graph, Node, NodeId, Op, Tensor, TensorId};

/// Nodes that cannot be ordered because each depends on another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} nodes form a cycle", .nodes.len())]
pub struct CycleError {
    /// The nodes, in their present order.
    pub nodes: Vec<NodeId>,
}

impl<S> Graph<S> {
    /// A graph without tensors and nodes.
    pub fn new(name: impl Into<String>) -> Self {
        Graph {
            name: name.into(),
            tensors: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            state: PhantomData,
        }
    }

    /// Adds a tensor, which nobody uses yet.
    pub fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        self.tensors.push(tensor);
        TensorId(self.tensors.len() as u32 - 1)
    }

    /// Adds a node at the end.
    pub fn add_node(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        NodeId(self.nodes.len() as u32 - 1)
    }

    /// Adds a node just before another (at the end if there is no such node); ids of later nodes change.
    pub fn insert_node(&mut self, before: NodeId, node: Node) {
        let position = before.index().min(self.nodes.len());
        self.nodes.insert(position, node);
    }

    /// States which tensors the caller fills.
    pub fn set_inputs(&mut self, inputs: Vec<TensorId>) {
        self.inputs = inputs;
    }

    /// States which tensors the caller reads.
    pub fn set_outputs(&mut self, outputs: Vec<TensorId>) {
        self.outputs = outputs;
    }

    /// The tensor, to change its type, shape, quantization or data.
    ///
    /// # Panics
    /// If the id belongs to another graph.
    pub fn tensor_mut(&mut self, id: TensorId) -> &mut Tensor {
        &mut self.tensors[id.index()]
    }

    /// The node, to change its operator or wiring.
    ///
    /// # Panics
    /// If the id belongs to another graph, or nodes have been removed since.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// Makes every reader of `old`, and the graph's outputs, read `new`.
    pub fn replace_uses(&mut self, old: TensorId, new: TensorId) {
        let readers = self.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().flatten());
        for tensor in readers.chain(&mut self.outputs) {
            if *tensor == old {
                *tensor = new;
            }
        }
    }

    /// Removes a node of one output whose readers shall read `replacement` instead.
    ///
    /// If the output is an output of the graph, it survives: the writer of `replacement` writes it from now on, so that
    /// the graph's outputs keep their names.
    ///
    /// Returns `false`, and changes nothing, if the node has several outputs, or if an output of the graph would have
    /// to be written by nobody (because `replacement` is a constant, an input or itself an output of the graph).
    pub fn bypass(&mut self, node: NodeId, replacement: TensorId) -> bool {
        let &[output] = self[node].outputs.as_slice() else { return false };
        if !self.outputs.contains(&output) {
            self.replace_uses(output, replacement);
        } else {
            let writer = self.nodes.iter().position(|other| other.outputs.contains(&replacement));
            let Some(writer) = writer.filter(|_| !self.outputs.contains(&replacement)) else { return false };
            for tensor in &mut self.nodes[writer].outputs {
                if *tensor == replacement {
                    *tensor = output;
                }
            }
            self.replace_uses(replacement, output);
        }
        self.remove_node(node);
        true
    }

    /// Removes a node; ids of later nodes change. Its outputs lose their writer.
    ///
    /// # Panics
    /// If the id belongs to another graph, or nodes have been removed since.
    pub fn remove_node(&mut self, node: NodeId) -> Node {
        self.nodes.remove(node.index())
    }

    /// Keeps these nodes, in this order; ids change.
    ///
    /// Each must be named at most once; ids of other graphs are ignored.
    pub(in crate::ir) fn keep_nodes(&mut self, order: &[NodeId]) {
        let mut nodes: Vec<Option<Node>> = self.nodes.drain(..).map(Some).collect();
        self.nodes = order.iter().filter_map(|id| nodes.get_mut(id.index())?.take()).collect();
    }

    /// Puts another operator in a node's place, with the same name, inputs and outputs.
    pub fn set_op(&mut self, node: NodeId, op: Op) {
        self.node_mut(node).op = op;
    }

    /// Brings the nodes into running order, which otherwise stays as it is, and returns the old id of each.
    ///
    /// # Errors
    /// If nodes form a cycle; the order is then unchanged.
    pub fn sort(&mut self) -> Result<Vec<NodeId>, CycleError> {
        let uses = self.uses();
        let mut waiting: Vec<usize> = self
            .nodes
            .iter()
            .map(|node| node.inputs.iter().flatten().filter(|&&tensor| uses.writer(tensor).is_some()).count())
            .collect();
        let mut ready: BTreeSet<NodeId> = self.node_ids().filter(|id| waiting[id.index()] == 0).collect();
        let mut written = vec![false; self.tensors.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(id) = ready.pop_first() {
            order.push(id);
            for &tensor in &self[id].outputs {
                let first =
                    written.get_mut(tensor.index()).is_some_and(|written| !std::mem::replace(written, true));
                for &reader in uses.readers(tensor).iter().filter(|_| first) {
                    waiting[reader.index()] -= 1;
                    if waiting[reader.index()] == 0 {
                        ready.insert(reader);
                    }
                }
            }
        }
        if order.len() < self.nodes.len() {
            return Err(CycleError { nodes: self.node_ids().filter(|id| waiting[id.index()] > 0).collect() });
        }
        self.keep_nodes(&order);
        Ok(order)
    }

    /// Removes nodes that no output depends on, and returns how many. The nodes must be in running order.
    pub fn remove_dead_nodes(&mut self) -> usize {
        let before = self.nodes.len();
        self.remove_unneeded_nodes();
        before - self.nodes.len()
    }

    /// Removes nodes that no output depends on, then tensors that nobody uses. Inputs stay. Ids change.
    ///
    /// Returns the number of nodes removed. The nodes must be in running order.
    pub fn compact(&mut self) -> usize {
        let before = self.nodes.len();
        let mut needed = self.remove_unneeded_nodes();
        for tensor in &self.inputs {
            if let Some(needed) = needed.get_mut(tensor.index()) {
                *needed = true;
            }
        }
        self.keep_tensors(&needed);
        before - self.nodes.len()
    }

    /// Removes nodes that no output depends on; tells for each tensor whether the others or the outputs use it.
    fn remove_unneeded_nodes(&mut self) -> Vec<bool> {
        let mut needed = vec![false; self.tensors.len()];
        let mark = |needed: &mut Vec<bool>, tensor: TensorId| {
            if let Some(needed) = needed.get_mut(tensor.index()) {
                *needed = true;
            }
        };
        self.outputs.iter().for_each(|&tensor| mark(&mut needed, tensor));
        let mut kept: Vec<Node> = Vec::with_capacity(self.nodes.len());
        while let Some(node) = self.nodes.pop() {
            if node.outputs.iter().any(|tensor| needed.get(tensor.index()) == Some(&true)) {
                let touched = node.inputs.iter().flatten().chain(&node.outputs);
                touched.for_each(|&tensor| mark(&mut needed, tensor));
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        needed
    }

    /// The same graph in another state. The caller has established what the state promises.
    pub fn into_state<T>(self) -> Graph<T> {
        Graph {
            name: self.name,
            tensors: self.tensors,
            nodes: self.nodes,
            inputs: self.inputs,
            outputs: self.outputs,
            state: PhantomData,
        }
    }

    fn keep_tensors(&mut self, needed: &[bool]) {
        let mut moved = HashMap::new();
        let mut tensors = Vec::new();
        for (index, tensor) in self.tensors.drain(..).enumerate() {
            if needed.get(index) == Some(&true) {
                moved.insert(TensorId(index as u32), TensorId(tensors.len() as u32));
                tensors.push(tensor);
            }
        }
        self.tensors = tensors;
        let nodes =
            self.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().flatten().chain(&mut node.outputs));
        for tensor in nodes.chain(&mut self.inputs).chain(&mut self.outputs) {
            if let Some(&new) = moved.get(tensor) {
                *tensor = new;
            }
        }
    }
}

#[cfg(test)]
mod tests;
