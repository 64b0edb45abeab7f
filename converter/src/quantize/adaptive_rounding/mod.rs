//! Rounding of weights for the least error of what a layer computes, not of each weight.
//!
//! Layers are taken in running order. The network is run on samples twice, side by side: in real numbers, and with
//! activations and the weights of all layers so far rounded as they will be. A layer sees `x` in the first run and `y`
//! in the second; its rows `w` of real weights are to become integers `q` at a scale `s` such that the mean square of
//! `w x - s q y` is small. With the second moments `H = E[y yᵀ]` and `C = E[x yᵀ]` that is, apart from a constant,
//!
//! ```text
//! (t - s q) H (t - s q)      where t H = w C
//! ```
//!
//! so that the integers have to be near `t` in the metric `H`, whose entries beside the diagonal tell how well the
//! error of one weight can be made up for by others. `t` also makes up for what the layers before have lost. Where a bias
//! is free to take the mean error, moments are taken about the means. `H` and `C` get a little of the unit matrix each,
//! since samples are few.
//!
//! To find integers, `H` is factored as `L Lᵀ`. The error is then a sum of squares of which the last one depends on the
//! last integer only, the one before on the last two, and so on: rounding from the last to the first, each to the best
//! value given those already chosen, is Babai's nearest plane method (L. Babai, "On Lovász' lattice reduction and the
//! nearest lattice point problem", Combinatorica 1986). Optimal Brain Quantization and GPTQ reach the same integers in
//! other ways (E. Frantar, D. Alistarh, "Optimal Brain Compression", 2022; E. Frantar et al., "GPTQ", 2022). That is
//! tried with several scales; from the best of these, and from the weights rounded one by one, integers are changed one
//! step at a time while the error falls, the scale being the one of least squares after each.
//!
//! | module | holds |
//! |---|---|
//! | `replay` | the two runs |
//! | [`windows`] | what the rows of a layer are multiplied with |
//! | [`moments`] | `H`, `C` |
//! | [`metric`] | `H` and its factor |
//! | [`row`] | integers for one row |
//!
//! Results do not depend on the number of threads.

pub mod metric;
pub mod moments;
pub mod row;
pub mod windows;

mod replay;

use rayon::prelude::*;

use super::forms::Form;
use super::layers::{Layer, channel_step};
use super::weights::LayerWeights;
use super::{Width, bias_correction};
use crate::calibrate::{CalibrateError, Sample};
use crate::ir::{Float, Graph};
use moments::Moments;
use replay::Replay;
use row::{Row, Target};
use windows::Windows;

/// Most weights of a row that are rounded together; larger rows are rounded to nearest.
const MOST_TAPS: usize = 4096;

/// Most bytes of samples that are held.
const MOST_BYTES: usize = 512 << 20;

/// A layer whose weights are to be rounded.
#[derive(Clone, Debug)]
pub(super) struct Task {
    /// The layer.
    pub(super) layer: Layer,
    /// Its weights rounded to nearest.
    pub(super) nearest: LayerWeights,
    /// Its bias in real numbers.
    pub(super) bias: Option<Vec<f32>>,
    /// Least scale of each channel; may be empty.
    pub(super) least: Vec<f32>,
    /// Whether its bias may take the mean error.
    pub(super) has_free_bias: bool,
}

/// A layer whose weights are rounded.
#[derive(Clone, Debug, PartialEq)]
pub struct Rounded {
    /// The weights.
    pub weights: LayerWeights,
    /// The bias that goes with them in real numbers; nothing if it would be 0.
    pub bias: Option<Vec<f32>>,
}

