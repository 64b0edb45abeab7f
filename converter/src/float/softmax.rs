//! Exponentials normalized along the last axis, and their logarithm.

use crate::ir::attributes::Softmax;

/// Softmax of each row of `length` elements.
pub fn softmax(attributes: &Softmax, input: &[f32], output: &mut [f32], length: usize) {
    let beta = attributes.beta;
    for (row, results) in rows(input, output, length) {
        let most = greatest(row);
        let mut sum = 0.0f64;
        for (result, &value) in results.iter_mut().zip(row) {
            *result = ((value - most) * beta).exp();
            sum += f64::from(*result);
        }
        let factor = (1.0 / sum) as f32;
        results.iter_mut().for_each(|result| *result *= factor);
    }
}

/// Logarithm of the softmax of each row of `length` elements.
pub fn log_softmax(input: &[f32], output: &mut [f32], length: usize) {
    for (row, results) in rows(input, output, length) {
        let most = greatest(row);
        let sum: f64 = row.iter().map(|&value| f64::from((value - most).exp())).sum();
        let logarithm = sum.ln() as f32;
        for (result, &value) in results.iter_mut().zip(row) {
            *result = value - most - logarithm;
        }
    }
}

fn rows<'a>(
    input: &'a [f32],
    output: &'a mut [f32],
    length: usize,
) -> impl Iterator<Item = (&'a [f32], &'a mut [f32])> {
    let length = length.max(1);
    input.chunks_exact(length).zip(output.chunks_exact_mut(length))
}

fn greatest(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
