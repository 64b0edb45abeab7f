//! Parts of a graph, run on inputs of their own.

use std::collections::HashSet;

use super::Threads;
use super::error::ExecuteError;
use super::executor::Executor;
use super::value::Value;
use crate::ir::{NodeId, TensorId};

/// The nodes between some tensors and one that depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    from: Vec<TensorId>,
    nodes: Vec<NodeId>,
    to: TensorId,
}

impl Executor<'_> {
    /// What computes `to` when `from` and the constants are known; `None` if `to` depends on something else, or on
    /// more than `most` nodes.
    pub fn part(&self, from: &[TensorId], to: TensorId, most: usize) -> Option<Part> {
        let uses = self.graph().uses();
        let (mut nodes, mut wanted) = (HashSet::new(), vec![to]);
        while let Some(tensor) = wanted.pop() {
            if from.contains(&tensor) || self.is_known(tensor) {
                continue;
            }
            let node = uses.writer(tensor)?;
            if nodes.insert(node) {
                wanted.extend(self.graph()[node].inputs.iter().flatten());
            }
            if nodes.len() > most {
                return None;
            }
        }
        let mut nodes: Vec<NodeId> = nodes.into_iter().collect();
        nodes.sort_unstable();
        Some(Part { from: from.to_vec(), nodes, to })
    }

    /// The value of the last tensor, from one vector for each of the first ones, on the caller's thread.
    ///
    /// # Errors
    /// If an index is outside its axis.
    pub fn run_part(&self, part: &Part, inputs: &[Vec<f32>]) -> Result<Vec<f32>, ExecuteError> {
        let mut values = vec![None; self.graph().tensors().len()];
        for (&tensor, input) in part.from.iter().zip(inputs) {
            values[tensor.index()] = Some(Value::from_real(input, self.graph()[tensor].dtype));
        }
        for &node in &part.nodes {
            let outputs = self.compute(node, &values, Threads::One)?;
            for (&tensor, value) in self.graph()[node].outputs.iter().zip(outputs) {
                values[tensor.index()] = Some(value);
            }
        }
        Ok(values[part.to.index()].take().map(Value::into_real).unwrap_or_default())
    }
}
