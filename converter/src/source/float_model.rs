//! Float models that run on the host as they are.

use std::collections::HashMap;

use secateur::format::DType;
use thiserror::Error;

use crate::dump::NodeOutput;
use crate::float::{ExecuteError, Executor, Sample};
use crate::ir::{self, Float, Graph, Tensor, TensorId};
use crate::port::{self, Port};

/// A float network with its inputs and outputs as a user sees them.
#[derive(Clone, Debug)]
pub struct FloatModel {
    graph: Graph<Float>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

/// Why a float model cannot be run.
#[derive(Debug, Error)]
pub enum FloatModelError {
    /// An input or output is of a type that cannot be fed or read.
    #[error("{role} '{name}' is {dtype}: float32 and int32 are supported")]
    Type {
        /// `input` or `output`.
        role: &'static str,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: ir::DType,
    },
    /// An operator cannot be executed.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The input is not a whole number of vectors.
    #[error("{found} bytes of input are not a whole number of vectors of {vector} bytes")]
    InputLength {
        /// Bytes given.
        found: usize,
        /// Bytes of one vector.
        vector: usize,
    },
}

impl FloatModel {
    /// A network to be run.
    ///
    /// # Errors
    /// If an operator cannot be executed, or an input or output is neither of real numbers nor of indices.
    pub fn new(graph: Graph<Float>) -> Result<Self, FloatModelError> {
        Executor::new(&graph)?;
        let ports = |role, ids: &[TensorId]| -> Result<Vec<Port>, FloatModelError> {
            ids.iter().map(|&id| port(role, &graph[id])).collect()
        };
        let (inputs, outputs) = (ports("input", graph.inputs())?, ports("output", graph.outputs())?);
        Ok(Self { inputs, outputs, graph })
    }

    /// The network.
    pub fn graph(&self) -> &Graph<Float> {
        &self.graph
    }

    /// What the caller fills.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// What the caller reads.
    pub fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    /// The values of vectors that follow one another in `bytes`: of each vector, those of each input.
    ///
    /// # Errors
    /// If the bytes are not a whole number of vectors.
    pub fn samples(&self, bytes: &[u8]) -> Result<Vec<Sample>, FloatModelError> {
        let vector = port::vector_bytes(&self.inputs);
        if vector == 0 || !bytes.len().is_multiple_of(vector) {
            return Err(FloatModelError::InputLength { found: bytes.len(), vector });
        }
        let sample = |vector: &[u8]| {
            let columns = port::columns(&self.inputs, vector);
            let real = |(port, bytes): (&Port, &Vec<u8>)| -> Vec<f32> {
                port.real_values(bytes).into_iter().map(|value| value as f32).collect()
            };
            self.inputs.iter().zip(&columns).map(real).collect()
        };
        Ok(bytes.chunks_exact(vector).map(sample).collect())
    }

    /// Runs vectors in the form of a `.bin` file and gives their outputs in that form. `done` is called after each
    /// vector, from any thread.
    ///
    /// # Errors
    /// If the bytes are not a whole number of vectors.
    pub fn run_batch(&self, bytes: &[u8], done: impl Fn() + Sync) -> Result<Vec<u8>, FloatModelError> {
        let outputs = Executor::new(&self.graph)?.run_batch(&self.samples(bytes)?, done)?;
        let vectors = outputs.iter().flat_map(|outputs| self.outputs.iter().zip(outputs));
        Ok(vectors.flat_map(|(port, values)| port.encode_real(values)).collect())
    }

    /// What the nodes write, in the order of execution; what is computed from constants alone is left out.
    pub fn node_outputs(&self) -> Vec<NodeOutput> {
        self.written().map(|(output, _)| output).collect()
    }

    fn written(&self) -> impl Iterator<Item = (NodeOutput, TensorId)> {
        let nodes = (0u16..).zip(self.graph.nodes());
        nodes.flat_map(move |(index, node)| {
            node.outputs.iter().filter_map(move |&id| {
                let port = port("output", &self.graph[id]).ok()?;
                Some((NodeOutput { node: index, operator: node.op.name(), port }, id))
            })
        })
    }

    /// The bytes of every tensor of [`Self::node_outputs`] over all vectors.
    ///
    /// # Errors
    /// As [`Self::run_batch`].
    pub fn dump(&self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, FloatModelError> {
        let written: Vec<(NodeOutput, TensorId)> = self.written().collect();
        let places: HashMap<TensorId, usize> =
            written.iter().enumerate().map(|(place, &(_, id))| (id, place)).collect();
        let mut tensors = vec![Vec::new(); written.len()];
        let executor = Executor::new(&self.graph)?;
        for sample in &self.samples(bytes)? {
            executor.run_with(sample, |id, values| {
                if let Some(&place) = places.get(&id) {
                    tensors[place].extend(written[place].0.port.encode_real(values));
                }
            })?;
        }
        Ok(tensors)
    }
}

fn port(role: &'static str, tensor: &Tensor) -> Result<Port, FloatModelError> {
    let dtype = match tensor.dtype {
        ir::DType::F32 => DType::F32,
        ir::DType::I32 | ir::DType::I64 => DType::I32,
        dtype => return Err(FloatModelError::Type { role, name: tensor.name.clone(), dtype }),
    };
    let shape: Vec<u32> = tensor.shape.iter().map(|&d| u32::try_from(d).unwrap_or(u32::MAX)).collect();
    let bytes = tensor.shape.elements().unwrap_or_default() * dtype.size();
    Ok(Port { name: tensor.name.clone(), dtype, shape, bytes, scale: None, zero_point: None })
}
