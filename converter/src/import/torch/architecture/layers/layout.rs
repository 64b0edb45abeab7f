//! Layers that change shapes, and reductions.

use super::super::layer::Layer;
use super::super::network::ValueId;
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::{Pad, Reduce};
use crate::ir::{Op, Shape, TensorId};

pub(super) fn flatten(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let rank = shape.rank();
    let start = layer.attributes.integer("start_dim").unwrap_or(1);
    let end = layer.attributes.integer("end_dim").unwrap_or(-1);
    let start = layer.axis("start_dim", start, rank)?;
    let end = layer.axis("end_dim", end, rank)?;
    if start == 1 && end + 1 == rank {
        return layer.flatten(input);
    }
    if start > end {
        let (value, expected) = (end.to_string(), format!("start_dim = {start} or more"));
        return layer.fail(ArchitectureFault::Attribute { attribute: "end_dim", value, expected });
    }
    let middle: usize = shape[start..=end].iter().product();
    let flat = shape[..start].iter().copied().chain([middle]).chain(shape[end + 1..].iter().copied());
    reshaped(layer, input, flat.collect())
}

fn reshaped(layer: &mut Layer<'_>, input: ValueId, shape: Shape) -> Option<ValueId> {
    let tensor = layer.plain(input)?;
    let result = layer.reshape(tensor, shape)?;
    Some(layer.network.plain_value(result))
}

/// `shape` includes the batch; one dimension may be -1.
pub(super) fn reshape(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let Some(given) = layer.attributes.integers("shape") else {
        let expected = "a shape with the batch, such as [1, -1],";
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "shape", expected });
    };
    let known: i64 =
        given.iter().filter(|&&size| size != -1).fold(1, |product, &size| product.saturating_mul(size));
    let elements = shape.elements().unwrap_or(0) as i64;
    let open = given.iter().filter(|&&size| size == -1).count();
    let fits = match open {
        0 => known == elements,
        1 => known > 0 && elements % known == 0,
        _ => false,
    };
    if !fits || given.iter().any(|&size| size < -1) || given.len() > Shape::MAX_RANK {
        let value = format!("{given:?}");
        let expected = format!("a shape of as many elements as {shape}, with at most one -1,");
        return layer.fail(ArchitectureFault::Attribute { attribute: "shape", value, expected });
    }
    let result: Shape =
        given.iter().map(|&size| usize::try_from(size).unwrap_or((elements / known) as usize)).collect();
    if result.rank() == 2 && result.first() == shape.first() {
        return layer.flatten(input);
    }
    reshaped(layer, input, result)
}

pub(super) fn permute(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let rank = layer.shape(input).rank();
    let dims = layer.attributes.integers("dims").unwrap_or_default();
    let permutation: Option<Vec<usize>> = dims.iter().map(|&dim| layer.axis("dims", dim, rank)).collect();
    let permutation = permutation?;
    let mut sorted = permutation.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<_>>() {
        let (value, expected) = (format!("{dims:?}"), format!("each of the {rank} axes once"));
        return layer.fail(ArchitectureFault::Attribute { attribute: "dims", value, expected });
    }
    if permutation == [0, 2, 3, 1] && layer.network.is_channels_last(input) {
        let tensor = layer.channels_last(input)?;
        return Some(layer.network.plain_value(tensor));
    }
    let tensor = layer.plain(input)?;
    let result = layer.transpose(tensor, permutation)?;
    Some(layer.network.plain_value(result))
}

pub(super) fn squeeze(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let axes = match layer.attributes.integers("dim") {
        Some(dims) => {
            dims.iter().map(|&dim| layer.axis("dim", dim, shape.rank())).collect::<Option<Vec<_>>>()?
        }
        // The batch stays.
        None => (1..shape.rank()).collect(),
    };
    let kept = shape.iter().enumerate().filter(|(axis, size)| **size != 1 || !axes.contains(axis));
    let kept = kept.map(|(_, &size)| size).collect();
    reshaped(layer, input, kept)
}

pub(super) fn unsqueeze(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let Some(dim) = layer.attributes.integer("dim") else {
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "dim", expected: "an axis" });
    };
    let axis = layer.axis("dim", dim, shape.rank() + 1)?;
    let mut longer = shape.to_vec();
    longer.insert(axis, 1);
    if longer.len() > Shape::MAX_RANK {
        return layer.fail(ArchitectureFault::Rank { shape, expected: "less than 8" });
    }
    reshaped(layer, input, longer.into())
}

