//! A network run layer by layer on all samples at once.

use rayon::prelude::*;

use super::super::forms::Form;
use crate::arithmetic::Affine;
use crate::arithmetic::scale::quantize;
use crate::calibrate::Sample;
use crate::float::{ExecuteError, Executor};
use crate::ir::{Float, Graph, Node, NodeId, Tensor, TensorId};

/// A network that is run node by node, so that weights can change before their turn comes.
pub(super) struct Replay<'f> {
    graph: Graph<Float>,
    /// The form that each activation is rounded to; none: real numbers throughout.
    forms: &'f [Form],
    /// The node that is next.
    next: usize,
    /// The node after which each tensor is not needed any more.
    last: Vec<usize>,
    /// Of each tensor that will be needed: its values in each sample.
    values: Vec<Option<Vec<Vec<f32>>>>,
}

impl<'f> Replay<'f> {
    /// A network before its first node.
    pub(super) fn new(graph: &Graph<Float>, forms: &'f [Form], samples: &[Sample]) -> Self {
        let uses = graph.uses();
        let last = |id| uses.readers(id).last().map_or(0, |node| node.index());
        let mut replay = Self {
            forms,
            next: 0,
            last: graph.tensor_ids().map(last).collect(),
            values: vec![None; graph.tensors().len()],
            graph: graph.clone(),
        };
        for (slot, &input) in graph.inputs().iter().enumerate() {
            let values = samples.iter().map(|sample| sample.get(slot).cloned().unwrap_or_default());
            replay.put(input, values.collect());
        }
        replay
    }

    /// Bytes that the samples take at most while the network is run.
    pub(super) fn peak_bytes(graph: &Graph<Float>) -> usize {
        let uses = graph.uses();
        let bytes = |id: TensorId| graph[id].shape.elements().unwrap_or(0).saturating_mul(size_of::<f32>());
        let mut live: usize = graph.inputs().iter().map(|&id| bytes(id)).sum();
        let mut peak = live;
        for (id, node) in graph.node_ids().zip(graph.nodes()) {
            live += node.outputs.iter().map(|&output| bytes(output)).sum::<usize>();
            peak = peak.max(live);
            let mut dead: Vec<TensorId> = node.inputs.iter().flatten().copied().collect();
            dead.dedup();
            dead.retain(|&input| !graph[input].is_constant() && uses.readers(input).last() == Some(&id));
            live = live.saturating_sub(dead.into_iter().map(bytes).sum());
        }
        peak
    }

    /// Runs the nodes before a node.
    ///
    /// # Errors
    /// If one cannot be run.
    pub(super) fn run_until(&mut self, node: NodeId) -> Result<(), ExecuteError> {
        while self.next < node.index() {
            self.step()?;
        }
        Ok(())
    }

    /// A tensor's values in each sample, as long as they are needed.
    pub(super) fn values(&self, tensor: TensorId) -> &[Vec<f32>] {
        self.values.get(tensor.index()).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The element-wise mean of a tensor over the samples.
    pub(super) fn mean(&self, tensor: TensorId) -> Vec<f32> {
        let samples = self.values(tensor);
        let mut sums = vec![0.0; samples.first().map_or(0, Vec::len)];
        for sample in samples {
            sums.iter_mut().zip(sample).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        sums.into_iter().map(|sum| (sum / samples.len() as f64) as f32).collect()
    }

    /// Gives a layer that has not run yet other weights and another bias.
    pub(super) fn set_layer(&mut self, node: NodeId, filter: &[f32], bias: Option<&[f32]>) {
        let Some(old) = self.graph.input_of(&self.graph[node], 1) else { return };
        let filter = Tensor::constant_f32(old.name.clone(), old.shape.clone(), filter);
        let filter = self.graph.add_tensor(filter);
        let bias = bias.map(|bias| self.graph.add_tensor(Tensor::constant_f32("bias", [bias.len()], bias)));
        let inputs = &mut self.graph.node_mut(node).inputs;
        inputs.truncate(2);
        inputs[1] = Some(filter);
        inputs.extend(bias.map(Some));
    }

    fn step(&mut self) -> Result<(), ExecuteError> {
        let node = self.graph.nodes()[self.next].clone();
        let (single, inputs) = alone(&self.graph, &node);
        let count = self.values.iter().flatten().map(Vec::len).max().unwrap_or(0);
        let mut samples: Vec<Sample> = vec![Vec::new(); count];
        for input in inputs {
            let slot = &mut self.values[input.index()];
            let values = if self.last[input.index()] > self.next { slot.clone() } else { slot.take() };
            samples
                .iter_mut()
                .zip(values.into_iter().flatten())
                .for_each(|(sample, value)| sample.push(value));
        }
        let mut outputs = Executor::new(&single)?.run_batch(&samples, || ())?;
        for (slot, &output) in node.outputs.iter().enumerate().rev() {
            if self.last[output.index()] > self.next {
                let values =
                    outputs.iter_mut().filter_map(|outputs| outputs.get_mut(slot).map(std::mem::take));
                let values = values.collect();
                self.put(output, values);
            }
        }
        self.next += 1;
        Ok(())
    }

    fn put(&mut self, tensor: TensorId, mut values: Vec<Vec<f32>>) {
        if let Some(&Form::Int8(affine)) = self.forms.get(tensor.index()) {
            values
                .par_iter_mut()
                .for_each(|values| values.iter_mut().for_each(|value| *value = rounded(*value, affine)));
        }
        self.values[tensor.index()] = Some(values);
    }
}

/// The value that an int8 stands for.
fn rounded(value: f32, affine: Affine) -> f32 {
    affine.scale * (quantize(value, affine).clamp(-128, 127) - affine.zero_point) as f32
}

/// A graph of one node, and the tensors that are its inputs.
fn alone(graph: &Graph<Float>, node: &Node) -> (Graph<Float>, Vec<TensorId>) {
    let mut single = Graph::new(graph.name.clone());
    let mut inputs: Vec<TensorId> = Vec::new();
    let mut ids: Vec<TensorId> = Vec::new();
    let mut place = |single: &mut Graph<Float>, id: TensorId| {
        if graph[id].is_constant() {
            return single.add_tensor(graph[id].clone());
        }
        if let Some(position) = inputs.iter().position(|&input| input == id) {
            return ids[position];
        }
        let new = single.add_tensor(graph[id].clone());
        inputs.push(id);
        ids.push(new);
        new
    };
    let operands = node.inputs.iter().map(|input| input.map(|id| place(&mut single, id))).collect();
    let outputs: Vec<TensorId> =
        node.outputs.iter().map(|&id| single.add_tensor(graph[id].clone())).collect();
    single.add_node(Node {
        name: node.name.clone(),
        op: node.op.clone(),
        inputs: operands,
        outputs: outputs.clone(),
    });
    single.set_inputs(ids);
    single.set_outputs(outputs);
    (single, inputs)
}
