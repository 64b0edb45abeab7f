//! Calibration: which ranges of real numbers the activations of a network have on samples of its input.
//!
//! | module | holds |
//! |---|---|
//! | [`ranges`] | [`Range`], [`Ranges`] |
//! | [`observer`] | [`Observer`]: how a range follows from values |
//! | `min_max`, `moving_average`, `percentile`, `mse`, `entropy` | one observer each |
//! | [`histogram`] | counts of values, which some observers look at |
//! | `means` | the mean of a tensor over samples |
//!
//! Every result is the same for any number of threads: what a few samples show is gathered in their order.

pub mod histogram;
pub mod observer;
pub mod ranges;

mod entropy;
mod means;
mod min_max;
mod moving_average;
mod mse;
mod percentile;

use thiserror::Error;

use crate::float::{ExecuteError, Executor};
use crate::ir::{DType, Float, Graph, TensorId};

pub use crate::float::Sample;
use histogram::Histogram;
pub use means::{Means, means};
pub use observer::{Observer, ObserverError};
pub use ranges::{Range, Ranges};

/// Why a network cannot be calibrated.
#[derive(Debug, Error)]
pub enum CalibrateError {
    /// There is nothing to calibrate with.
    #[error("no samples: calibration needs typical inputs, a hundred or more")]
    NoSamples,
    /// The network cannot be run, or not with these samples.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// A value that no integer stands for.
    #[error(
        "tensor '{tensor}' is {value} for sample {sample}: look for a division by 0 or a logarithm before it, or for \
         inputs on a scale that the network was not trained on"
    )]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// The first sample for which it is so.
        sample: usize,
        /// Infinity or NaN.
        value: f32,
    },
}

/// Samples whose partial results are held at once.
const SAMPLES_AT_ONCE: usize = 512;

/// Called after each sample, from any thread.
pub type Done<'a> = &'a (dyn Fn() + Sync);

/// What was seen of one tensor.
#[derive(Clone, Debug, Default)]
struct Observed {
    /// The extremes of each sample, in order.
    extremes: Vec<Range>,
    /// Counts over all samples, for observers that need them.
    histogram: Option<Histogram>,
}

/// How many passes over the samples [`calibrate`] makes.
pub const fn passes(observer: Observer) -> usize {
    if observer.needs_histogram() { 2 } else { 1 }
}

/// The range of every tensor of real numbers that is not constant, as `observer` sees it. `done` is called for each
/// sample in each of [`passes`].
///
/// # Errors
/// If there are no samples, they do not fit the graph, or a tensor has values that are not finite.
pub fn calibrate(
    graph: &Graph<Float>,
    samples: &[Sample],
    observer: Observer,
    done: Done<'_>,
) -> Result<Ranges, CalibrateError> {
    if samples.is_empty() {
        return Err(CalibrateError::NoSamples);
    }
    let executor = Executor::new(graph)?;
    let mut observed = extremes(&executor, samples, done)?;
    if observer.needs_histogram() {
        count(&executor, samples, &mut observed, done)?;
    }
    let mut ranges = Ranges::new();
    for (id, observed) in graph.tensor_ids().zip(&observed) {
        if !observed.extremes.is_empty() {
            ranges.set(id, observer.range(observed));
        }
    }
    Ok(ranges)
}

/// Least and greatest values of the tensors for a few samples.
#[derive(Default)]
struct Extremes {
    /// Samples seen.
    samples: usize,
    /// By tensor.
    ranges: Vec<Vec<Range>>,
    /// The first value that is not finite: sample, tensor, value.
    fault: Option<(usize, TensorId, f32)>,
}

impl Extremes {
    fn see(&mut self, tensor: TensorId, values: &[f32]) {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for &value in values {
            if !value.is_finite() {
                self.fault.get_or_insert((self.samples - 1, tensor, value));
                return;
            }
            low = low.min(value);
            high = high.max(value);
        }
        if let Some(ranges) = self.ranges.get_mut(tensor.index()) {
            ranges.push(Range::new(low, high));
        }
    }
}

/// What every sample's tensors of real numbers reach.
fn extremes(
    executor: &Executor<'_>,
    samples: &[Sample],
    done: Done<'_>,
) -> Result<Vec<Observed>, CalibrateError> {
    let graph = executor.graph();
    let first = graph.inputs().first().copied();
    let none = || Extremes { ranges: vec![Vec::new(); graph.tensors().len()], ..Extremes::default() };
    let parts = executor.fold_batch(samples, none, |extremes, tensor, values| {
        if Some(tensor) == first {
            extremes.samples += 1;
            done();
        }
        if graph[tensor].dtype == DType::F32 {
            extremes.see(tensor, values);
        }
    })?;
    let mut observed = vec![Observed::default(); graph.tensors().len()];
    let mut before = 0;
    for part in parts {
        if let Some((sample, tensor, value)) = part.fault {
            let tensor = graph[tensor].name.clone();
            return Err(CalibrateError::NotFinite { tensor, sample: before + sample, value });
        }
        before += part.samples;
        for (observed, ranges) in observed.iter_mut().zip(part.ranges) {
            observed.extremes.extend(ranges);
        }
    }
    Ok(observed)
}

/// Counts the values of all samples within the extremes found before.
fn count(
    executor: &Executor<'_>,
    samples: &[Sample],
    observed: &mut [Observed],
    done: Done<'_>,
) -> Result<(), CalibrateError> {
    let first = executor.graph().inputs().first().copied();
    for observed in observed.iter_mut().filter(|observed| !observed.extremes.is_empty()) {
        observed.histogram = Some(Histogram::new(min_max::range(observed)));
    }
    let empty: Vec<Option<Histogram>> = observed.iter().map(|observed| observed.histogram.clone()).collect();
    for samples in samples.chunks(SAMPLES_AT_ONCE) {
        let parts = executor.fold_batch(
            samples,
            || empty.clone(),
            |histograms, tensor, values| {
                if Some(tensor) == first {
                    done();
                }
                if let Some(Some(histogram)) = histograms.get_mut(tensor.index()) {
                    histogram.add(values);
                }
            },
        )?;
        for part in &parts {
            for (observed, part) in observed.iter_mut().zip(part) {
                if let (Some(sum), Some(part)) = (&mut observed.histogram, part) {
                    sum.merge(part);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
