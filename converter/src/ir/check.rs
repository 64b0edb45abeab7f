//! Well-formedness of a graph.
//!
//! A graph that passes has ids in range, one writer per tensor, nodes in running order, operators whose attributes
//! suit their inputs, tensors whose shapes and types are what the operators write, constants as long as their shapes
//! say, and sane quantization. Tensors that nobody uses are not looked at. Passes and the emitter rely on it.

use std::collections::HashSet;

use crate::ir::graph::Uses;
use crate::ir::infer::{Output, infer};
use crate::ir::problem::{Fault, Place, Problem};
use crate::ir::{DType, Graph, Node, NodeId, Shape, State, Tensor, TensorId};

/// Checks everything and collects every problem, in the order of tensors, then nodes.
///
/// # Errors
/// All problems found.
pub fn check<S: State>(graph: &Graph<S>) -> Result<(), Vec<Problem>> {
    let inputs = graph.inputs().iter().copied().collect();
    let outputs = graph.outputs().iter().copied().collect();
    let mut checker = Checker { graph, inputs, outputs, uses: graph.uses(), problems: Vec::new() };
    if checker.check_ids() {
        checker.check_lists();
        graph.tensor_ids().for_each(|id| checker.check_tensor(id));
        graph.node_ids().for_each(|id| checker.check_node(id));
    }
    if checker.problems.is_empty() { Ok(()) } else { Err(checker.problems) }
}

impl<S> Graph<S> {
    /// The place of a tensor, for messages.
    pub fn place_of_tensor(&self, id: TensorId) -> Place {
        let name = self.get(id).map(|tensor| tensor.name.clone()).unwrap_or_default();
        Place::Tensor { index: id.index(), name }
    }

    /// The place of a node, for messages.
    pub fn place_of_node(&self, id: NodeId) -> Place {
        let node = self.nodes().get(id.index());
        Place::Node {
            index: id.index(),
            name: node.map(|node| node.name.clone()).unwrap_or_default(),
            operator: node.map(|node| node.op.name().to_string()).unwrap_or_default(),
        }
    }
}

struct Checker<'a, S> {
    graph: &'a Graph<S>,
    inputs: HashSet<TensorId>,
    outputs: HashSet<TensorId>,
    uses: Uses,
    problems: Vec<Problem>,
}

impl<S: State> Checker<'_, S> {
    fn report(&mut self, place: Place, fault: Fault) {
        self.problems.push(Problem { place, fault });
    }

    fn check_ids(&mut self) -> bool {
        let graph = self.graph;
        let count = graph.tensors().len();
        let unknown = |id: &&TensorId| id.index() >= count;
        for id in graph.inputs().iter().chain(graph.outputs()).filter(unknown) {
            self.report(Place::Graph, Fault::UnknownTensor { id: id.index(), count });
        }
        for (node_id, node) in graph.node_ids().zip(graph.nodes()) {
            for id in node.inputs.iter().flatten().chain(&node.outputs).filter(unknown) {
                self.report(graph.place_of_node(node_id), Fault::UnknownTensor { id: id.index(), count });
            }
        }
        self.problems.is_empty()
    }

    fn check_lists(&mut self) {
        let graph = self.graph;
        for (list, ids) in [("inputs", graph.inputs()), ("outputs", graph.outputs())] {
            if ids.is_empty() {
                self.report(Place::Graph, Fault::Empty { list });
            }
            let mut sorted = ids.to_vec();
            sorted.sort_unstable();
            for pair in sorted.windows(2).filter(|pair| pair[0] == pair[1]) {
                self.report(graph.place_of_tensor(pair[0]), Fault::ListedTwice { list });
            }
        }
        for &id in graph.inputs() {
            if graph[id].is_constant() {
                self.report(graph.place_of_tensor(id), Fault::ConstantInput);
            }
            if let Some(node) = self.uses.writer(id) {
                let fault = Fault::WriteProtected { role: "an input of the graph", node: node.index() };
                self.report(graph.place_of_tensor(id), fault);
            }
        }
        for &id in graph.outputs() {
            if self.is_absent(id) && self.uses.readers(id).is_empty() {
                self.report(graph.place_of_tensor(id), Fault::NeverWritten);
            }
        }
    }

    fn is_absent(&self, id: TensorId) -> bool {
        self.uses.writer(id).is_none() && !self.graph[id].is_constant() && !self.inputs.contains(&id)
    }

    fn is_used(&self, id: TensorId) -> bool {
        let touched = !self.uses.writers(id).is_empty() || !self.uses.readers(id).is_empty();
        touched || self.inputs.contains(&id) || self.outputs.contains(&id)
    }

    fn check_tensor(&mut self, id: TensorId) {
        if !self.is_used(id) {
            return;
        }
        let tensor = &self.graph[id];
        let place = self.graph.place_of_tensor(id);
        let mut faults = Vec::new();
        match *self.uses.writers(id) {
            [first, second, ..] => {
                faults.push(Fault::WrittenTwice { first: first.index(), second: second.index() });
            }
            [node] if tensor.is_constant() => {
                faults.push(Fault::WriteProtected { role: "a constant", node: node.index() });
            }
            _ => {}
        }
        if !self.uses.readers(id).is_empty() && self.is_absent(id) {
            faults.push(Fault::NeverWritten);
        }
        check_data(tensor, &mut faults);
        check_quantization::<S>(tensor, &mut faults);
        faults.into_iter().for_each(|fault| self.report(place.clone(), fault));
    }

    fn check_node(&mut self, id: NodeId) {
        let node = &self.graph[id];
        let mut faults = Vec::new();
        for &tensor in node.inputs.iter().flatten() {
            if let Some(writer) = self.uses.writer(tensor).filter(|&writer| writer >= id) {
                faults.push(Fault::Order { tensor: tensor.index(), writer: writer.index() });
            }
        }
        let inputs: Vec<Option<&Tensor>> =
            node.inputs.iter().map(|input| input.map(|id| &self.graph[id])).collect();
        // What a tensor of unacceptable size would entail has been said once, at the tensor.
        if inputs.iter().flatten().all(|tensor| tensor.shape.elements().is_some()) {
            match infer(&node.op, &inputs) {
                Err(found) => faults.extend(found),
                Ok(outputs) => self.check_outputs(node, &outputs, &mut faults),
            }
        }
        let place = self.graph.place_of_node(id);
        faults.into_iter().for_each(|fault| self.report(place.clone(), fault));
    }

    fn check_outputs(&self, node: &Node, outputs: &[Output], faults: &mut Vec<Fault>) {
        if node.outputs.len() != outputs.len() {
            faults.push(Fault::OutputCount { found: node.outputs.len(), expected: outputs.len() });
        }
        for (output, (&id, expected)) in node.outputs.iter().zip(outputs).enumerate() {
            let tensor = &self.graph[id];
            if tensor.shape != expected.shape {
                let (found, expected) = (tensor.shape.clone(), expected.shape.clone());
                faults.push(Fault::OutputShape { output, found, expected });
            }
            if !expected.types.contains(&tensor.dtype) {
                let names: Vec<_> = expected.types.iter().map(|dtype| dtype.name()).collect();
                faults.push(Fault::Type {
                    role: "output",
                    found: tensor.dtype,
                    expected: names.join(" or "),
                });
            }
        }
    }
}

