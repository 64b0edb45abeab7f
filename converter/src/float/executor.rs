//! Runs a graph of real numbers.

use std::collections::HashSet;

use rayon::prelude::*;

use super::Threads;
use super::bounds::{self, MAX_BYTES};
use super::error::{ExecuteError, OperatorFault};
use super::operands::check_operands;
use super::operator::{Operand, apply};
use super::value::Value;
use crate::ir::check::check;
use crate::ir::{Float, Graph, Node, NodeId, Op, Tensor, TensorId};

/// One vector for each input of a graph, in its order.
pub type Sample = Vec<Vec<f32>>;

/// Samples that share one state in [`Executor::fold_batch`].
const SAMPLES_PER_STATE: usize = 16;

/// A graph that is ready to run.
///
/// Everything is checked once. What depends on constants alone is computed once.
#[derive(Debug)]
pub struct Executor<'g> {
    graph: &'g Graph<Float>,
    /// The values of constants that nodes read, by tensor.
    constants: Vec<Option<Value>>,
    /// The real numbers that constant filters of integers stand for, by tensor.
    filters: Vec<Option<Value>>,
    steps: Vec<Step>,
}

/// A node to run.
#[derive(Debug)]
struct Step {
    node: NodeId,
    /// Tensors that nobody needs afterwards.
    dead: Vec<TensorId>,
}

impl<'g> Executor<'g> {
    /// Prepares a graph.
    ///
    /// # Errors
    /// If the graph is not well-formed or too large, or a node cannot be computed.
    pub fn new(graph: &'g Graph<Float>) -> Result<Self, ExecuteError> {
        check(graph).map_err(ExecuteError::IllFormed)?;
        bounds::check_work(graph)?;
        let none = || vec![None; graph.tensors().len()];
        let mut executor = Self { graph, constants: none(), filters: none(), steps: Vec::new() };
        executor.read_constants()?;
        let mut running = Vec::new();
        for id in graph.node_ids() {
            executor.check_types(id)?;
            if executor.is_constant(&graph[id]) {
                let live: usize = graph[id].outputs.iter().map(|&tensor| bounds::bytes(graph, tensor)).sum();
                executor.check_memory(id, live)?;
                let outputs = executor.compute(id, &[], Threads::All)?;
                for (&tensor, value) in graph[id].outputs.iter().zip(outputs) {
                    executor.constants[tensor.index()] = Some(value);
                }
            } else {
                running.push(id);
            }
        }
        executor.steps = executor.schedule(running);
        executor.forget_unread_constants();
        executor.check_peak()?;
        Ok(executor)
    }

    /// The outputs for one vector per input; integers are given as real numbers.
    ///
    /// # Errors
    /// If the inputs do not fit the graph, or an index is outside its axis.
    pub fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, ExecuteError> {
        self.run_with(inputs, |_, _| ())
    }

