//! What the nodes of a model write, vector by vector.

use rayon::prelude::*;
use secateur::Model;
use serde::Serialize;

use crate::execute::{self, ExecuteError};
use crate::facts::Facts;
use crate::port::{self, Port, vector_bytes};

/// A tensor that a node writes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeOutput {
    /// The node's position in the order of execution.
    pub node: u16,
    /// What it computes.
    pub operator: &'static str,
    /// The tensor.
    #[serde(flatten)]
    pub port: Port,
}

/// What the nodes write, in the order of execution.
pub fn node_outputs(model: &Model<'_>) -> Vec<NodeOutput> {
    let facts = Facts::of(model.tables());
    let mut found = Vec::new();
    for (index, node) in (0u16..).zip(model.tables().nodes()) {
        let operator = node.op().map_or("unknown", |op| op.name());
        let ports = port::ports(model, &facts, node.outputs());
        found.extend(ports.into_iter().map(|port| NodeOutput { node: index, operator, port }));
    }
    found
}

/// The bytes of every tensor of [`node_outputs`] over all vectors. `done` is called after each vector, from any thread.
///
/// # Errors
/// If the input is not a whole number of vectors.
pub fn dump(model: &Model<'_>, input: &[u8], done: impl Fn() + Sync) -> Result<Vec<Vec<u8>>, ExecuteError> {
    let vector = vector_bytes(&port::inputs(model, &Facts::of(model.tables()))).max(1);
    let vectors: Vec<_> = input
        .par_chunks(vector)
        .map(|input| {
            let dumped = execute::run_dumping(model, input)?;
            done();
            Ok(dumped)
        })
        .collect::<Result<_, ExecuteError>>()?;
    let mut tensors = vec![Vec::new(); node_outputs(model).len()];
    for dumped in &vectors {
        tensors.iter_mut().zip(dumped).for_each(|(tensor, dumped)| tensor.extend_from_slice(&dumped.bytes));
    }
    Ok(tensors)
}
