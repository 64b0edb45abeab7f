//! Everything about a network that does not depend on the widths of its weights.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::adaptive_rounding::{Rounded, Task, round_layers};
use super::build::{Decisions, LayerParts, build};
use super::forms::{Form, forms};
use super::layers::{Choice, Layer, choose, layers};
use super::recipe::{Activations, Recipe};
use super::report::{LayerReport, Report, Warning};
use super::weights::{LayerWeights, quantize_weights};
use super::{OnProgress, Progress, QuantizeError, Stage, bias_correction, equalize, legalize};
use crate::calibrate::{self, Means, Ranges, Sample};
use crate::ir::check::check;
use crate::ir::{Float, Graph, Quantized, Tensor, TensorId};

/// Fewest samples that call for no warning.
const ENOUGH_SAMPLES: usize = 10;

/// Largest bias in steps of the accumulator. A weight scale below what this asks for is raised: the layer's packings
/// then take the bias, and its weights are too small to show beside it.
const LARGEST_BIAS: f32 = (1 << 22) as f32;

/// A network that is calibrated and ready to be quantized, with any widths, any number of times.
#[derive(Clone, Debug)]
pub struct Prepared<'s> {
    graph: Graph<Float>,
    samples: &'s [Sample],
    layers: Vec<Layer>,
    ranges: Ranges,
    means: Means,
    warnings: Vec<Warning>,
}

/// Brings a normalized network into the form whose numbers are quantized: legalized, and evened out if that is wanted.
///
/// A converted model's tensors are those of this network.
///
/// # Errors
/// Nodes that cannot be quantized.
pub fn shape(graph: &mut Graph<Float>, even_out: bool) -> Result<Vec<Warning>, QuantizeError> {
    let warnings = legalize::legalize(graph).map_err(QuantizeError::Graph)?;
    check(graph).map_err(QuantizeError::Graph)?;
    if even_out {
        equalize::equalize(graph);
    }
    Ok(warnings)
}

