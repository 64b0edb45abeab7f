//! What quantization did.

use serde::Serialize;
use thiserror::Error;

use crate::calibrate::Range;

/// What was done to a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The layers in running order.
    pub layers: Vec<LayerReport>,
    /// What the user should know.
    pub warnings: Vec<Warning>,
}

impl Report {
    /// Bytes of all weights as they are packed.
    pub fn weight_bytes(&self) -> usize {
        self.layers.iter().map(|layer| layer.weight_bytes).sum()
    }
}

/// What was done to one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerReport {
    /// Its name, as recipes have it.
    pub name: String,
    /// Its operator.
    pub operator: &'static str,
    /// Width of its weights: `int4`.
    pub weights: &'static str,
    /// How its activations are quantized: `int8` or `dynamic`.
    pub activations: &'static str,
    /// The range of what it writes, as the observer saw it; null without calibration.
    pub range: Option<Range>,
    /// Bytes of its weights as they are packed.
    pub weight_bytes: usize,
    /// Signal-to-error ratio of its weights in decibels; null if they are exact.
    pub weight_sqnr_db: Option<f64>,
}

/// What may cost accuracy.
#[derive(Clone, Debug, PartialEq, Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// A tensor without any other value than 0.
    #[error("tensor '{tensor}' was 0 for every sample: a dead layer, or samples that are not typical")]
    AlwaysZero {
        /// The tensor.
        tensor: String,
    },
    /// A logarithm of rounded probabilities.
    #[error(
        "LogSoftmax '{node}' is computed as the logarithm of an 8-bit softmax: the order of the likely classes holds, \
         values of unlikely ones do not"
    )]
    LogSoftmax {
        /// The node.
        node: String,
    },
    /// Too few samples to trust.
    #[error("only {samples} calibration samples: ranges may be too small; a hundred or more are usual")]
    FewSamples {
        /// How many.
        samples: usize,
    },
}
