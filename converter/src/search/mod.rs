//! Which widths suit a network: measured, layer by layer and in combination.
//!
//! | module | holds |
//! |---|---|
//! | [`meter`] | [`Meter`]: how near a quantized network is to its float original, run as a device runs it |
//! | [`sensitivity`] | every layer at every width, alone |
//! | [`smallest`](mod@smallest) | the smallest network within a given loss of accuracy |

pub mod meter;
pub mod sensitivity;
pub mod smallest;

use thiserror::Error;

pub use meter::{Measurement, Meter};
pub use sensitivity::{LayerSensitivity, Sensitivity, scan};
pub use smallest::{Smallest, Step, smallest};

use crate::accuracy::AccuracyError;
use crate::execute;
use crate::feed::FeedError;
use crate::float;
use crate::pipeline::ConvertError;
use crate::quantize::QuantizeError;

/// Why a network cannot be measured or searched.
#[derive(Debug, Error)]
pub enum SearchError {
    /// Nothing to measure with.
    #[error("no samples to measure with")]
    NoSamples,
    /// Samples and labels do not go together.
    #[error("{samples} samples have {labels} labels")]
    Labels {
        /// Number of samples.
        samples: usize,
        /// Number of labels.
        labels: usize,
    },
    /// A loss of accuracy can only be measured on labelled samples.
    #[error(
        "the samples have no labels: the loss of accuracy cannot be measured; give a data set with classes"
    )]
    NoLabels,
    /// Even int8 weights lose more than is allowed.
    #[error(
        "with int8 weights in all layers the model already loses {found:.2} points of accuracy, {allowed:.2} are allowed: \
         allow more, calibrate on more typical samples, or try another observer or equalization"
    )]
    OutOfReach {
        /// Points lost.
        found: f64,
        /// Points allowed.
        allowed: f64,
    },
    /// The float network cannot be run.
    #[error("the float model cannot be run")]
    Float(#[from] float::ExecuteError),
    /// A network cannot be quantized.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// A quantized network cannot be converted.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The samples do not fit the converted network.
    #[error("the samples do not fit the quantized model")]
    Feed(#[from] FeedError),
    /// The converted network cannot be run.
    #[error("the quantized model cannot be run")]
    Execute(#[from] execute::ExecuteError),
    /// The network is no classifier.
    #[error(transparent)]
    Accuracy(#[from] AccuracyError),
}

/// Where a search stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being measured.
    pub stage: Stage,
    /// Networks measured.
    pub done: usize,
    /// Networks to measure in all, at most.
    pub total: usize,
}

/// What is being measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Layers at one width each, the others int8.
    Scanning,
    /// Combinations.
    Combining,
}

/// Told of progress.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress);

#[cfg(test)]
mod tests;