/// Rounds the weights of a network's layers, given in running order. `done` is called after each.
///
/// # Errors
/// If the network cannot be run on the samples.
pub(super) fn round_layers(
    graph: &Graph<Float>,
    forms: &[Form],
    tasks: Vec<Task>,
    samples: &[Sample],
    mut done: impl FnMut(),
) -> Result<Vec<Rounded>, CalibrateError> {
    let samples = spread(samples, MOST_BYTES / (2 * Replay::peak_bytes(graph)).max(1));
    let mut float = Replay::new(graph, &[], &samples);
    let mut quantized = Replay::new(graph, forms, &samples);
    let mut rounded = Vec::new();
    for task in tasks {
        float.run_until(task.layer.node)?;
        quantized.run_until(task.layer.node)?;
        let weights = round_weights(graph, &task, &float, &quantized);
        let filter = weights.dequantized();
        let mut bias = task.bias;
        if let Some(input) = graph[task.layer.node].input(0).filter(|_| task.has_free_bias) {
            let real = task.layer.real_weights(graph);
            let wanted = bias_correction::mean_sums(graph, &task.layer, &float.mean(input), &real)?;
            let found = bias_correction::mean_sums(graph, &task.layer, &quantized.mean(input), &filter)?;
            let bias = bias.get_or_insert_with(|| vec![0.0; wanted.len()]);
            bias.iter_mut()
                .zip(wanted.iter().zip(&found))
                .for_each(|(bias, (wanted, found))| *bias += wanted - found);
        }
        quantized.set_layer(task.layer.node, &filter, bias.as_deref());
        rounded.push(Rounded { weights, bias });
        done();
    }
    Ok(rounded)
}

/// At most so many samples, from all over.
fn spread(samples: &[Sample], most: usize) -> Vec<Sample> {
    let count = samples.len().min(most.max(1));
    (0..count).filter_map(|index| samples.get(index * samples.len() / count).cloned()).collect()
}

/// The weights of one layer.
fn round_weights(
    graph: &Graph<Float>,
    task: &Task,
    float: &Replay<'_>,
    quantized: &Replay<'_>,
) -> LayerWeights {
    let Task { layer, nearest, least, has_free_bias, .. } = task;
    let node = &graph[layer.node];
    let windows = Windows::of(graph, node).filter(|windows| windows.taps() <= MOST_TAPS);
    let (Some(windows), Some(input)) = (windows, node.input(0)) else { return nearest.clone() };
    if nearest.width == Width::Int8 {
        return nearest.clone();
    }
    let real = rows(&layer.real_weights(graph), nearest);
    let starts = rows(&nearest.values, nearest);
    let groups = windows.groups().max(1);
    let places = windows.choose(float.values(input).len());
    let rows_per_group = real.len() / groups;
    let of_group = |group: usize| -> Vec<Row> {
        let gather = |replay: &Replay<'_>| windows.gather(group, replay.values(input), &places);
        let moments = Moments::new(gather(float), gather(quantized), windows.taps(), *has_free_bias);
        let of_row = |index: usize| {
            let least = least.get(index).copied().unwrap_or(0.0);
            let target = Target::new(moments.metric(), moments.target(&real[index]), nearest.width, least);
            target.round(&Row { scale: nearest.scales[index], values: starts[index].clone() })
        };
        (group * rows_per_group..(group + 1) * rows_per_group).into_par_iter().map(of_row).collect()
    };
    let found: Vec<Row> = (0..groups).into_par_iter().flat_map(of_group).collect();
    with_rows(nearest, &found)
}

/// The elements of each output channel, in order.
fn rows<T: Copy>(elements: &[T], weights: &LayerWeights) -> Vec<Vec<T>> {
    let (inner, channels) = channel_step(&weights.shape, weights.axis);
    let mut rows = vec![Vec::new(); channels];
    for (index, &element) in elements.iter().enumerate() {
        rows[index / inner % channels].push(element);
    }
    rows
}

/// The same weights with other integers and scales.
fn with_rows(weights: &LayerWeights, rows: &[Row]) -> LayerWeights {
    let mut weights = LayerWeights { scales: rows.iter().map(|row| row.scale).collect(), ..weights.clone() };
    let (inner, channels) = channel_step(&weights.shape, weights.axis);
    let mut next: Vec<_> = rows.iter().map(|row| row.values.iter()).collect();
    for (index, value) in weights.values.iter_mut().enumerate() {
        if let Some(&new) = next.get_mut(index / inner % channels).and_then(Iterator::next) {
            *value = new;
        }
    }
    weights
}

#[cfg(test)]
mod tests;
