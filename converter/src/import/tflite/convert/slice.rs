//! Slices with and without strides.

use crate::import::ImportFault;
use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{self, strided_slice_options};
use crate::ir::attributes::{SliceAxis, StridedSlice};
use crate::ir::{Op, Shape};

pub(super) fn slice(operator: &mut Operator<'_>) -> Option<Converted> {
    let shape = &operator.input(0, "input")?.shape;
    let begins = operator.constant(1, "begin");
    let sizes = operator.constant(2, "size");
    let (begins, sizes) = (begins?, sizes?);
    check_length(operator, "begin", begins.len(), shape.rank())?;
    check_length(operator, "size", sizes.len(), shape.rank())?;
    let mut axes = Vec::with_capacity(shape.rank());
    for ((&dimension, begin), size) in shape.iter().zip(begins).zip(sizes) {
        let Some(first) = usize::try_from(begin).ok().filter(|&first| first < dimension) else {
            operator.invalid("begin", begin, format!("must be within 0 and {}", dimension.saturating_sub(1)));
            return None;
        };
        let rest = dimension - first;
        let count = if size == -1 { Some(rest) } else { usize::try_from(size).ok() };
        let Some(count) = count.filter(|count| (1..=rest).contains(count)) else {
            operator.invalid("size", size, format!("must be within 1 and {rest}, or -1"));
            return None;
        };
        axes.push(SliceAxis { begin: first, count, stride: 1 });
    }
    let shape = axes.iter().map(|axis| axis.count).collect();
    Converted::unary(Op::StridedSlice(StridedSlice { axes, shape }))
}

/// Each entry of begin, end and strides takes part of an axis, all of several (ellipsis), or adds an axis.
pub(super) fn strided_slice(operator: &mut Operator<'_>) -> Option<Converted> {
    use strided_slice_options as field;
    operator.expect_options(schema::STRIDED_SLICE)?;
    let masks = Masks {
        begin: operator.scalar(field::BEGIN_MASK, 0i32)?,
        end: operator.scalar(field::END_MASK, 0i32)?,
        end_is_relative: operator.scalar(field::OFFSET, false)?,
    };
    let ellipsis = operator.scalar(field::ELLIPSIS_MASK, 0i32)?;
    let new_axis = operator.scalar(field::NEW_AXIS_MASK, 0i32)? & !ellipsis;
    let shrink = operator.scalar(field::SHRINK_AXIS_MASK, 0i32)?;
    let input = &operator.input(0, "input")?.shape;
    let begins = operator.constant(1, "begin");
    let ends = operator.constant(2, "end");
    let strides = operator.constant(3, "strides");
    let (begins, ends, strides) = (begins?, ends?, strides?);
    check_length(operator, "end", ends.len(), begins.len())?;
    check_length(operator, "strides", strides.len(), begins.len())?;
    let entries = begins.len();
    let taking = (0..entries).filter(|&entry| !is_set(ellipsis | new_axis, entry)).count();
    let added = (0..entries).filter(|&entry| is_set(new_axis, entry)).count();
    let Some(left) = input.rank().checked_sub(taking).filter(|_| input.rank() + added <= Shape::MAX_RANK)
    else {
        check_length(operator, "begin", entries, input.rank())?;
        return None;
    };
    let whole = |&dimension: &usize| SliceAxis { begin: 0, count: dimension, stride: 1 };
    let mut axes = Vec::with_capacity(input.rank());
    let mut shape = Vec::with_capacity(input.rank() + added);
    for entry in 0..entries {
        if is_set(ellipsis, entry) {
            // A second ellipsis finds no axes left over.
            let open = left.min(input.rank() - axes.len());
            axes.extend(input.iter().skip(axes.len()).take(open).map(whole));
            shape.extend(input.iter().skip(axes.len() - open).take(open));
        } else if is_set(new_axis, entry) {
            shape.push(1);
        } else {
            let axis = axes.len();
            let &dimension = input.get(axis)?;
            let entry =
                Entry { position: entry, begin: begins[entry], end: ends[entry], stride: strides[entry] };
            let shrinks = is_set(shrink, entry.position);
            let taken = masks.resolve(operator, axis, dimension, &entry, shrinks)?;
            axes.push(taken);
            shape.extend((!shrinks).then_some(taken.count));
        }
    }
    shape.extend(input.iter().skip(axes.len()));
    axes.extend(input.iter().skip(axes.len()).map(whole));
    Converted::unary(Op::StridedSlice(StridedSlice { axes, shape: shape.into() }))
}

/// What a strided slice states for one axis.
struct Entry {
    position: usize,
    begin: i64,
    end: i64,
    stride: i64,
}

/// Which bounds are left open, by entry.
struct Masks {
    begin: i32,
    end: i32,
    end_is_relative: bool,
}

impl Masks {
    /// The elements that an entry takes: bounds from the end are counted, then cut to the axis.
    fn resolve(
        &self,
        operator: &mut Operator<'_>,
        axis: usize,
        dimension: usize,
        entry: &Entry,
        shrinks: bool,
    ) -> Option<SliceAxis> {
        let &Entry { position, begin, end, stride } = entry;
        let length = i64::try_from(dimension).ok()?;
        if stride == 0 {
            operator.invalid("strides", stride, "must not be 0");
            return None;
        }
        let (lowest, highest) = if stride > 0 { (0, length) } else { (-1, length - 1) };
        let bound = |value: i64| {
            let counted = if value < 0 { value.saturating_add(length) } else { value };
            counted.clamp(lowest, highest)
        };
        let (first, past) = if stride > 0 { (0, length) } else { (length - 1, -1) };
        let from = if is_set(self.begin, position) { first } else { bound(begin) };
        let to = match (shrinks, is_set(self.end, position)) {
            (true, _) => from + stride.signum(),
            (false, true) => past,
            (false, false) if self.end_is_relative => bound(from.saturating_add(end)),
            (false, false) => bound(end),
        };
        let distance = if stride > 0 { to - from } else { from - to };
        let count = u64::try_from(distance).unwrap_or(0).div_ceil(stride.unsigned_abs()) as usize;
        let Some(begin) = usize::try_from(from).ok().filter(|&from| from < dimension && count > 0) else {
            let expected =
                format!("the slice to {end} by {stride} takes nothing of axis {axis}, which has {dimension}");
            operator.invalid("begin", begin, expected);
            return None;
        };
        Some(SliceAxis { begin, count, stride: if count == 1 { 1 } else { stride as isize } })
    }
}

fn is_set(mask: i32, entry: usize) -> bool {
    mask.checked_shr(entry as u32).is_some_and(|mask| mask & 1 != 0)
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