    /// As [`Self::run`]; `visit` sees the inputs and whatever depends on them, in the order in which it is computed.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_with(
        &self,
        inputs: &[Vec<f32>],
        visit: impl FnMut(TensorId, &[f32]),
    ) -> Result<Vec<Vec<f32>>, ExecuteError> {
        self.run_on(Threads::All, inputs, visit)
    }

    /// The outputs for each sample. Samples run in parallel; `done` is called after each one, from any thread.
    ///
    /// # Errors
    /// As [`Self::run`], for any of the samples.
    pub fn run_batch(
        &self,
        samples: &[Sample],
        done: impl Fn() + Sync,
    ) -> Result<Vec<Vec<Vec<f32>>>, ExecuteError> {
        let run = |sample: &Sample| {
            let outputs = self.run_on(Threads::One, sample, |_, _| ());
            done();
            outputs
        };
        samples.par_iter().map(run).collect()
    }

    /// Shows every sample's tensors to a state. A few samples at a time share a state that `state` makes; these run one
    /// after another, and the states come in the order of the samples, whatever the number of threads.
    ///
    /// # Errors
    /// As [`Self::run`], for any of the samples.
    pub fn fold_batch<S: Send>(
        &self,
        samples: &[Sample],
        state: impl Fn() -> S + Sync,
        visit: impl Fn(&mut S, TensorId, &[f32]) + Sync,
    ) -> Result<Vec<S>, ExecuteError> {
        let fold = |samples: &[Sample]| {
            let mut own = state();
            for sample in samples {
                self.run_on(Threads::One, sample, |tensor, values| visit(&mut own, tensor, values))?;
            }
            Ok(own)
        };
        samples.par_chunks(SAMPLES_PER_STATE).map(fold).collect()
    }

    /// The graph.
    pub fn graph(&self) -> &'g Graph<Float> {
        self.graph
    }

    /// As [`Self::run_with`], on the threads given.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_on(
        &self,
        threads: Threads,
        inputs: &[Vec<f32>],
        mut visit: impl FnMut(TensorId, &[f32]),
    ) -> Result<Vec<Vec<f32>>, ExecuteError> {
        let mut values = self.load(inputs)?;
        for &input in self.graph.inputs() {
            if let Some(value) = &values[input.index()] {
                visit(input, &value.real());
            }
        }
        for step in &self.steps {
            let outputs = self.compute(step.node, &values, threads)?;
            for (&tensor, value) in self.graph[step.node].outputs.iter().zip(outputs) {
                visit(tensor, &value.real());
                values[tensor.index()] = Some(value);
            }
            for tensor in &step.dead {
                values[tensor.index()] = None;
            }
        }
        let output = |&tensor: &TensorId| {
            let value = values[tensor.index()].take();
            let constant = || self.constants[tensor.index()].clone();
            value.or_else(constant).map(Value::into_real).unwrap_or_default()
        };
        Ok(self.graph.outputs().iter().map(output).collect())
    }

    /// The inputs' values, each at its tensor's place.
    fn load(&self, inputs: &[Vec<f32>]) -> Result<Vec<Option<Value>>, ExecuteError> {
        let expected = self.graph.inputs().len();
        if inputs.len() != expected {
            return Err(ExecuteError::InputCount { found: inputs.len(), expected });
        }
        let mut values = vec![None; self.graph.tensors().len()];
        for (index, (&id, input)) in self.graph.inputs().iter().zip(inputs).enumerate() {
            let tensor = &self.graph[id];
            let expected = tensor.shape.elements().unwrap_or(0);
            if input.len() != expected {
                let (name, found) = (tensor.name.clone(), input.len());
                return Err(ExecuteError::InputLength { index, name, found, expected });
            }
            values[id.index()] = Some(Value::from_real(input, tensor.dtype));
        }
        Ok(values)
    }

    /// The outputs of a node, from the values that are not constant.
    pub(super) fn compute(
        &self,
        id: NodeId,
        values: &[Option<Value>],
        threads: Threads,
    ) -> Result<Vec<Value>, ExecuteError> {
        let node = &self.graph[id];
        let operand = |(slot, tensor): (usize, &Option<TensorId>)| {
            let tensor = (*tensor)?;
            let at = tensor.index();
            let filter = self.filters[at].as_ref().filter(|_| slot == 1 && has_filter(&node.op));
            let value = filter.or(values.get(at).and_then(Option::as_ref)).or(self.constants[at].as_ref())?;
            Some(Operand { tensor: &self.graph[tensor], value })
        };
        let inputs: Vec<_> = node.inputs.iter().enumerate().map(operand).collect();
        let outputs: Vec<&Tensor> = node.outputs.iter().map(|&output| &self.graph[output]).collect();
        apply(&node.op, &inputs, &outputs, threads).map_err(|fault| self.node_error(id, fault))
    }

    fn node_error(&self, id: NodeId, fault: OperatorFault) -> ExecuteError {
        ExecuteError::Node { place: self.graph.place_of_node(id), fault }
    }

    fn check_types(&self, id: NodeId) -> Result<(), ExecuteError> {
        let node = &self.graph[id];
        let inputs: Vec<_> =
            node.inputs.iter().map(|input| input.map(|tensor| &self.graph[tensor])).collect();
        let outputs: Vec<_> = node.outputs.iter().map(|&tensor| &self.graph[tensor]).collect();
        check_operands(&node.op, &inputs, &outputs).map_err(|fault| self.node_error(id, fault))
    }

    /// Decodes the constants that nodes read or that are outputs.
    fn read_constants(&mut self) -> Result<(), ExecuteError> {
        let graph = self.graph;
        let mut read = |tensor: TensorId| {
            let constant = &mut self.constants[tensor.index()];
            if constant.is_none() {
                *constant = Value::of(&graph[tensor]);
            }
        };
        graph.outputs().iter().for_each(|&output| read(output));
        for node in graph.nodes() {
            for (slot, &tensor) in node.inputs.iter().enumerate() {
                let Some(tensor) = tensor.filter(|&tensor| graph[tensor].is_constant()) else { continue };
                if slot == 1 && has_filter(&node.op) && !graph[tensor].dtype.is_float() {
                    let weights = graph[tensor].dequantized();
                    let place = || graph.place_of_tensor(tensor);
                    let weights = weights.ok_or_else(|| ExecuteError::Weights { place: place() })?;
                    self.filters[tensor.index()] = Some(Value::Real(weights));
                } else {
                    read(tensor);
                }
            }
        }
        Ok(())
    }

    /// Whether a tensor depends on constants alone.
    pub fn is_known(&self, tensor: TensorId) -> bool {
        self.constants[tensor.index()].is_some() || self.filters[tensor.index()].is_some()
    }

    /// Whether the node's inputs are all known.
    fn is_constant(&self, node: &Node) -> bool {
        node.inputs.iter().flatten().all(|&tensor| self.is_known(tensor))
    }

    /// The nodes in their order, each with the tensors that nobody needs afterwards.
    fn schedule(&self, nodes: Vec<NodeId>) -> Vec<Step> {
        let mut needed: HashSet<TensorId> = self.graph.outputs().iter().copied().collect();
        let mut steps: Vec<Step> = Vec::new();
        for node in nodes.into_iter().rev() {
            let touched = self.graph[node].inputs.iter().flatten().chain(&self.graph[node].outputs);
            let dead = touched.copied().filter(|&tensor| needed.insert(tensor)).collect();
            steps.push(Step { node, dead });
        }
        steps.reverse();
        steps
    }

    fn forget_unread_constants(&mut self) {
        let graph = self.graph;
        let read = self.steps.iter().flat_map(|step| graph[step.node].inputs.iter().flatten());
        let read: HashSet<TensorId> = read.chain(graph.outputs()).copied().collect();
        for id in graph.tensor_ids().filter(|id| !read.contains(id)) {
            self.constants[id.index()] = None;
            self.filters[id.index()] = None;
        }
    }

    /// Checks the memory that values take while the graph runs.
    fn check_peak(&self) -> Result<(), ExecuteError> {
        let size = |&tensor: &TensorId| bounds::bytes(self.graph, tensor);
        let mut alive: HashSet<TensorId> = self.graph.inputs().iter().copied().collect();
        let mut live: usize = alive.iter().map(size).sum();
        for step in &self.steps {
            for output in &self.graph[step.node].outputs {
                alive.insert(*output);
                live = live.saturating_add(size(output));
            }
            self.check_memory(step.node, live)?;
            for dead in step.dead.iter().filter(|&dead| alive.remove(dead)) {
                live = live.saturating_sub(size(dead));
            }
        }
        Ok(())
    }

    fn check_memory(&self, node: NodeId, bytes: usize) -> Result<(), ExecuteError> {
        if bytes <= MAX_BYTES {
            return Ok(());
        }
        Err(ExecuteError::Memory { place: self.graph.place_of_node(node), bytes, limit: MAX_BYTES })
    }
}

/// Whether the second input is a filter, which may be integers that stand for real numbers.
fn has_filter(op: &Op) -> bool {
    matches!(op, Op::FullyConnected(_))
}
