//! From stored tensors to weights: which of a checkpoint's dictionaries, under which names, and as real numbers.

use std::collections::{HashMap, HashSet};

use super::element::{Element, View};
use super::fault::WeightsFault;
use super::pickle::{Handle, Object, Objects, StoredTensor};
use super::weights::{Weight, Weights};
use crate::import::{ImportErrors, ImportProblem};
use crate::ir::{Place, Shape};

/// A tensor and the storage that its elements lie in.
pub(super) struct Stored<'a> {
    pub name: String,
    pub element: Element,
    pub view: View,
    pub storage: &'a [u8],
}

/// A tensor of the state dict, not yet looked up in its storage.
pub(super) type Entry<'a> = (String, Result<&'a StoredTensor, &'static str>);

/// Names under which training programs store the state dict of a model in a checkpoint, the likeliest first.
const USUAL_KEYS: [&str; 8] =
    ["state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights"];

/// Prefixes that wrappers of modules put before all names: `DataParallel`, `torch.compile`.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];

/// Statistics of training that inference does not need.
const IGNORED: [&str; 1] = ["num_batches_tracked"];

/// The tensors of the state dict in a saved value: the value itself, or a dictionary in it.
///
/// # Errors
/// If there is no dictionary of tensors, or several.
pub(super) fn find(objects: &Objects, root: Handle) -> Result<Vec<Entry<'_>>, WeightsFault> {
    const DEEPEST: usize = 4;
    let holding = objects.holding_tensors(DEEPEST);
    let mut dictionary = root;
    for _ in 0..=DEEPEST {
        let Object::Mapping(entries) = objects.get(dictionary) else { return Err(WeightsFault::NoTensors) };
        let inner: Vec<(&str, Handle)> = entries
            .iter()
            .filter_map(|&(key, value)| Some((&**objects.text(key)?, value)))
            .filter(|(_, value)| holding.contains(value))
            .collect();
        let usual = USUAL_KEYS.iter().find_map(|key| inner.iter().find(|(name, _)| name == key));
        if let Some(&(_, usual)) = usual {
            dictionary = usual;
            continue;
        }
        let tensors = tensors(objects, entries);
        if !tensors.is_empty() {
            return Ok(tensors);
        }
        match *inner {
            [] => return Err(WeightsFault::NoTensors),
            [(_, only)] => dictionary = only,
            _ => {
                let names = inner.iter().take(5).map(|(name, _)| format!("'{name}'")).collect::<Vec<_>>();
                return Err(WeightsFault::SeveralDictionaries { names: names.join(", ") });
            }
        }
    }
    Err(WeightsFault::NoTensors)
}

fn tensors<'a>(objects: &'a Objects, entries: &[(Handle, Handle)]) -> Vec<Entry<'a>> {
    let entry = |&(key, value): &(Handle, Handle)| {
        let tensor = match objects.get(value) {
            Object::Tensor(tensor) => Ok(&**tensor),
            &Object::Unreadable(why) => Err(why),
            _ => return None,
        };
        Some((objects.text(key)?.to_string(), tensor))
    };
    entries.iter().filter_map(entry).collect()
}

/// The weights that stored tensors hold, under the names they have in the model.
///
/// Together they take at most a small multiple of the file's `length` in bytes.
///
/// # Errors
/// Every tensor that cannot be read.
pub(super) fn weights(stored: Vec<Stored<'_>>, length: usize) -> Result<Weights, ImportErrors> {
    let mut problems = Vec::new();
    let mut weights = Vec::with_capacity(stored.len());
    // Elements of one byte each take four here.
    let mut budget = length.saturating_add(1 << 16);
    for (index, Stored { name, element, view, storage }) in stored.into_iter().enumerate() {
        if name.rsplit('.').next().is_some_and(|last| IGNORED.contains(&last)) {
            continue;
        }
        let shape = Shape::from(view.shape.clone());
        let read = match shape.elements() {
            None => Err(WeightsFault::Size { shape: shape.clone() }),
            Some(count) => match budget.checked_sub(count) {
                None => return Err(ImportErrors::one(Place::Graph, WeightsFault::Overlap { bytes: length })),
                Some(left) => {
                    budget = left;
                    let beyond = WeightsFault::BeyondStorage { bytes: storage.len() };
                    element.gather(storage, &view).ok_or(beyond)
                }
            },
        };
        match read {
            Ok(values) => weights.push(Weight { name, shape, values, element }),
            Err(fault) => {
                problems.push(ImportProblem { place: Place::Tensor { index, name }, fault: fault.into() });
            }
        }
    }
    strip_prefixes(&mut weights);
    apply_masks(&mut weights, &mut problems);
    if problems.is_empty() && weights.is_empty() {
        return Err(ImportErrors::one(Place::Graph, WeightsFault::NoTensors));
    }
    if problems.is_empty() { Ok(weights.into_iter().collect()) } else { Err(ImportErrors { problems }) }
}

/// Takes off the prefixes that all names have.
fn strip_prefixes(weights: &mut [Weight]) {
    while let Some(prefix) =
        PREFIXES.iter().find(|&&prefix| weights.iter().all(|weight| weight.name.starts_with(prefix)))
    {
        if weights.is_empty() {
            return;
        }
        weights.iter_mut().for_each(|weight| weight.name = weight.name.split_off(prefix.len()));
    }
}

/// Multiplies what `torch.nn.utils.prune` keeps apart: `weight_orig` and `weight_mask` become `weight`.
fn apply_masks(weights: &mut Vec<Weight>, problems: &mut Vec<ImportProblem>) {
    let masks: HashMap<String, usize> = weights
        .iter()
        .enumerate()
        .filter_map(|(position, weight)| Some((weight.name.strip_suffix("_mask")?.to_owned(), position)))
        .collect();
    let mut applied = HashSet::new();
    for index in 0..weights.len() {
        let Some(base) = weights[index].name.strip_suffix("_orig") else { continue };
        let Some(&position) = masks.get(base) else { continue };
        let base = base.to_owned();
        if weights[index].shape != weights[position].shape {
            let fault = WeightsFault::Mask {
                shape: weights[index].shape.clone(),
                mask: weights[position].shape.clone(),
            };
            problems.push(ImportProblem { place: Place::Tensor { index, name: base }, fault: fault.into() });
            continue;
        }
        let mask = std::mem::take(&mut weights[position].values);
        weights[index].values.iter_mut().zip(&mask).for_each(|(value, mask)| *value *= mask);
        weights[position].values = mask;
        weights[index].name = base;
        applied.insert(position);
    }
    let mut position = 0;
    weights.retain(|_| {
        position += 1;
        !applied.contains(&(position - 1))
    });
}

#[cfg(test)]
mod tests;
