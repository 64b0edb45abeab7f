//! How near a quantized network is to its float original.

use secateur::{Model, kernels};
use serde::Serialize;

use super::SearchError;
use crate::accuracy::predictions;
use crate::execute;
use crate::facts::Facts;
use crate::feed::{Feed, Given, Pixels, feed};
use crate::float::{Executor, Sample};
use crate::io::input::Input;
use crate::io::{Array, Elements};
use crate::ir::{Float, Graph, Quantized};
use crate::layer_error::real_outputs;
use crate::pipeline::{Options, convert_graph};
use crate::port;

/// Greatest signal-to-error ratio that is told apart, in decibels.
const MOST_DB: f64 = 100.0;

/// A float network's results on samples, against which quantized ones are measured.
///
/// Every quantized network is converted, and run by the kernels that run on devices.
#[derive(Clone, Debug)]
pub struct Meter<'a> {
    samples: Vec<&'a Sample>,
    /// The class of each sample, if classes are known.
    labels: Option<Vec<usize>>,
    /// The float outputs of each sample.
    outputs: Vec<Vec<Vec<f32>>>,
    options: Options,
}

/// How near a quantized network comes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measurement {
    /// Share of samples whose class is found, 0 to 1; null without labels.
    pub accuracy: Option<f64>,
    /// Points of accuracy below the float network, in percent of all samples; negative above. Null without labels.
    pub drop: Option<f64>,
    /// Signal-to-error ratio of the outputs in decibels, the mean over samples; at most 100.
    pub sqnr_db: f64,
}

impl<'a> Meter<'a> {
    /// Runs the float network on samples, with the class of each if they are known.
    ///
    /// # Errors
    /// If there are no samples, or they do not fit the network or the labels.
    pub fn new(
        graph: &Graph<Float>,
        samples: &'a [Sample],
        labels: Option<&[usize]>,
        options: Options,
        done: impl Fn() + Sync,
    ) -> Result<Self, SearchError> {
        if samples.is_empty() {
            return Err(SearchError::NoSamples);
        }
        if let Some(labels) = labels.filter(|labels| labels.len() != samples.len()) {
            return Err(SearchError::Labels { samples: samples.len(), labels: labels.len() });
        }
        let outputs = Executor::new(graph)?.run_batch(samples, done)?;
        Ok(Self {
            samples: samples.iter().collect(),
            labels: labels.map(<[usize]>::to_vec),
            outputs,
            options,
        })
    }

    /// The meter on `count` samples from all over, or on all there are.
    pub fn subset(&self, count: usize) -> Self {
        let count = count.clamp(1, self.samples.len());
        let indices: Vec<usize> = (0..count).map(|index| index * self.samples.len() / count).collect();
        let pick = |labels: &Vec<usize>| indices.iter().map(|&index| labels[index]).collect();
        Self {
            samples: indices.iter().map(|&index| self.samples[index]).collect(),
            labels: self.labels.as_ref().map(pick),
            outputs: indices.iter().map(|&index| self.outputs[index].clone()).collect(),
            options: self.options.clone(),
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Whether the classes of the samples are known.
    pub fn has_labels(&self) -> bool {
        self.labels.is_some()
    }

    /// Share of samples whose class the float network finds, 0 to 1; `None` without labels.
    pub fn float_accuracy(&self) -> Option<f64> {
        let classes = self.outputs.iter().map(|outputs| class(outputs.first().map_or(&[], Vec::as_slice)));
        Some(share(classes, self.labels.as_ref()?))
    }

    /// Converts a quantized network, runs it on the samples and compares.
    ///
    /// # Errors
    /// If it cannot be converted or run, or its first output does not tell classes although there are labels.
    pub fn measure(&self, graph: Graph<Quantized>) -> Result<Measurement, SearchError> {
        let file = convert_graph(graph, &self.options)?.file;
        let model = Model::load(file.bytes(), &kernels::ALL).map_err(crate::pipeline::ConvertError::from)?;
        let facts = Facts::of(model.tables());
        let bytes = execute::run_batch(&model, &self.inputs(&model, &facts)?, || ())?;
        let ports = port::outputs(&model, &facts);
        let accuracy = match &self.labels {
            Some(labels) => {
                let columns = port::columns(&ports, &bytes);
                let (port, column) = (ports.first(), columns.first());
                let (Some(port), Some(column)) = (port, column) else { return Err(SearchError::NoSamples) };
                Some(share(predictions(port, column)?.into_iter(), labels))
            }
            None => None,
        };
        let drop = accuracy.zip(self.float_accuracy()).map(|(found, float)| 100.0 * (float - found));
        Ok(Measurement { accuracy, drop, sqnr_db: self.sqnr_db(&real_outputs(&ports, &bytes)) })
    }

    /// The samples as the model takes them.
    fn inputs(&self, model: &Model<'_>, facts: &Facts) -> Result<Vec<u8>, SearchError> {
        let inputs = port::inputs(model, facts);
        let given = |(index, port): (usize, &port::Port)| {
            let values =
                self.samples.iter().flat_map(|sample| sample.get(index).into_iter().flatten().copied());
            let own = port.shape.iter().map(|&dimension| dimension as usize);
            let shape = std::iter::once(self.samples.len()).chain(own).collect();
            let input = Input::Array(Array { shape, elements: Elements::F32(values.collect()) });
            Given { name: None, origin: "samples".to_owned(), input }
        };
        let Feed { bytes, .. } =
            feed(&inputs, inputs.iter().enumerate().map(given).collect(), &Pixels::default())?;
        Ok(bytes)
    }

    /// `found` has the values of each output over all samples.
    fn sqnr_db(&self, found: &[Vec<f64>]) -> f64 {
        let ratio = |(sample, outputs): (usize, &Vec<Vec<f32>>)| {
            let (mut signal, mut error) = (0.0, 0.0);
            for (expected, found) in outputs.iter().zip(found) {
                let found = found.iter().skip(sample * expected.len());
                for (&expected, found) in expected.iter().zip(found) {
                    signal += f64::from(expected).powi(2);
                    error += (f64::from(expected) - found).powi(2);
                }
            }
            if error > 0.0 { (10.0 * (signal / error).log10()).clamp(-MOST_DB, MOST_DB) } else { MOST_DB }
        };
        self.outputs.iter().enumerate().map(ratio).sum::<f64>() / self.outputs.len() as f64
    }
}

/// The greatest score, the first of equals; a single number is the class itself.
fn class(scores: &[f32]) -> usize {
    match scores {
        [class] => *class as usize,
        scores => (0..scores.len()).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap_or(0),
    }
}

fn share(classes: impl Iterator<Item = usize>, labels: &[usize]) -> f64 {
    classes.zip(labels).filter(|(class, label)| class == *label).count() as f64 / labels.len().max(1) as f64
}
