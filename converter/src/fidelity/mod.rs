//! How faithful a converted model is to the network of real numbers that it was made from, layer by layer, and why not.
//!
//! | module | holds |
//! |---|---|
//! | [`cause`] | [`Cause`]: what the error of a layer most likely comes from |
//! | `matching` | which tensors of model and network are the same |
//! | `measure` | sums over all samples from which errors are made |
//!
//! Tensors are matched by name. A layer has two errors. The *total* one is what the model writes against what the network
//! writes, both given the same sample: whatever went wrong before counts. The layer's *own* error is what its kernel
//! writes when its inputs are right (the network's, rounded to the model's integers), against what the network computes
//! from the same rounded inputs.

pub mod cause;
mod matching;
mod measure;

use rayon::prelude::*;
use secateur::Model;
use serde::Serialize;
use thiserror::Error;

pub use cause::Cause;

use self::cause::Weights;
use self::matching::{Layer, Matching};
use self::measure::Sums;
use crate::execute;
use crate::float::{self, Executor, Sample, Threads};
use crate::ir::{Float, Graph};

/// How far one layer of a model is from the network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerFidelity {
    /// The name of the tensor that the layer writes.
    pub name: String,
    /// The node's position in the model's order of execution.
    pub node: u16,
    /// Operator that writes the tensor.
    pub operator: &'static str,
    /// Number of elements compared.
    pub elements: usize,
    /// Signal-to-error ratio in decibels; null where there is no error, or no signal.
    pub sqnr_db: Option<f64>,
    /// Cosine of the angle between what both write; null where one of them is all zero.
    pub cosine: Option<f64>,
    /// The largest difference.
    pub max_abs_error: f64,
    /// Signal-to-error ratio of the layer's own error; null where there is none, or it cannot be measured.
    pub own_sqnr_db: Option<f64>,
    /// Share of the network's values that the model's type and scale cannot hold, from 0 to 1.
    pub clipped_share: f64,
    /// What the error most likely comes from.
    pub cause: Cause,
}

/// A model compared with the network that it was made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Samples that were run.
    pub samples: usize,
    /// The layers that both have, the worst first.
    pub layers: Vec<LayerFidelity>,
    /// The outputs, by position.
    pub outputs: Vec<LayerFidelity>,
    /// Tensors that nodes of the network write and the model does not have.
    pub only_in_network: Vec<String>,
    /// Tensors that the model writes and the network does not have.
    pub only_in_model: Vec<String>,
}

/// Why a model cannot be compared.
#[derive(Debug, Error)]
pub enum FidelityError {
    /// The network cannot be run.
    #[error(transparent)]
    Network(#[from] float::ExecuteError),
    /// The model cannot be run.
    #[error(transparent)]
    Model(#[from] execute::ExecuteError),
    /// Inputs or outputs of both differ in number or size.
    #[error(
        "{list} {index} has {network} elements in the network, but {model} in the model: not the same network"
    )]
    Port {
        /// `input` or `output`.
        list: &'static str,
        /// Position.
        index: usize,
        /// Elements in the network; 0 if it has fewer.
        network: usize,
        /// Elements in the model; 0 if it has fewer.
        model: usize,
    },
}

