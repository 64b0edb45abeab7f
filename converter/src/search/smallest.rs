//! The smallest network within a given loss of accuracy.
//!
//! Every layer is measured at every width alone. Changes of width are then ordered by the bytes that they save for each
//! point of accuracy that they cost. Since costs hardly ever grow along that order but rather together, the longest
//! prefix within the loss is found by bisection, and the changes after it are tried one by one. At last, changes that did
//! not fit are tried in the place of smaller ones. Whatever is kept has been measured as a whole, on all samples.

use serde::Serialize;

use super::meter::{Measurement, Meter};
use super::sensitivity::{Sensitivity, all_int8, scan, set_width};
use super::{OnProgress, Progress, SearchError, Stage};
use crate::quantize::{Prepared, Recipe, Width};

/// Least loss that a change counts with, in points: less cannot be told from chance, and nothing is free.
const LEAST_DROP: f64 = 0.02;

/// Most changes that are tried in the place of others.
const MOST_EXCHANGES: usize = 8;

/// The smallest network that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Smallest {
    /// The recipe, with the width of every layer.
    pub recipe: Recipe,
    /// The network on all samples.
    pub measurement: Measurement,
    /// Bytes of its weights.
    pub weight_bytes: usize,
    /// Every layer at every width alone, on some of the samples.
    pub sensitivity: Sensitivity,
    /// All combinations that were measured, in order.
    pub steps: Vec<Step>,
}

/// One combination that was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// The changes from int8 that it has.
    pub changes: Vec<Change>,
    /// Bytes of weights.
    pub weight_bytes: usize,
    /// The network on all samples.
    pub measurement: Measurement,
    /// Whether it is within the loss that is allowed.
    pub is_within: bool,
}

/// One layer at a width other than int8.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The layer.
    pub layer: String,
    /// Its width.
    pub weights: Width,
}

/// Finds the smallest network that loses at most `max_drop` points of accuracy (1.0: of 100 samples, one more may be
/// wrong) against the float one on the meter's samples. Layers are measured alone on `scan_samples` of them.
///
/// Layers that `recipe` keeps, or gives a width by name, have that width; about the others its widths say nothing.
///
/// # Errors
/// If even int8 weights lose more, there are no labels, or a network cannot be quantized or measured.
pub fn smallest(
    prepared: &Prepared<'_>,
    recipe: &Recipe,
    meter: &Meter<'_>,
    max_drop: f64,
    scan_samples: usize,
    progress: OnProgress<'_>,
) -> Result<Smallest, SearchError> {
    if !meter.has_labels() {
        return Err(SearchError::NoLabels);
    }
    let fixed = fixed_widths(prepared, recipe)?;
    let mut trials =
        Trials { prepared, meter, max_drop, fixed: &fixed, steps: Vec::new(), progress, total: 1 };
    let mut best = trials.measure(&[])?;
    if !best.is_within {
        return Err(SearchError::OutOfReach {
            found: best.measurement.drop.unwrap_or(f64::NAN),
            allowed: max_drop,
        });
    }
    let sensitivity = scan(prepared, recipe, &meter.subset(scan_samples), trials.progress)?;
    let free = |layer: &str| fixed.layer.get(layer).is_none_or(|layer| layer.weights.is_none());
    let order = changes(&sensitivity, max_drop, free);
    trials.total = order.len() + MOST_EXCHANGES;
    best = trials.prefix(best, &order)?;
    best = trials.one_by_one(best, &order)?;
    best = trials.exchanges(best, &order)?;
    let mut recipe = fixed.clone();
    best.changes.iter().for_each(|change| set_width(&mut recipe, &change.layer, change.weights));
    let Step { measurement, weight_bytes, .. } = best;
    Ok(Smallest { recipe, measurement, weight_bytes, sensitivity, steps: trials.steps })
}

/// The recipe with int8 in every layer that it leaves open; the layers that it does not leave open have a width by name.
fn fixed_widths(prepared: &Prepared<'_>, recipe: &Recipe) -> Result<Recipe, SearchError> {
    let mut fixed = all_int8(recipe);
    let kept = Recipe { weights: Width::Int4, ..recipe.clone() };
    for (layer, choice) in prepared.layers().iter().zip(prepared.choices(&kept)?) {
        let by_name = recipe.layer.get(&layer.name).and_then(|layer| layer.weights);
        let is_kept = layer.supports(Width::Int4) && choice.weights == Width::Int8;
        if let Some(width) = by_name.or(is_kept.then_some(Width::Int8)) {
            set_width(&mut fixed, &layer.name, width);
        }
    }
    Ok(fixed)
}

/// A change with what it saves and costs alone.
#[derive(Clone, Debug, PartialEq)]
struct Candidate {
    change: Change,
    bytes_saved: usize,
    drop: f64,
}

