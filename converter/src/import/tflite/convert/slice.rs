//! Slices with and without strides.

use crate::import::ImportFault;
use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{self, strided_slice_options};
use crate::ir::Op;
use crate::ir::attributes::{SliceAxis, StridedSlice};

pub(super) fn slice(operator: &mut Operator<'_>) -> Option<Converted> {
    let shape = operator.input(0, "input")?.shape.clone();
    let begins = operator.constant(1, "begin");
    let sizes = operator.constant(2, "size");
    let (begins, sizes) = (begins?, sizes?);
    check_length(operator, "begin", begins.len(), shape.rank())?;
    check_length(operator, "size", sizes.len(), shape.rank())?;
    let mut axes = Vec::with_capacity(shape.rank());
    for ((&dimension, begin), size) in shape.iter().zip(begins).zip(sizes) {
        let begin = usize::try_from(begin).ok().filter(|&begin| begin < dimension).or_else(|| {
            operator.invalid("begin", begin, format!("must be within 0 and {}", dimension.saturating_sub(1)));
            None
        })?;
        let rest = dimension - begin;
        let count = if size == -1 { Some(rest) } else { usize::try_from(size).ok() };
        let count = count.filter(|count| (1..=rest).contains(count)).or_else(|| {
            operator.invalid("size", size, format!("must be within 1 and {rest}, or -1"));
            None
        })?;
        axes.push(SliceAxis { begin, count, stride: 1, shrink: false });
    }
    Converted::unary(Op::StridedSlice(StridedSlice { axes }))
}

pub(super) fn strided_slice(operator: &mut Operator<'_>) -> Option<Converted> {
    use strided_slice_options as field;
    operator.expect_options(schema::STRIDED_SLICE)?;
    for field in [field::ELLIPSIS_MASK, field::NEW_AXIS_MASK] {
        let value = operator.scalar(field, 0i32)?;
        if value != 0 {
            operator.fault(ImportFault::UnsupportedAttribute {
                attribute: field.name,
                value: value.to_string(),
                advice: "write out every axis of the slice and reshape afterwards",
            });
        }
    }
    let masks = Masks {
        begin: operator.scalar(field::BEGIN_MASK, 0i32)?,
        end: operator.scalar(field::END_MASK, 0i32)?,
        shrink: operator.scalar(field::SHRINK_AXIS_MASK, 0i32)?,
        end_is_relative: operator.scalar(field::OFFSET, false)?,
    };
    let shape = operator.input(0, "input")?.shape.clone();
    let begins = operator.constant(1, "begin");
    let ends = operator.constant(2, "end");
    let strides = operator.constant(3, "strides");
    let (begins, ends, strides) = (begins?, ends?, strides?);
    check_length(operator, "end", ends.len(), begins.len())?;
    check_length(operator, "strides", strides.len(), begins.len())?;
    if begins.len() > shape.rank() {
        check_length(operator, "begin", begins.len(), shape.rank())?;
    }
    let mut axes = Vec::with_capacity(shape.rank());
    for (axis, &dimension) in shape.iter().enumerate() {
        let taken = match (begins.get(axis), ends.get(axis), strides.get(axis)) {
            (Some(&begin), Some(&end), Some(&stride)) => {
                masks.resolve(operator, axis, dimension, begin, end, stride)?
            }
            _ => SliceAxis { begin: 0, count: dimension, stride: 1, shrink: false },
        };
        axes.push(taken);
    }
    Converted::unary(Op::StridedSlice(StridedSlice { axes }))
}

struct Masks {
    begin: i32,
    end: i32,
    shrink: i32,
    end_is_relative: bool,
}

impl Masks {
    /// What the slice takes of an axis: bounds from the end are counted, then cut to the axis.
    fn resolve(
        &self,
        operator: &mut Operator<'_>,
        axis: usize,
        dimension: usize,
        begin: i64,
        end: i64,
        stride: i64,
    ) -> Option<SliceAxis> {
        let length = i64::try_from(dimension).ok()?;
        let set = |mask: i32| mask >> axis & 1 != 0;
        if stride == 0 || isize::try_from(stride).is_err() {
            operator.invalid("strides", stride, "must not be 0");
            return None;
        }
        let (lowest, highest) = if stride > 0 { (0, length) } else { (-1, length - 1) };
        let bound = |value: i64| {
            let counted = if value < 0 { value.saturating_add(length) } else { value };
            counted.clamp(lowest, highest)
        };
        let (first, past) = if stride > 0 { (0, length) } else { (length - 1, -1) };
        let from = if set(self.begin) { first } else { bound(begin) };
        let shrink = set(self.shrink);
        let to = match (shrink, set(self.end)) {
            (true, _) => from.saturating_add(stride.signum()),
            (false, true) => past,
            (false, false) if self.end_is_relative => bound(from.saturating_add(end)),
            (false, false) => bound(end),
        };
        let distance = if stride > 0 { to - from } else { from - to };
        let count = usize::try_from(distance).unwrap_or(0).div_ceil(stride.unsigned_abs().try_into().ok()?);
        let inside = usize::try_from(from).ok().filter(|&from| from < dimension && count > 0);
        let Some(begin) = inside else {
            operator.invalid(
                "begin",
                begin,
                format!("the slice to {end} by {stride} takes nothing of axis {axis}, which has {dimension}"),
            );
            return None;
        };
        let stride = if count == 1 { 1 } else { stride as isize };
        Some(SliceAxis { begin, count, stride, shrink })
    }
}

fn check_length(
    operator: &mut Operator<'_>,
    role: &'static str,
    found: usize,
    expected: usize,
) -> Option<()> {
    if found != expected {
        operator.fault(ImportFault::ConstantLength { role, found, expected: expected.to_string() });
    }
    (found == expected).then_some(())
}