pub(super) fn mean(layer: &mut Layer<'_>) -> Option<ValueId> {
    reduce(layer, Op::Mean)
}

pub(super) fn sum(layer: &mut Layer<'_>) -> Option<ValueId> {
    reduce(layer, Op::Sum)
}

pub(super) fn amax(layer: &mut Layer<'_>) -> Option<ValueId> {
    reduce(layer, Op::ReduceMax)
}

/// A reduction over the axes `dim`, which stay with `keepdim`.
fn reduce(layer: &mut Layer<'_>, op: fn(Reduce) -> Op) -> Option<ValueId> {
    let input = layer.input()?;
    let shape = layer.shape(input);
    let rank = shape.rank();
    let Some(dims) = layer.attributes.integers("dim") else {
        let expected = "an axis or axes, such as [2, 3],";
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "dim", expected });
    };
    let keep_dims = layer.attributes.flag("keepdim").unwrap_or(false);
    let axes: Option<Vec<usize>> = dims.iter().map(|&dim| layer.axis("dim", dim, rank)).collect();
    let mut axes = axes?;
    axes.sort_unstable();
    axes.dedup();
    if rank == 4 && axes == [2, 3] && layer.network.is_channels_last(input) {
        let tensor = layer.channels_last(input)?;
        let result = layer.node(op(Reduce { axes: vec![1, 2], keep_dims }), &[Some(tensor)])?;
        return Some(match keep_dims {
            true => layer.network.channels_last_value(result, rank),
            false => layer.network.plain_value(result),
        });
    }
    let tensor = layer.plain(input)?;
    let result = layer.node(op(Reduce { axes, keep_dims }), &[Some(tensor)])?;
    Some(layer.network.plain_value(result))
}

/// `padding` gives, from the last axis on, elements before and after; or one number for all sides of height and width.
pub(super) fn pad(layer: &mut Layer<'_>) -> Option<ValueId> {
    let input = layer.input()?;
    let rank = layer.shape(input).rank();
    let value = layer.attributes.number("value").unwrap_or(0.0);
    if let Some(mode) = layer.attributes.text("mode").filter(|mode| mode != "constant") {
        let advice = "only constant is";
        return layer.fail(ArchitectureFault::Unsupported { attribute: "mode", value: mode, advice });
    }
    let attribute = if layer.attributes.has("pad") { "pad" } else { "padding" };
    let Some(given) = layer.attributes.integers(attribute) else {
        let expected = "[left, right, top, bottom]";
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "padding", expected });
    };
    let sides =
        if given.len() == 1 { vec![given[0]; 2 * rank.saturating_sub(2).max(1)] } else { given.clone() };
    let counts: Option<Vec<usize>> = sides.iter().map(|&side| usize::try_from(side).ok()).collect();
    let Some(counts) = counts.filter(|counts| counts.len() % 2 == 0 && counts.len() <= 2 * rank) else {
        let value = format!("{given:?}");
        let expected = "pairs of numbers, 0 or more, from the last axis on".into();
        return layer.fail(ArchitectureFault::Attribute { attribute, value, expected });
    };
    let (mut before, mut after) = (vec![0; rank], vec![0; rank]);
    for (pair, axis) in counts.chunks_exact(2).zip((0..rank).rev()) {
        (before[axis], after[axis]) = (pair[0], pair[1]);
    }
    if rank == 4 && (layer.network.is_channels_last(input) || counts.len() <= 4) {
        let tensor = layer.channels_last(input)?;
        let last = |sides: Vec<usize>| vec![sides[0], sides[2], sides[3], sides[1]];
        let result = padded(layer, tensor, last(before), last(after), value)?;
        return Some(layer.network.channels_last_value(result, rank));
    }
    let tensor = layer.plain(input)?;
    let result = padded(layer, tensor, before, after, value)?;
    Some(layer.network.plain_value(result))
}

fn padded(
    layer: &mut Layer<'_>,
    tensor: TensorId,
    before: Vec<usize>,
    after: Vec<usize>,
    value: f32,
) -> Option<TensorId> {
    layer.node(Op::Pad(Pad { before, after, value }), &[Some(tensor)])
}