/// Runs both on the same samples, real numbers in the network's form, and compares what they write. `done` is called
/// after each sample, from any thread.
///
/// The network should be as quantization took it: names of tensors that passes removed are not found again.
///
/// # Errors
/// If one of them cannot be run, or they do not have the same inputs and outputs.
pub fn compare(
    network: &Graph<Float>,
    model: &Model<'_>,
    samples: &[Sample],
    done: impl Fn() + Sync,
) -> Result<Report, FidelityError> {
    let executor = Executor::new(network)?;
    let matching = Matching::new(&executor, model)?;
    let sums: Vec<Vec<Measured>> = samples
        .par_iter()
        .map(|sample| {
            let measured = measure(&executor, model, &matching, sample);
            done();
            measured
        })
        .collect::<Result<_, _>>()?;
    let mut totals = vec![Measured::default(); matching.layers.len() + matching.outputs.len()];
    for sample in &sums {
        totals.iter_mut().zip(sample).for_each(|(total, measured)| total.add(measured));
    }
    let (layers, outputs) = totals.split_at(matching.layers.len());
    let report = |(layer, measured)| describe(network, layer, measured);
    let mut layers: Vec<LayerFidelity> = matching.layers.iter().zip(layers).map(report).collect();
    // An output is wrong for the reason why the layer that writes it is.
    let output = |(output, measured): (&Layer, &Measured)| {
        let writer = matching.layers.iter().position(|layer| layer.tensor == output.tensor);
        let writer = writer.map(|position| &layers[position]);
        let cause = writer.map_or(Cause::Unknown, |layer| layer.cause.clone());
        let own_sqnr_db = writer.and_then(|layer| layer.own_sqnr_db);
        LayerFidelity { own_sqnr_db, cause, ..describe(network, output, measured) }
    };
    let outputs = matching.outputs.iter().zip(outputs).map(output).collect();
    layers.sort_by(|left, right| quality(left).total_cmp(&quality(right)));
    Ok(Report {
        samples: samples.len(),
        layers,
        outputs,
        only_in_network: matching.only_in_network,
        only_in_model: matching.only_in_model,
    })
}

/// The errors of one layer.
#[derive(Clone, Copy, Debug, Default)]
struct Measured {
    total: Sums,
    own: Option<Sums>,
}

impl Measured {
    fn add(&mut self, other: &Self) {
        self.total.add(&other.total);
        if let Some(own) = &other.own {
            self.own.get_or_insert_default().add(own);
        }
    }
}

/// Layers of a low one come first: the ratio, where the absence of any error is the best.
fn quality(layer: &LayerFidelity) -> f64 {
    match layer.sqnr_db {
        Some(ratio) => ratio,
        None if layer.max_abs_error == 0.0 => f64::INFINITY,
        None => f64::NEG_INFINITY,
    }
}

/// The errors of every layer, then of every output, for one sample.
fn measure(
    executor: &Executor<'_>,
    model: &Model<'_>,
    matching: &Matching,
    sample: &Sample,
) -> Result<Vec<Measured>, FidelityError> {
    let mut truth = matching.truth();
    let outputs = executor.run_on(Threads::One, sample, |tensor, values| truth.keep(tensor, values))?;
    let bytes: Vec<u8> =
        matching.inputs.iter().zip(sample).flat_map(|(port, values)| port.encode_real(values)).collect();
    let dumped = execute::run_dumping(model, &bytes)?;
    let mut arena = execute::Arena::new(model);
    let mut measured = Vec::new();
    for layer in &matching.layers {
        let found = dumped.get(layer.position).map(|dump| layer.port.real_values(&dump.bytes));
        let expected = truth.get(layer.tensor);
        let total = Sums::of(expected, &found.unwrap_or_default(), &layer.port);
        let own = match &layer.alone {
            Some(alone) => Some(alone.error(executor, model, &truth, &layer.port, &mut arena)?),
            None => None,
        };
        measured.push(Measured { total, own });
    }
    let vector = execute::run_batch(model, &bytes, || ())?;
    let mut rest = vector.as_slice();
    for (output, expected) in matching.outputs.iter().zip(&outputs) {
        let (own, after) = rest.split_at_checked(output.port.bytes).unwrap_or((rest, &[]));
        rest = after;
        let total = Sums::of(expected, &output.port.real_values(own), &output.port);
        measured.push(Measured { total, own: None });
    }
    Ok(measured)
}

fn describe(network: &Graph<Float>, layer: &Layer, measured: &Measured) -> LayerFidelity {
    let Measured { total, own } = measured;
    let weights = layer.weight_format.map(|format| Weights::of(network, layer.tensor, format));
    LayerFidelity {
        name: layer.port.name.clone(),
        node: layer.node,
        operator: layer.operator,
        elements: total.elements,
        sqnr_db: total.sqnr_db(),
        cosine: total.cosine(),
        max_abs_error: total.max,
        own_sqnr_db: own.and_then(|own| own.sqnr_db()),
        clipped_share: total.clipped_share(),
        cause: Cause::of(total, own.as_ref(), &layer.port, weights),
    }
}

#[cfg(test)]
mod tests;
