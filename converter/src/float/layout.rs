//! Operators that move elements without computing.

use super::walk::{Axis, Walk, broadcast_strides, strides};
use super::{Array, ArrayMut};
use crate::ir::attributes::{Pad, StridedSlice, Tile, Transpose};

/// The elements at `start` and further along the walk's axes.
fn collect<T: Copy>(walk: &Walk<1>, start: usize, input: &[T], output: &mut [T]) {
    let mut rows = output.chunks_exact_mut(walk.row.count.max(1));
    let [step] = walk.row.steps;
    walk.rows([start], |[first]| {
        let Some(row) = rows.next() else { return };
        match step {
            1 => row.copy_from_slice(&input[first..first + row.len()]),
            0 => row.fill(input[first]),
            _ => {
                let mut at = first;
                for value in row {
                    *value = input[at];
                    at = at.wrapping_add_signed(step);
                }
            }
        }
    });
}

/// Axes in another order.
pub fn transpose<T: Copy>(attributes: &Transpose, input: Array<'_, T>, output: ArrayMut<'_, T>) {
    let steps = strides(input.shape);
    let axes =
        attributes.permutation.iter().map(|&axis| Axis { count: input.shape[axis], steps: [steps[axis]] });
    collect(&Walk::new(axes), 0, input.values, output.values);
}

/// Part of the input at regular steps.
pub fn strided_slice<T: Copy>(attributes: &StridedSlice, input: Array<'_, T>, output: ArrayMut<'_, T>) {
    let steps = strides(input.shape);
    let taken = || attributes.axes.iter().zip(&steps);
    let start = taken().map(|(axis, &step)| axis.begin * step as usize).sum();
    let axes = taken().map(|(axis, step)| Axis { count: axis.count, steps: [axis.stride * step] });
    collect(&Walk::new(axes), start, input.values, output.values);
}

/// Axes of 1, and missing ones, repeated.
pub fn broadcast_to<T: Copy>(input: Array<'_, T>, output: ArrayMut<'_, T>) {
    let steps = broadcast_strides(input.shape, output.shape);
    let axes = output.shape.iter().zip(steps).map(|(&count, step)| Axis { count, steps: [step] });
    collect(&Walk::new(axes), 0, input.values, output.values);
}

/// The whole tensor repeated along its axes.
pub fn tile<T: Copy>(attributes: &Tile, input: Array<'_, T>, output: ArrayMut<'_, T>) {
    let sizes = input.shape.iter().zip(strides(input.shape));
    let axes = attributes.repeats.iter().zip(sizes).flat_map(|(&repeats, (&count, step))| {
        [Axis { count: repeats, steps: [0] }, Axis { count, steps: [step] }]
    });
    collect(&Walk::new(axes), 0, input.values, output.values);
}

/// The input surrounded by `value`.
pub fn pad<T: Copy>(attributes: &Pad, value: T, input: Array<'_, T>, output: ArrayMut<'_, T>) {
    output.values.fill(value);
    let steps = strides(output.shape);
    let start = attributes.before.iter().zip(&steps).map(|(before, &step)| before * step as usize).sum();
    let axes = input.shape.iter().zip(&steps).map(|(&count, &step)| Axis { count, steps: [step] });
    let walk = Walk::new(axes);
    let mut rows = input.values.chunks_exact(walk.row.count.max(1));
    walk.rows([start], |[at]| {
        let Some(row) = rows.next() else { return };
        // Elements of a row are apart where the innermost axis has one element and vanished.
        let step = walk.row.steps[0].unsigned_abs().max(1);
        for (result, &value) in output.values[at..].iter_mut().step_by(step).zip(row) {
            *result = value;
        }
    });
}

/// Tensors joined along an axis: `inner[i]` elements of each, by turns, which is the product of the axis and those
/// within it.
pub fn join<T: Copy>(inputs: &[(&[T], usize)], output: &mut [T]) {
    let block: usize = inputs.iter().map(|(_, inner)| inner).sum();
    for (turn, block) in output.chunks_exact_mut(block.max(1)).enumerate() {
        let mut rest = block;
        for &(values, inner) in inputs {
            let (own, after) = rest.split_at_mut(inner);
            own.copy_from_slice(&values[turn * inner..][..inner]);
            rest = after;
        }
    }
}

/// The reverse of [`join`].
pub fn cut<T: Copy>(input: &[T], outputs: &mut [(&mut [T], usize)]) {
    let block: usize = outputs.iter().map(|(_, inner)| *inner).sum();
    for (turn, block) in input.chunks_exact(block.max(1)).enumerate() {
        let mut rest = block;
        for (values, inner) in outputs.iter_mut() {
            let (own, after) = rest.split_at(*inner);
            values[turn * *inner..][..*inner].copy_from_slice(own);
            rest = after;
        }
    }
}

/// Slices of `data` along an axis; `Err` gives the first index that is outside.
///
/// # Errors
/// The index, if there is no such slice.
pub fn gather<T: Copy>(
    axis: usize,
    data: Array<'_, T>,
    indices: &[i64],
    output: ArrayMut<'_, T>,
) -> Result<(), i64> {
    let size = data.shape.get(axis).copied().unwrap_or(0);
    let inner: usize = data.shape.iter().skip(axis + 1).product();
    let indices: Vec<usize> = indices
        .iter()
        .map(|&index| usize::try_from(index).ok().filter(|&index| index < size).ok_or(index))
        .collect::<Result<_, _>>()?;
    let outer = data.values.chunks_exact((size * inner).max(1));
    let mut slices = output.values.chunks_exact_mut(inner.max(1));
    for block in outer {
        for (index, slice) in indices.iter().zip(&mut slices) {
            slice.copy_from_slice(&block[index * inner..][..inner]);
        }
    }
    Ok(())
}
