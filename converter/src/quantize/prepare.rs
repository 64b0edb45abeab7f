//! Everything about a network that does not depend on the widths of its weights.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::build::{Decisions, LayerParts, build};
use super::forms::{Form, forms};
use super::layers::{Choice, Layer, choose, layers};
use super::recipe::{Activations, Recipe};
use super::report::{LayerReport, Report, Warning};
use super::weights::{LayerWeights, quantize_weights};
use super::{OnProgress, Progress, QuantizeError, Stage, bias_correction, equalize, legalize};
use crate::calibrate::{self, Means, Ranges, Sample};
use crate::ir::check::check;
use crate::ir::{Float, Graph, NodeId, Quantized, Tensor, TensorId};

/// Fewest samples that call for no warning.
const ENOUGH_SAMPLES: usize = 10;

/// Largest bias in steps of the accumulator. A weight scale below what this asks for is raised: the layer's packings
/// then take the bias, and its weights are too small to show beside it.
const LARGEST_BIAS: f32 = (1 << 22) as f32;

/// A network that is calibrated and ready to be quantized, with any widths, any number of times.
#[derive(Clone, Debug)]
pub struct Prepared {
    graph: Graph<Float>,
    layers: Vec<Layer>,
    ranges: Ranges,
    means: Means,
    warnings: Vec<Warning>,
}

impl Prepared {
    /// Legalizes a normalized graph, evens it out if the recipe says so, and calibrates it. Without samples there are no
    /// ranges, which only dynamic layers can do without.
    ///
    /// # Errors
    /// As [`super::post_training`].
    pub fn new(
        mut graph: Graph<Float>,
        samples: &[Sample],
        recipe: &Recipe,
        progress: OnProgress<'_>,
    ) -> Result<Prepared, QuantizeError> {
        let mut warnings = legalize::legalize(&mut graph).map_err(QuantizeError::Graph)?;
        check(&graph).map_err(QuantizeError::Graph)?;
        // A mistake in the recipe is told before the long work.
        choose(&layers(&graph), recipe)?;
        if recipe.equalize {
            equalize::equalize(&mut graph);
        }
        let layers = layers(&graph);
        let mut prepared =
            Prepared { ranges: Ranges::new(), means: Means::new(), warnings: Vec::new(), layers, graph };
        if !samples.is_empty() {
            if samples.len() < ENOUGH_SAMPLES {
                warnings.push(Warning::FewSamples { samples: samples.len() });
            }
            prepared.observe(samples, recipe, progress)?;
            warnings.extend(prepared.zeros());
        }
        prepared.warnings = warnings;
        Ok(prepared)
    }

    fn observe(
        &mut self,
        samples: &[Sample],
        recipe: &Recipe,
        progress: OnProgress<'_>,
    ) -> Result<(), QuantizeError> {
        let count = AtomicUsize::new(0);
        let total = samples.len() * calibrate::passes(recipe.observer);
        self.ranges = calibrate::calibrate(&self.graph, samples, recipe.observer, &|| {
            let done = count.fetch_add(1, Ordering::Relaxed) + 1;
            progress(Progress { stage: Stage::Calibrating, done, total });
        })?;
        if recipe.bias_correction {
            let inputs: Vec<TensorId> =
                self.layers.iter().filter_map(|layer| self.graph[layer.node].input(0)).collect();
            let count = AtomicUsize::new(0);
            let total = samples.len();
            self.means = calibrate::means(&self.graph, samples, &inputs, &|| {
                let done = count.fetch_add(1, Ordering::Relaxed) + 1;
                progress(Progress { stage: Stage::Averaging, done, total });
            })?;
        }
        Ok(())
    }

