//! What each layer's width costs and saves, alone.

use serde::Serialize;

use super::meter::{Measurement, Meter};
use super::{OnProgress, Progress, SearchError, Stage};
use crate::ir::{Graph, Quantized};
use crate::quantize::layers::Layer;
use crate::quantize::{Prepared, Recipe, Report, Width};

/// Every layer at every width narrower than int8 that it has kernels for, the others int8.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensitivity {
    /// Number of samples measured on.
    pub samples: usize,
    /// Accuracy of the float network, 0 to 1; null without labels.
    pub float_accuracy: Option<f64>,
    /// All layers int8.
    pub int8: Measurement,
    /// Bytes of weights with all layers int8.
    pub int8_bytes: usize,
    /// The layers in running order, the widest width first.
    pub layers: Vec<LayerSensitivity>,
}

/// One layer at one width.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSensitivity {
    /// Name of the layer, as recipes have it.
    pub layer: String,
    /// Its operator.
    pub operator: &'static str,
    /// The width of its weights.
    pub weights: Width,
    /// Bytes that it saves against int8.
    pub bytes_saved: usize,
    /// The network with this layer at this width.
    pub measurement: Measurement,
}

/// The recipe with int8 weights in every layer, whatever it says about weights.
pub(super) fn all_int8(recipe: &Recipe) -> Recipe {
    let mut recipe = Recipe { weights: Width::Int8, keep: Vec::new(), ..recipe.clone() };
    recipe.layer.values_mut().for_each(|layer| layer.weights = None);
    recipe
}

/// Sets the width of one layer.
pub(super) fn set_width(recipe: &mut Recipe, layer: &str, width: Width) {
    recipe.layer.entry(layer.to_owned()).or_default().weights = Some(width);
}

/// Widths narrower than int8 that a layer has kernels for, the widest first.
pub(super) fn narrow_widths(layer: &Layer) -> impl Iterator<Item = Width> + '_ {
    Width::ALL.into_iter().rev().filter(|&width| width != Width::Int8 && layer.supports(width))
}

/// Measures every layer at every width, as `recipe` says about everything but weights.
///
/// # Errors
/// If the network cannot be quantized or measured.
pub fn scan(
    prepared: &Prepared<'_>,
    recipe: &Recipe,
    meter: &Meter<'_>,
    progress: OnProgress<'_>,
) -> Result<Sensitivity, SearchError> {
    let base = all_int8(recipe);
    let widths = |layer| narrow_widths(layer).map(move |width| (layer, width));
    let trials: Vec<(&Layer, Width)> = prepared.layers().iter().flat_map(widths).collect();
    let mut done = 0;
    let mut measure = |recipe: &Recipe| {
        let (graph, report): (Graph<Quantized>, Report) = prepared.quantize(recipe, &|_| ())?;
        let measurement = meter.measure(graph)?;
        done += 1;
        progress(Progress { stage: Stage::Scanning, done, total: trials.len() + 1 });
        Ok::<_, SearchError>((measurement, report.weight_bytes()))
    };
    let (int8, int8_bytes) = measure(&base)?;
    let mut layers = Vec::new();
    for &(layer, weights) in &trials {
        let mut recipe = base.clone();
        set_width(&mut recipe, &layer.name, weights);
        let (measurement, bytes) = measure(&recipe)?;
        let bytes_saved = int8_bytes.saturating_sub(bytes);
        let (layer, operator) = (layer.name.clone(), layer.operator);
        layers.push(LayerSensitivity { layer, operator, weights, bytes_saved, measurement });
    }
    Ok(Sensitivity {
        samples: meter.samples(),
        float_accuracy: meter.float_accuracy(),
        int8,
        int8_bytes,
        layers,
    })
}
