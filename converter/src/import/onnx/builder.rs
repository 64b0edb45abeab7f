//! The graph under construction: nodes are added with the shapes and types that follow from their inputs, and what can
//! be told from constants is told at once.

use std::collections::HashSet;

use super::OnnxFault;
use super::evaluate::{Elements, evaluate};
use crate::import::ImportFault;
use crate::ir::infer::infer;
use crate::ir::{DType, Fault, Float, Graph, Node, NodeId, Op, Place, Shape, Tensor, TensorId};

/// A graph, and what is known of its tensors.
pub(super) struct Builder {
    pub(super) graph: Graph<Float>,
    /// Where each node of the graph comes from.
    pub(super) places: Vec<Place>,
    /// For each tensor, whether it depends on constants only.
    fixed: Vec<bool>,
    /// For each tensor, the node that writes it.
    writers: Vec<Option<NodeId>>,
    /// Weights as the file has them: these stay tensors of their own, so that others can take their place.
    stored: HashSet<TensorId>,
    /// Elements that may still be computed at conversion.
    allowance: usize,
}

/// Elements that all computed constants may have together.
const ALLOWANCE: usize = 4 << 20;
/// Longest real constant that is computed at once: what attributes are made of, not weights.
const SHORT: usize = 16;
/// How far back a constant is looked for behind nodes.
const DEEPEST: usize = 16;

impl Builder {
    pub(super) fn new(graph: Graph<Float>) -> Self {
        Builder {
            graph,
            places: Vec::new(),
            fixed: Vec::new(),
            writers: Vec::new(),
            stored: HashSet::new(),
            allowance: ALLOWANCE,
        }
    }

    /// Adds a tensor that no node writes.
    pub(super) fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        self.fixed.push(tensor.is_constant());
        self.writers.push(None);
        self.graph.add_tensor(tensor)
    }

    /// Adds a constant of the file.
    pub(super) fn add_stored(&mut self, tensor: Tensor) -> TensorId {
        let id = self.add_tensor(tensor);
        self.stored.insert(id);
        id
    }

    pub(super) fn tensor(&self, id: TensorId) -> &Tensor {
        &self.graph[id]
    }

    /// Whether a tensor depends on constants only.
    pub(super) fn is_fixed(&self, id: TensorId) -> bool {
        self.fixed.get(id.index()) == Some(&true)
    }

    /// Takes elements of a constant out of the allowance.
    pub(super) fn charge(&mut self, elements: usize) -> Result<(), OnnxFault> {
        self.allowance = self.allowance.checked_sub(elements).ok_or(OnnxFault::ConstantsTooLarge)?;
        Ok(())
    }

    /// Adds a node whose outputs have the types that the operator usually writes.
    ///
    /// # Errors
    /// What the operator does not allow.
    pub(super) fn add_node(
        &mut self,
        name: &str,
        place: &Place,
        op: Op,
        inputs: &[Option<TensorId>],
    ) -> Result<Vec<TensorId>, Vec<ImportFault>> {
        let tensors: Vec<Option<&Tensor>> = inputs.iter().map(|id| id.map(|id| &self.graph[id])).collect();
        let outputs = infer(&op, &tensors)
            .map_err(|faults| faults.into_iter().map(ImportFault::from).collect::<Vec<_>>())?;
        if let Some(constant) = self.fold(&op, inputs, &outputs)? {
            return Ok(vec![self.add_tensor(constant)]);
        }
        let mut ids = Vec::with_capacity(outputs.len());
        for output in outputs {
            let acceptable = output.shape.elements().is_some() && output.shape.rank() <= Shape::MAX_RANK;
            let dtype = output.types.first().copied().filter(|_| acceptable);
            let dtype = dtype.ok_or_else(|| vec![Fault::Size { shape: output.shape.clone() }.into()])?;
            ids.push(self.add_tensor(Tensor::new(name, dtype, output.shape)));
        }
        self.link(name, place, op, inputs.to_vec(), ids.clone());
        Ok(ids)
    }

    /// Adds a node that writes tensors which are already there.
    pub(super) fn link(
        &mut self,
        name: &str,
        place: &Place,
        op: Op,
        inputs: Vec<Option<TensorId>>,
        outputs: Vec<TensorId>,
    ) {
        let fixed = inputs.iter().flatten().all(|&id| self.is_fixed(id));
        let node = self.graph.add_node(Node { name: name.into(), op, inputs, outputs: outputs.clone() });
        self.places.push(place.clone());
        for id in outputs {
            self.fixed[id.index()] = fixed;
            self.writers[id.index()] = Some(node);
        }
    }

    /// The constant that the operator writes, if it is not to become a node.
    fn fold(
        &mut self,
        op: &Op,
        inputs: &[Option<TensorId>],
        outputs: &[crate::ir::infer::Output],
    ) -> Result<Option<Tensor>, Vec<ImportFault>> {
        let [output] = outputs else { return Ok(None) };
        let Some(&dtype) = output.types.first() else { return Ok(None) };
        let ids: Vec<TensorId> = inputs.iter().flatten().copied().collect();
        let tensors: Vec<&Tensor> = ids.iter().map(|&id| &self.graph[id]).collect();
        let elements = output.shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size));
        let Some(elements) = elements.filter(|_| tensors.iter().all(|tensor| tensor.is_constant())) else {
            return Ok(None);
        };
        let long = |&id: &TensorId| self.stored.contains(&id) && self.graph[id].shape.rank() > 0;
        if dtype.is_float() && (elements > SHORT || ids.iter().any(long)) {
            return Ok(None);
        }
        self.allowance =
            self.allowance.checked_sub(elements).ok_or_else(|| vec![OnnxFault::ConstantsTooLarge.into()])?;
        let tensors: Vec<&Tensor> = ids.iter().map(|&id| &self.graph[id]).collect();
        Ok(evaluate(op, &tensors, dtype, &output.shape))
    }

    /// The value of a tensor that depends on constants only, as far as it can be computed here.
    pub(super) fn value(&mut self, id: TensorId) -> Option<Tensor> {
        self.value_within(id, DEEPEST)
    }

    fn value_within(&mut self, id: TensorId, depth: usize) -> Option<Tensor> {
        let tensor = self.graph.get(id)?;
        if tensor.is_constant() {
            return Some(tensor.clone());
        }
        let elements = tensor.shape.elements().filter(|_| self.is_fixed(id))?;
        self.charge(elements).ok()?;
        let node = self.writers.get(id.index()).copied().flatten()?;
        let Node { op, inputs, outputs, .. } = self.graph[node].clone();
        let mut values = Vec::with_capacity(inputs.len());
        for input in inputs.into_iter().flatten() {
            values.push(self.value_within(input, depth.checked_sub(1)?)?);
        }
        let &[_] = outputs.as_slice() else { return None };
        let (dtype, shape) = (self.graph[id].dtype, self.graph[id].shape.clone());
        evaluate(&op, &values.iter().collect::<Vec<_>>(), dtype, &shape)
    }

    /// Adds a constant that no file holds.
    pub(super) fn constant(&mut self, elements: Elements, dtype: DType, shape: Shape) -> Option<TensorId> {
        let tensor = elements.into_tensor("", dtype, shape)?;
        Some(self.add_tensor(tensor))
    }
}
