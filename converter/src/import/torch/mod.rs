//! Weights trained in PyTorch: `.pt` and `.pth` files that `torch.save` wrote, in the form of today and in the one before
//! version 1.6, and `.safetensors` files.
//!
//! Such files hold tensors by name, not the network. That comes from a description ([`architecture`]) or from an imported
//! model whose constants are replaced ([`replace_weights`]).

pub mod architecture;
mod archive;
mod element;
mod fault;
mod legacy;
mod pickle;
mod replace;
mod safetensors;
mod state_dict;
mod weights;

use std::collections::HashMap;
use std::rc::Rc;

use archive::Archive;
pub use element::Element;
pub use fault::WeightsFault;
use legacy::Legacy;
use pickle::{Handle, Objects};
pub use replace::{ReplaceFault, Replaced, replace_weights};
use state_dict::Stored;
pub use weights::{Weight, Weights};

use super::{ImportErrors, ImportProblem};
use crate::ir::Place;

/// Reads the weights of a file, whose kind shows in its bytes.
///
/// Of a checkpoint, the model's state dict is taken. A prefix that wrappers such as `DataParallel` put before every name
/// is taken off, masks of `torch.nn.utils.prune` are multiplied in, and counts of batches are left out.
///
/// # Errors
/// If the file is of another kind or damaged, holds something else than tensors, or would call functions in Python.
pub fn read_weights(bytes: &[u8]) -> Result<Weights, ImportErrors> {
    let fail = |fault: WeightsFault| ImportErrors::one(Place::Graph, fault);
    if bytes.starts_with(Archive::MAGIC) {
        let mut archive = Archive::open(bytes).map_err(fail)?;
        let pickle = archive.pickle().map_err(fail)?;
        let (objects, root, _) = pickle::load(&pickle).map_err(fail)?;
        let keys = storage_keys(&objects, root).map_err(fail)?;
        let storages = archive.storages(keys).map_err(fail)?;
        from_pickle(&objects, root, &storages, bytes.len())
    } else if safetensors::is_safetensors(bytes) {
        state_dict::weights(safetensors::read(bytes)?, bytes.len())
    } else if legacy::is_legacy(bytes) {
        let Legacy { objects, root, storages } = Legacy::read(bytes).map_err(fail)?;
        from_pickle(&objects, root, &storages, bytes.len())
    } else {
        Err(fail(other_kind(bytes)))
    }
}

/// The storages that the state dict's tensors lie in.
fn storage_keys(objects: &Objects, root: Handle) -> Result<Vec<Rc<str>>, WeightsFault> {
    let entries = state_dict::find(objects, root)?;
    Ok(entries.into_iter().filter_map(|(_, tensor)| Some(tensor.ok()?.storage.clone())).collect())
}

/// The weights of a saved value whose storages are at hand.
fn from_pickle<S: AsRef<[u8]>>(
    objects: &Objects,
    root: Handle,
    storages: &HashMap<Rc<str>, S>,
    length: usize,
) -> Result<Weights, ImportErrors> {
    let entries = state_dict::find(objects, root).map_err(|fault| ImportErrors::one(Place::Graph, fault))?;
    let mut stored = Vec::with_capacity(entries.len());
    let mut problems = Vec::new();
    for (index, (name, tensor)) in entries.into_iter().enumerate() {
        let tensor = tensor.map_err(|what| WeightsFault::Unreadable { what });
        let tensor = tensor.and_then(|tensor| match storages.get(&tensor.storage) {
            Some(storage) => Ok((tensor, storage.as_ref())),
            None => Err(WeightsFault::NoEntry { name: tensor.storage.chars().take(120).collect() }),
        });
        match tensor {
            Ok((tensor, storage)) => {
                let (element, view) = (tensor.element, tensor.view.clone());
                stored.push(Stored { name, element, view, storage });
            }
            Err(fault) => {
                problems.push(ImportProblem { place: Place::Tensor { index, name }, fault: fault.into() });
            }
        }
    }
    if problems.is_empty() { state_dict::weights(stored, length) } else { Err(ImportErrors { problems }) }
}

/// What a file seems to be that holds no weights.
fn other_kind(bytes: &[u8]) -> WeightsFault {
    let (found, advice) = match bytes {
        [0x89, b'H', b'D', b'F', ..] => {
            ("an HDF5 file", "export the Keras model as .tflite and convert that")
        }
        [b'G', b'G', b'U', b'F', ..] => ("a GGUF file", "save the state dict of a PyTorch model"),
        _ if bytes.get(4..8) == Some(b"TFL3") => {
            ("a TensorFlow Lite model", "it needs no other weights: convert it")
        }
        _ if bytes.get(257..262) == Some(b"ustar") => (
            "a tar archive, as PyTorch wrote before 2017",
            "load it in PyTorch and save its state dict again",
        ),
        [0x80, 2..=5, ..] => {
            ("a pickle that torch.save has not written", "save it with torch.save(model.state_dict(), ...)")
        }
        _ => ("a file of an unknown kind", "save them with torch.save(model.state_dict(), ...)"),
    };
    WeightsFault::NotWeights { found, advice }
}
