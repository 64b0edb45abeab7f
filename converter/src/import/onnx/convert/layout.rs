//! Operators that move elements.

use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{Concatenation, Pad, SliceAxis, StridedSlice, Tile, Transpose};
use crate::ir::{Activation, DType, Fault, Op, TensorId};

pub(super) fn transpose(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let rank = operator.rank(input);
    let permutation = match operator.integers("perm")?.map(<[i64]>::to_vec) {
        None => (0..rank).rev().collect(),
        Some(values) => {
            match values.iter().map(|&axis| usize::try_from(axis).ok()).collect::<Option<Vec<_>>>() {
                Some(permutation) => permutation,
                None => return operator.invalid("perm", format!("{values:?}"), "must be 0 or more"),
            }
        }
    };
    operator.emit(Op::Transpose(Transpose { permutation }), &[input]).and_then(one)
}

pub(super) fn concat(operator: &mut Operator<'_>) -> Option<Values> {
    let first = operator.input(0, "first input")?;
    let value = operator.integer("axis", 1)?;
    let axis = operator.axis("axis", value, operator.rank(first))?;
    let mut inputs = vec![first];
    for slot in 1..operator.inputs.len() {
        inputs.push(operator.input(slot, "next input")?);
    }
    if inputs.len() == 1 {
        return one(first);
    }
    operator
        .emit(Op::Concatenation(Concatenation { axis, activation: Activation::None }), &inputs)
        .and_then(one)
}

/// Negative amounts cut off.
pub(super) fn pad(operator: &mut Operator<'_>) -> Option<Values> {
    let mode = operator.text("mode", "constant")?.to_string();
    if mode != "constant" {
        let advice = "only constant padding is; pad with zeros instead (padding_mode='zeros')";
        return operator.unsupported("mode", mode, advice);
    }
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let Some(amounts) = operator.constant_integers(1, "pads")? else {
        operator.fault(Fault::MissingInput { role: "pads" });
        return None;
    };
    let value = operator.constant_real(2, "padding value")?.unwrap_or(0.0);
    let axes = match operator.constant_integers(3, "axes")? {
        Some(values) => {
            let axes: Vec<_> = values.iter().map(|&axis| operator.axis("axes", axis, shape.rank())).collect();
            axes.into_iter().collect::<Option<Vec<_>>>()?
        }
        None => (0..shape.rank()).collect(),
    };
    if amounts.len() != 2 * axes.len() {
        let expected = format!("must have 2 numbers for each of {} axes", axes.len());
        return operator.invalid("pads", format!("{amounts:?}"), expected);
    }
    let mut attributes = Pad { before: vec![0; shape.rank()], after: vec![0; shape.rank()], value };
    let mut kept: Vec<SliceAxis> =
        shape.iter().map(|&count| SliceAxis { begin: 0, count, stride: 1 }).collect();
    for (position, &axis) in axes.iter().enumerate() {
        let (before, after) = (amounts[position], amounts[position + axes.len()]);
        let size = |amount: i64| usize::try_from(amount).unwrap_or(0);
        attributes.before[axis] = size(before);
        attributes.after[axis] = size(after);
        let (front, back) = (size(before.saturating_neg()), size(after.saturating_neg()));
        kept[axis].begin = front;
        match shape[axis].checked_sub(front.saturating_add(back)).filter(|&count| count > 0) {
            Some(count) => kept[axis].count = count,
            None => {
                return operator.invalid(
                    "pads",
                    format!("{amounts:?}"),
                    format!("nothing is left of {shape}"),
                );
            }
        }
    }
    let sizes = kept.iter().map(|axis| axis.count).collect();
    let mut result = input;
    if sizes != shape {
        result = operator.emit(Op::StridedSlice(StridedSlice { axes: kept, shape: sizes }), &[result])?;
    }
    if attributes.before.iter().chain(&attributes.after).any(|&amount| amount > 0) {
        result = operator.emit(Op::Pad(attributes), &[result])?;
    }
    one(result)
}

pub(super) fn tile(operator: &mut Operator<'_>) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let Some(values) = operator.constant_integers(1, "repeats")? else {
        operator.fault(Fault::MissingInput { role: "repeats" });
        return None;
    };
    match values.iter().map(|&count| usize::try_from(count).ok()).collect::<Option<Vec<_>>>() {
        Some(repeats) => operator.emit(Op::Tile(Tile { repeats }), &[input]).and_then(one),
        None => operator.invalid("repeats", format!("{values:?}"), "must be 1 or more"),
    }
}

/// Channels become blocks of pixels.
pub(super) fn depth_to_space(operator: &mut Operator<'_>) -> Option<Values> {
    let Block { input, size, shape: [batch, channels, height, width] } = Block::read(operator)?;
    if !channels.is_multiple_of(size * size) {
        return operator.invalid("blocksize", size, format!("its square must divide {channels} channels"));
    }
    let left = channels / (size * size);
    let (split, order) = match operator.text("mode", "DCR")? {
        "DCR" => ([batch, size, size, left, height, width], [0, 3, 4, 1, 5, 2]),
        "CRD" => ([batch, left, size, size, height, width], [0, 1, 4, 2, 5, 3]),
        other => {
            let other = other.to_string();
            return operator.invalid("mode", other, "must be DCR or CRD");
        }
    };
    let split = operator.reshape(input, split)?;
    let turned = operator.transpose(split, &order)?;
    operator.reshape(turned, [batch, left, height * size, width * size]).and_then(one)
}

/// Blocks of pixels become channels.
pub(super) fn space_to_depth(operator: &mut Operator<'_>) -> Option<Values> {
    let Block { input, size, shape: [batch, channels, height, width] } = Block::read(operator)?;
    if !height.is_multiple_of(size) || !width.is_multiple_of(size) {
        return operator.invalid("blocksize", size, format!("must divide {height}x{width}"));
    }
    let split = operator.reshape(input, [batch, channels, height / size, size, width / size, size])?;
    let turned = operator.transpose(split, &[0, 3, 5, 1, 2, 4])?;
    let channels = channels * size * size;
    operator.reshape(turned, [batch, channels, height / size, width / size]).and_then(one)
}

/// An image that is cut into blocks.
struct Block {
    input: TensorId,
    size: usize,
    shape: [usize; 4],
}

impl Block {
    fn read(operator: &mut Operator<'_>) -> Option<Block> {
        let input = operator.input(0, "input")?;
        let value = operator.integer("blocksize", 0)?;
        let shape = operator.shape(input);
        let Ok(dimensions) = <[usize; 4]>::try_from(&*shape) else {
            operator.fault(Fault::Rank { role: "input", shape, expected: "4" });
            return None;
        };
        match usize::try_from(value).ok().filter(|size| (1..=1 << 12).contains(size)) {
            Some(size) => Some(Block { input, size, shape: dimensions }),
            None => operator.invalid("blocksize", value, "must be 1 or more"),
        }
    }
}

/// The type that a constant index has in the graph.
pub(super) const INDEX: DType = DType::I32;
