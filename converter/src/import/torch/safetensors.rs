//! `.safetensors` files: a header in JSON, then the elements.

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::element::{Element, View};
use super::fault::WeightsFault;
use super::state_dict::Stored;
use crate::import::{ImportErrors, ImportProblem};
use crate::ir::{Place, Shape};

/// The longest header: that of a thousand times the tensors of a large network.
const LONGEST_HEADER: usize = 4 << 20;

/// The header and the elements, if the bytes begin as such a file does.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(length)).ok()?;
    rest.starts_with(b"{").then_some(())?;
    rest.split_at_checked(length)
}

/// Whether the bytes begin as a `.safetensors` file does.
pub(super) fn is_safetensors(bytes: &[u8]) -> bool {
    split(bytes).is_some()
}

/// The tensors in the order of their elements.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Stored<'_>>, ImportErrors> {
    let fail = |fault| ImportErrors::one(Place::Graph, fault);
    let (header, elements) = split(bytes).ok_or_else(|| fail(WeightsFault::Cut))?;
    if header.len() > LONGEST_HEADER {
        return Err(fail(WeightsFault::TooManyObjects));
    }
    // The package's own reader of whole files adds lengths without looking for overflow.
    let metadata: Metadata = serde_json::from_slice(header)
        .map_err(|error| fail(WeightsFault::Header { what: error.to_string() }))?;
    if metadata.data_len() > elements.len() {
        return Err(fail(WeightsFault::Cut));
    }
    let mut tensors: Vec<_> = metadata.tensors().into_iter().collect();
    tensors.sort_by(|(name, one), (other_name, other)| {
        one.data_offsets.cmp(&other.data_offsets).then_with(|| name.cmp(other_name))
    });
    let mut stored = Vec::with_capacity(tensors.len());
    let mut problems = Vec::new();
    for (index, (name, info)) in tensors.into_iter().enumerate() {
        let data = elements.get(info.data_offsets.0..info.data_offsets.1);
        let fault = match (element(info.dtype), data) {
            (Some(element), Some(data)) if info.shape.len() <= Shape::MAX_RANK => {
                stored.push(Stored {
                    name,
                    element,
                    view: View::contiguous(info.shape.clone()),
                    storage: data,
                });
                continue;
            }
            (None, _) => WeightsFault::Element { found: info.dtype.to_string() },
            (_, None) => WeightsFault::Cut,
            _ => WeightsFault::Size { shape: info.shape.iter().copied().take(Shape::MAX_RANK + 1).collect() },
        };
        problems.push(ImportProblem { place: Place::Tensor { index, name }, fault: fault.into() });
    }
    if problems.is_empty() { Ok(stored) } else { Err(ImportErrors { problems }) }
}

fn element(dtype: Dtype) -> Option<Element> {
    Some(match dtype {
        Dtype::F64 => Element::F64,
        Dtype::F32 => Element::F32,
        Dtype::F16 => Element::F16,
        Dtype::BF16 => Element::Bf16,
        Dtype::I64 => Element::I64,
        Dtype::I32 => Element::I32,
        Dtype::I16 => Element::I16,
        Dtype::I8 => Element::I8,
        Dtype::U64 => Element::U64,
        Dtype::U32 => Element::U32,
        Dtype::U16 => Element::U16,
        Dtype::U8 => Element::U8,
        Dtype::BOOL => Element::Bool,
        _ => return None,
    })
}
