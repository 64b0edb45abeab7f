//! Post-training quantization: from a network of real numbers to integers, without training.
//!
//! ```text
//! Graph<Float>  -> legalize: what int8 has no kernel for, in terms of what it has
//!               -> equalize (if asked for)
//!               -> calibrate on samples
//!               -> a form for every activation, integers for every weight, corrected biases
//!               -> Graph<Quantized>
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`recipe`] | [`Recipe`]: what the user asks for |
//! | [`layers`] | the layers, and what the recipe says about each |
//! | [`from_qdq`] | models whose file says how they are quantized |
//! | [`legalize`] | rewrites into operators that exist in int8 |
//! | [`equalize`] | channels evened out between layers |
//! | [`prepare`] | [`Prepared`]: everything that does not depend on widths, to quantize from again and again |
//! | [`weights`] | [`LayerWeights`]: integers with a scale per channel |
//! | [`bias_correction`] | biases that make up for rounded weights |
//! | [`adaptive_rounding`] | integers for the least error of a layer's output |
//! | `forms` | which tensors share a scale, and which |
//! | [`affine`] | from ranges to scales |
//! | `build` | the quantized graph |
//! | [`report`] | what was done |

pub mod adaptive_rounding;
pub mod affine;
pub mod bias_correction;
pub mod equalize;
pub mod from_qdq;
pub mod layers;
pub mod legalize;
pub mod prepare;
pub mod recipe;
pub mod report;
pub mod weights;

mod build;
mod forms;

use thiserror::Error;

use crate::calibrate::{CalibrateError, Sample};
use crate::ir::{Float, Graph, Problem, Quantized};

pub use prepare::Prepared;
pub use recipe::{Activations, LayerRecipe, Recipe, Width};
pub use report::{LayerReport, Report, Warning};
pub use weights::LayerWeights;

/// Why a network cannot be quantized.
#[derive(Debug, Error)]
pub enum QuantizeError {
    /// Calibration failed.
    #[error("calibration failed")]
    Calibrate(#[from] CalibrateError),
    /// A recipe names a layer that the network does not have.
    #[error("the recipe names '{name}', which fits no layer of the model; its layers are {}", .layers.join(", "))]
    UnknownLayer {
        /// The name or pattern.
        name: String,
        /// The layers' names.
        layers: Vec<String>,
    },
    /// A recipe asks for what the runtime has no kernel for.
    #[error("the recipe asks for {what} in layer '{layer}': there is no such kernel for {operator}")]
    NoKernel {
        /// The layer.
        layer: String,
        /// Its operator.
        operator: &'static str,
        /// What was asked for.
        what: &'static str,
    },
    /// A recipe asks for other weights than a layer has in the source model.
    #[error(
        "the weights of layer '{layer}' are int8 in the source model already: leave the layer out of the recipe"
    )]
    Given {
        /// The layer.
        layer: String,
    },
    /// Nodes and tensors that cannot be quantized, all of them.
    #[error("the model cannot be quantized:{}", lines(.0))]
    Graph(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

/// Where long work stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub stage: Stage,
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub total: usize,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Samples run to observe ranges.
    Calibrating,
    /// Samples run for the means that biases are corrected by.
    Averaging,
    /// Layers whose weights are rounded for the least error of what they compute.
    Rounding,
}

/// Told of progress, from any thread.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Sync);

/// Quantizes a network as a recipe says. `graph` is normalized: batch norms folded, activations fused where that is
/// possible. `samples` may be empty if every layer has dynamic activations.
///
/// # Errors
/// What keeps the network from being quantized; see [`QuantizeError`].
pub fn post_training(
    graph: Graph<Float>,
    samples: &[Sample],
    recipe: &Recipe,
    progress: OnProgress<'_>,
) -> Result<(Graph<Quantized>, Report), QuantizeError> {
    Prepared::new(graph, samples, recipe, progress)?.quantize(recipe, progress)
}

#[cfg(test)]
mod tests;