impl<'s> Prepared<'s> {
    /// Legalizes a normalized graph, evens it out if the recipe says so, and calibrates it. Without samples there are no
    /// ranges, which only dynamic layers can do without.
    ///
    /// # Errors
    /// As [`super::post_training`].
    pub fn new(
        mut graph: Graph<Float>,
        samples: &'s [Sample],
        recipe: &Recipe,
        progress: OnProgress<'_>,
    ) -> Result<Self, QuantizeError> {
        let mut warnings = shape(&mut graph, recipe.equalize)?;
        // A mistake in the recipe is told before the long work.
        choose(&layers(&graph), recipe)?;
        let layers = layers(&graph);
        let mut prepared = Prepared {
            ranges: Ranges::new(),
            means: Means::new(),
            warnings: Vec::new(),
            layers,
            samples,
            graph,
        };
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

    /// The quantized graph.
    ///
    /// What a recipe says about observers and equalization has been done by [`Self::new`].
    ///
    /// # Errors
    /// If the recipe does not fit the network, or the network cannot be executed in integers.
    pub fn quantize(
        &self,
        recipe: &Recipe,
        progress: OnProgress<'_>,
    ) -> Result<(Graph<Quantized>, Report), QuantizeError> {
        let choices = self.choices(recipe)?;
        let layers = if recipe.adaptive_rounding && !self.samples.is_empty() {
            self.adaptive(recipe, &choices, progress)?
        } else {
            self.nearest(recipe, &choices)?
        };
        self.finish(recipe, &choices, layers)
    }

    /// How every layer is quantized: one per element of [`Self::layers`].
    ///
    /// # Errors
    /// If the recipe does not fit the network.
    pub fn choices(&self, recipe: &Recipe) -> Result<Vec<Choice>, QuantizeError> {
        choose(&self.layers, recipe)
    }

    /// Every layer's weights rounded one by one, and its bias, which makes up for the mean error if the recipe says so:
    /// one per element of [`Self::layers`].
    ///
    /// # Errors
    /// If a range is not known that is needed, or a layer cannot be run.
    pub fn nearest(&self, recipe: &Recipe, choices: &[Choice]) -> Result<Vec<Rounded>, QuantizeError> {
        let forms = self.forms(choices)?;
        let rounded = |(layer, choice): (&Layer, &Choice)| {
            let weights = self.layer_weights(layer, *choice, &self.least_scales(layer, *choice, &forms));
            let mut bias = self.bias(layer);
            if recipe.bias_correction
                && let Some(means) = self.graph[layer.node].input(0).and_then(|input| self.means.get(&input))
            {
                let shift = bias_correction::mean_error(&self.graph, layer, means, &weights.dequantized())?;
                let old = bias.get_or_insert_with(|| vec![0.0; shift.len()]);
                old.iter_mut().zip(&shift).for_each(|(bias, shift)| *bias += shift);
            }
            Ok(Rounded { weights, bias })
        };
        self.layers.iter().zip(choices).map(rounded).collect()
    }

    /// As [`Self::nearest`], but weights of few bits are rounded for the least error of what their layer computes.
    ///
    /// # Errors
    /// If a range is not known that is needed, or the network cannot be run.
    pub fn adaptive(
        &self,
        recipe: &Recipe,
        choices: &[Choice],
        progress: OnProgress<'_>,
    ) -> Result<Vec<Rounded>, QuantizeError> {
        let forms = self.forms(choices)?;
        let task = |(layer, choice): (&'_ Layer, &Choice)| {
            let least = self.least_scales(layer, *choice, &forms);
            let nearest = self.layer_weights(layer, *choice, &least);
            let has_free_bias = recipe.bias_correction;
            Task { layer: layer.clone(), bias: self.bias(layer), nearest, least, has_free_bias }
        };
        let tasks = self.layers.iter().zip(choices).map(task).collect();
        let (mut done, total) = (0, self.layers.len());
        let rounded = round_layers(&self.graph, &forms, tasks, self.samples, || {
            done += 1;
            progress(Progress { stage: Stage::Rounding, done, total });
        })?;
        Ok(rounded)
    }

    /// The quantized graph of layers that [`Self::nearest`] or [`Self::adaptive`] has given for the same choices.
    ///
    /// # Errors
    /// If the network cannot be executed in integers.
    pub fn finish(
        &self,
        recipe: &Recipe,
        choices: &[Choice],
        layers: Vec<Rounded>,
    ) -> Result<(Graph<Quantized>, Report), QuantizeError> {
        let forms = self.forms(choices)?;
        let mut report = Report { layers: Vec::new(), warnings: self.warnings.clone() };
        let mut parts = HashMap::new();
        for ((layer, choice), Rounded { weights, bias }) in self.layers.iter().zip(choices).zip(layers) {
            report.layers.push(self.layer_report(layer, *choice, &weights));
            let is_dynamic = choice.activations == Activations::Dynamic;
            parts.insert(layer.node, LayerParts { weights, bias, is_dynamic });
        }
        let decisions = Decisions { forms: &forms, layers: &parts, float_io: recipe.float_io };
        let mut graph = build(&self.graph, &decisions).map_err(QuantizeError::Graph)?;
        graph.compact();
        check(&graph).map_err(QuantizeError::Graph)?;
        Ok((graph, report))
    }

    fn forms(&self, choices: &[Choice]) -> Result<Vec<Form>, QuantizeError> {
        forms(&self.graph, &self.ranges, &self.layers, choices).map_err(QuantizeError::Graph)
    }

    /// The bias of a layer in real numbers.
    fn bias(&self, layer: &Layer) -> Option<Vec<f32>> {
        self.graph.input_of(&self.graph[layer.node], 2).and_then(Tensor::f32_values)
    }

    /// The least scale of each channel's weights at which the accumulator holds its bias; empty if there is no such bound.
    fn least_scales(&self, layer: &Layer, choice: Choice, forms: &[Form]) -> Vec<f32> {
        let input = self.graph[layer.node].input(0).and_then(|input| forms.get(input.index()));
        match (input, self.bias(layer)) {
            (Some(Form::Int8(input)), Some(bias)) if choice.activations == Activations::Int8 => {
                bias.iter().map(|bias| bias.abs() / (input.scale * LARGEST_BIAS)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn layer_weights(&self, layer: &Layer, choice: Choice, least: &[f32]) -> LayerWeights {
        let filter = &self.graph[layer.filter];
        if layer.is_given {
            return LayerWeights::given(filter, layer.axis);
        }
        quantize_weights(&layer.real_weights(&self.graph), &filter.shape, layer.axis, choice.weights, least)
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
            weight_sqnr_db: weights.sqnr_db(&layer.real_weights(&self.graph)),
        }
    }
}
