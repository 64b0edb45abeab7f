//! The mean of tensors over samples, element by element.

use std::collections::BTreeMap;

use super::{CalibrateError, Done, SAMPLES_AT_ONCE, Sample};
use crate::float::Executor;
use crate::ir::{Float, Graph, TensorId};

/// The mean of each tensor asked for.
pub type Means = BTreeMap<TensorId, Vec<f32>>;

/// The element-wise mean of some tensors over the samples. `done` is called for each sample.
///
/// # Errors
/// If there are no samples, or they do not fit the graph.
pub fn means(
    graph: &Graph<Float>,
    samples: &[Sample],
    tensors: &[TensorId],
    done: Done<'_>,
) -> Result<Means, CalibrateError> {
    if samples.is_empty() {
        return Err(CalibrateError::NoSamples);
    }
    let executor = Executor::new(graph)?;
    let first = graph.inputs().first().copied();
    let zeros = |&id: &TensorId| Some((id, vec![0.0; graph.get(id)?.shape.elements()?]));
    let empty: BTreeMap<TensorId, Vec<f64>> = tensors.iter().filter_map(zeros).collect();
    let mut totals = empty.clone();
    for samples in samples.chunks(SAMPLES_AT_ONCE) {
        let parts = executor.fold_batch(
            samples,
            || empty.clone(),
            |sums, tensor, values| {
                if Some(tensor) == first {
                    done();
                }
                if let Some(sum) = sums.get_mut(&tensor) {
                    sum.iter_mut().zip(values).for_each(|(sum, &value)| *sum += f64::from(value));
                }
            },
        )?;
        for part in parts {
            for (total, sum) in totals.values_mut().zip(part.values()) {
                total.iter_mut().zip(sum).for_each(|(total, sum)| *total += sum);
            }
        }
    }
    let count = samples.len() as f64;
    let mean = |total: Vec<f64>| total.iter().map(|sum| (sum / count) as f32).collect();
    Ok(totals.into_iter().map(|(id, total)| (id, mean(total))).collect())
}
