//! Values of constants, for the passes that compute with them.

use crate::ir::{Float, Graph, TensorId};

/// The values of a constant in double precision.
pub(super) fn reals(graph: &Graph<Float>, tensor: Option<TensorId>) -> Option<Vec<f64>> {
    Some(graph.get(tensor?)?.f32_values()?.into_iter().map(f64::from).collect())
}

/// The value of a constant of one element.
pub(super) fn scalar(graph: &Graph<Float>, tensor: Option<TensorId>) -> Option<f64> {
    let tensor = graph.get(tensor?)?;
    if tensor.shape.elements() != Some(1) {
        return None;
    }
    tensor.f32_values()?.first().copied().map(f64::from)
}

/// The one value that all elements of a constant have.
pub(super) fn uniform(graph: &Graph<Float>, tensor: Option<TensorId>) -> Option<f64> {
    let values = reals(graph, tensor)?;
    let first = *values.first()?;
    values.iter().all(|&value| value == first).then_some(first)
}