/// The changes that may be worth a trial, the most promising first: bytes saved per point.
fn changes(sensitivity: &Sensitivity, max_drop: f64, is_free: impl Fn(&str) -> bool) -> Vec<Candidate> {
    let base = sensitivity.int8.drop.unwrap_or(0.0);
    let candidate = |layer: &super::LayerSensitivity| Candidate {
        change: Change { layer: layer.layer.clone(), weights: layer.weights },
        bytes_saved: layer.bytes_saved,
        drop: layer.measurement.drop.unwrap_or(0.0) - base,
    };
    let layers = sensitivity.layers.iter().filter(|layer| is_free(&layer.layer));
    // What is far beyond the loss alone is beyond it with others.
    let mut candidates: Vec<Candidate> =
        layers.map(candidate).filter(|c| c.drop <= 2.0 * max_drop + 1.0).collect();
    let merit = |candidate: &Candidate| candidate.bytes_saved as f64 / candidate.drop.max(LEAST_DROP);
    candidates.sort_by(|a, b| merit(b).total_cmp(&merit(a)));
    candidates
}

/// The changes with another one, which goes before the same layer's.
fn with(changes: &[Change], change: &Change) -> Vec<Change> {
    let others = changes.iter().filter(|other| other.layer != change.layer);
    others.chain([change]).cloned().collect()
}

/// Measures combinations and keeps a record.
struct Trials<'a, 's> {
    prepared: &'a Prepared<'s>,
    meter: &'a Meter<'a>,
    max_drop: f64,
    fixed: &'a Recipe,
    steps: Vec<Step>,
    progress: OnProgress<'a>,
    total: usize,
}

impl Trials<'_, '_> {
    fn measure(&mut self, changes: &[Change]) -> Result<Step, SearchError> {
        if let Some(known) = self.steps.iter().find(|step| step.changes == changes) {
            return Ok(known.clone());
        }
        let mut recipe = self.fixed.clone();
        changes.iter().for_each(|change| set_width(&mut recipe, &change.layer, change.weights));
        let (graph, report) = self.prepared.quantize(&recipe, &|_| ())?;
        let measurement = self.meter.measure(graph)?;
        let is_within = measurement.drop.is_some_and(|drop| drop <= self.max_drop);
        let step =
            Step { changes: changes.to_vec(), weight_bytes: report.weight_bytes(), measurement, is_within };
        self.steps.push(step.clone());
        let done = self.steps.len();
        (self.progress)(Progress { stage: Stage::Combining, done, total: self.total.max(done) });
        Ok(step)
    }

    /// The longest prefix of the order within the loss, found by bisection.
    fn prefix(&mut self, mut best: Step, order: &[Candidate]) -> Result<Step, SearchError> {
        let (mut within, mut beyond) = (0, order.len() + 1);
        while beyond - within > 1 {
            // The longest one first: it may be within.
            let length = if beyond > order.len() { order.len() } else { within.midpoint(beyond) };
            let start = Vec::new();
            let changes =
                order[..length].iter().fold(start, |changes, candidate| narrower(changes, &candidate.change));
            let step = self.measure(&changes)?;
            if step.is_within {
                (within, best) = (length, step);
            } else {
                beyond = length;
            }
        }
        Ok(best)
    }

    /// Adds whatever still fits, in order.
    fn one_by_one(&mut self, mut best: Step, order: &[Candidate]) -> Result<Step, SearchError> {
        for candidate in order {
            let changes = narrower(best.changes.clone(), &candidate.change);
            if changes == best.changes {
                continue;
            }
            let step = self.measure(&changes)?;
            if step.is_within && step.weight_bytes < best.weight_bytes {
                best = step;
            }
        }
        Ok(best)
    }

    /// Puts changes that did not fit in the place of smaller ones.
    fn exchanges(&mut self, mut best: Step, order: &[Candidate]) -> Result<Step, SearchError> {
        let end = self.steps.len() + MOST_EXCHANGES;
        let mut wanted: Vec<&Candidate> = order.iter().collect();
        wanted.sort_by_key(|candidate| std::cmp::Reverse(candidate.bytes_saved));
        for candidate in wanted {
            let others = best.changes.clone();
            for other in others {
                let changes = with(&best.changes, &candidate.change);
                let changes: Vec<Change> = changes.into_iter().filter(|change| *change != other).collect();
                let saves = |change: &Change| saving(order, change);
                let gained: usize = changes.iter().map(saves).sum();
                let before: usize = best.changes.iter().map(saves).sum();
                if gained <= before {
                    continue;
                }
                if self.steps.len() >= end {
                    return Ok(best);
                }
                let step = self.measure(&changes)?;
                if step.is_within && step.weight_bytes < best.weight_bytes {
                    best = step;
                    break;
                }
            }
        }
        Ok(best)
    }
}

/// The changes with another one, unless the layer is as narrow already.
fn narrower(changes: Vec<Change>, change: &Change) -> Vec<Change> {
    let is_narrow =
        changes.iter().any(|other| other.layer == change.layer && other.weights <= change.weights);
    if is_narrow { changes } else { with(&changes, change) }
}

/// Bytes that a change saves.
fn saving(order: &[Candidate], change: &Change) -> usize {
    order.iter().find(|candidate| candidate.change == *change).map_or(0, |candidate| candidate.bytes_saved)
}
