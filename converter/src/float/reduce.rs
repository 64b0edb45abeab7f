//! Operators that reduce axes.

use super::walk::{Axis, Walk, strides};
use super::{Array, ArrayMut};
use crate::ir::attributes::{ArgExtreme, Reduce};

/// One result per output element, `step` applied to all elements of the reduced axes in row-major order.
pub fn fold<T: Copy, A: Copy>(
    attributes: &Reduce,
    input: Array<'_, T>,
    initial: A,
    step: impl Fn(A, T) -> A,
) -> Vec<A> {
    let is_reduced = |axis: usize| attributes.axes.contains(&axis);
    let kept: Vec<usize> =
        (0..input.shape.len()).map(|axis| if is_reduced(axis) { 1 } else { input.shape[axis] }).collect();
    let steps = strides(&kept);
    let axes = input
        .shape
        .iter()
        .enumerate()
        .map(|(axis, &count)| Axis { count, steps: [if is_reduced(axis) { 0 } else { steps[axis] }] });
    let walk = Walk::new(axes);
    let mut results = vec![initial; kept.iter().product()];
    let mut rows = input.values.chunks_exact(walk.row.count.max(1));
    walk.rows([0], |[at]| {
        let Some(row) = rows.next() else { return };
        if walk.row.steps == [0] {
            results[at] = row.iter().fold(results[at], |result, &value| step(result, value));
        } else {
            for (result, &value) in results[at..].iter_mut().zip(row) {
                *result = step(*result, value);
            }
        }
    });
    results
}

/// Number of elements that each result comes from.
pub fn reduced_elements(attributes: &Reduce, shape: &[usize]) -> usize {
    attributes.axes.iter().filter_map(|&axis| shape.get(axis)).product()
}

/// Index along the axis of the first element that no other one `beats`.
pub fn arg_extreme<T: Copy>(
    attributes: &ArgExtreme,
    input: Array<'_, T>,
    output: ArrayMut<'_, i64>,
    beats: impl Fn(T, T) -> bool,
) {
    let axis = attributes.axis;
    let Some(&length) = input.shape.get(axis) else { return };
    let inner: usize = input.shape[axis + 1..].iter().product();
    for (outer, results) in output.values.chunks_exact_mut(inner.max(1)).enumerate() {
        let block = &input.values[outer * length * inner..][..length * inner];
        for (at, result) in results.iter_mut().enumerate() {
            let mut best = 0;
            for index in 1..length {
                if beats(block[index * inner + at], block[best * inner + at]) {
                    best = index;
                }
            }
            *result = best as i64;
        }
    }
}