fn check_data(tensor: &Tensor, faults: &mut Vec<Fault>) {
    let Some(expected) = tensor.byte_len().filter(|_| tensor.shape.rank() <= Shape::MAX_RANK) else {
        faults.push(Fault::Size { shape: tensor.shape.clone() });
        return;
    };
    if let Some(found) = tensor.data.as_ref().map(|data| data.len()).filter(|&found| found != expected) {
        faults.push(Fault::DataLength { found, expected, shape: tensor.shape.clone(), dtype: tensor.dtype });
    }
    let in_range: fn(i8) -> bool = match tensor.dtype {
        DType::I4 => |weight| (-8..=7).contains(&weight),
        DType::B1 => |weight| weight == 1 || weight == -1,
        _ => return,
    };
    match tensor.weight_values() {
        None => faults.push(Fault::NotConstant { dtype: tensor.dtype }),
        Some(weights) => {
            if let Some(weight) = weights.into_iter().find(|&weight| !in_range(weight)) {
                faults.push(Fault::WeightRange { dtype: tensor.dtype, weight });
            }
        }
    }
}

fn check_quantization<S: State>(tensor: &Tensor, faults: &mut Vec<Fault>) {
    let dtype = tensor.dtype;
    let Some(quantization) = &tensor.quantization else {
        if S::needs_quantization(dtype) {
            faults.push(Fault::NotQuantized { dtype });
        }
        return;
    };
    let Some(allowed) = dtype.zero_points() else {
        faults.push(Fault::CannotBeQuantized { dtype });
        return;
    };
    for (channel, &scale) in quantization.scales.iter().enumerate() {
        if !(scale.is_finite() && scale > 0.0) {
            faults.push(Fault::Scale { channel, scale });
        }
    }
    for (channel, &zero_point) in quantization.zero_points.iter().enumerate() {
        if !allowed.contains(&zero_point) {
            let (low, high) = (*allowed.start(), *allowed.end());
            faults.push(Fault::ZeroPoint { channel, zero_point, low, high });
        }
    }
    let (scales, zero_points, axis) =
        (quantization.scales.len(), quantization.zero_points.len(), quantization.axis);
    if scales > 1 && !tensor.is_constant() {
        faults.push(Fault::PerChannelActivation { scales });
    }
    let fits = scales == 1 || tensor.shape.get(axis) == Some(&scales);
    if !fits || scales != zero_points {
        faults.push(Fault::ScaleCount { scales, zero_points, axis, shape: tensor.shape.clone() });
    }
}

#[cfg(test)]
mod tests;