    fn zeros(&self) -> impl Iterator<Item = Warning> + '_ {
        let is_zero = |id: &TensorId| self.ranges.get(*id).is_some_and(calibrate::Range::is_zero);
        self.graph
            .tensor_ids()
            .filter(is_zero)
            .map(|id| Warning::AlwaysZero { tensor: self.graph[id].name.clone() })
    }

    /// The graph that is quantized: legalized, evened out.
    pub fn graph(&self) -> &Graph<Float> {
        &self.graph
    }

    /// Its layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The ranges of its activations.
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }

    /// The quantized graph, with the weights that the recipe asks for rounded to nearest.
    ///
    /// What a recipe says about observers and equalization has been done by [`Self::new`].
    ///
    /// # Errors
    /// If the recipe does not fit the network, or the network cannot be executed in integers.
    pub fn quantize(&self, recipe: &Recipe) -> Result<(Graph<Quantized>, Report), QuantizeError> {
        let choices = choose(&self.layers, recipe)?;
        let weights = self.weights(&choices)?;
        self.finish(recipe, &choices, weights)
    }

    /// The integers of every layer's weights, rounded to nearest: one per element of [`Self::layers`].
    ///
    /// # Errors
    /// If a range is not known that is needed.
    pub fn weights(&self, choices: &[Choice]) -> Result<Vec<LayerWeights>, QuantizeError> {
        let forms = self.forms(choices)?;
        Ok(self
            .layers
            .iter()
            .zip(choices)
            .map(|(layer, choice)| self.layer_weights(layer, *choice, &forms))
            .collect())
    }

    /// The quantized graph with given weights, which must be as [`Self::weights`] gives them, but may be rounded
    /// otherwise. Biases are corrected for them, if the recipe says so.
    ///
    /// # Errors
    /// As [`Self::quantize`].
    pub fn finish(
        &self,
        recipe: &Recipe,
        choices: &[Choice],
        weights: Vec<LayerWeights>,
    ) -> Result<(Graph<Quantized>, Report), QuantizeError> {
        let forms = self.forms(choices)?;
        let mut report = Report { layers: Vec::new(), warnings: self.warnings.clone() };
        let mut parts = HashMap::new();
        for ((layer, choice), weights) in self.layers.iter().zip(choices).zip(weights) {
            report.layers.push(self.layer_report(layer, *choice, &weights));
            let mut bias = self.bias(layer);
            if recipe.bias_correction
                && let Some(means) = self.graph[layer.node].input(0).and_then(|input| self.means.get(&input))
            {
                let shift = bias_correction::mean_error(&self.graph, layer, means, &weights.dequantized())?;
                let old = bias.get_or_insert_with(|| vec![0.0; shift.len()]);
                old.iter_mut().zip(&shift).for_each(|(bias, shift)| *bias += shift);
            }
            let is_dynamic = choice.activations == Activations::Dynamic;
            parts.insert(layer.node, LayerParts { weights, bias, is_dynamic });
        }
        let decisions = Decisions { forms: &forms, layers: &parts, float_io: recipe.float_io };
        let mut graph = build(&self.graph, &decisions).map_err(QuantizeError::Graph)?;
        graph.compact();
        check(&graph).map_err(QuantizeError::Graph)?;
        Ok((graph, report))
    }

    /// The graph of real numbers whose layers have the weights that the integers stand for.
    pub fn with_weights(&self, weights: &BTreeMap<NodeId, LayerWeights>) -> Graph<Float> {
        let mut graph = self.graph.clone();
        for layer in self.layers.iter() {
            let Some(weights) = weights.get(&layer.node) else { continue };
            let name = graph[layer.filter].name.clone();
            let filter = Tensor::constant_f32(name, weights.shape.clone(), &weights.dequantized());
            let filter = graph.add_tensor(filter);
            graph.node_mut(layer.node).inputs[1] = Some(filter);
        }
        graph
    }

    fn forms(&self, choices: &[Choice]) -> Result<Vec<Form>, QuantizeError> {
        forms(&self.graph, &self.ranges, &self.layers, choices).map_err(QuantizeError::Graph)
    }

    /// The bias of a layer in real numbers.
    fn bias(&self, layer: &Layer) -> Option<Vec<f32>> {
        self.graph.input_of(&self.graph[layer.node], 2).and_then(Tensor::f32_values)
    }

    fn layer_weights(&self, layer: &Layer, choice: Choice, forms: &[Form]) -> LayerWeights {
        let filter = &self.graph[layer.filter];
        let input = self.graph[layer.node].input(0).and_then(|input| forms.get(input.index()));
        let least: Vec<f32> = match (input, self.bias(layer)) {
            (Some(Form::Int8(input)), Some(bias)) if choice.activations == Activations::Int8 => {
                bias.iter().map(|bias| bias.abs() / (input.scale * LARGEST_BIAS)).collect()
            }
            _ => Vec::new(),
        };
        let values = filter.f32_values().unwrap_or_default();
        quantize_weights(&values, &filter.shape, layer.axis, choice.weights, &least)
    }

    fn layer_report(&self, layer: &Layer, choice: Choice, weights: &LayerWeights) -> LayerReport {
        let output = self.graph[layer.node].output();
        LayerReport {
            name: layer.name.clone(),
            operator: layer.operator,
            weights: choice.weights.name(),
            activations: choice.activations.name(),
            range: output.and_then(|output| self.ranges.get(output)),
            weight_bytes: weights.packed_bytes(),
            weight_sqnr_db: weights.sqnr_db(&self.graph[layer.filter].f32_values().unwrap_or_default()),
        }
    }
}
