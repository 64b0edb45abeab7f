//! Second moments of a layer's inputs.

use rayon::prelude::*;

use super::metric::Metric;
use crate::float::matmul::{Matrix, MatrixMut, multiply_add};

/// Positions whose products are added up in single precision.
const POSITIONS_AT_ONCE: usize = 256;

/// Rows of a matrix of moments that one task computes.
const ROWS_AT_ONCE: usize = 32;

/// How the inputs of some rows vary, with and without quantization before the layer.
#[derive(Clone, Debug)]
pub struct Moments {
    /// Of the quantized inputs.
    metric: Metric,
    /// Row `i`, column `j`: mean of the product of float input `i` and quantized input `j`.
    cross: Vec<f64>,
}

impl Moments {
    /// The moments of inputs of `taps` elements each: `float` as they should be, `quantized` as they are. About their
    /// means if a bias makes up for these.
    pub fn new(mut float: Vec<f32>, mut quantized: Vec<f32>, taps: usize, has_free_bias: bool) -> Self {
        if has_free_bias {
            center(&mut float, taps);
            center(&mut quantized, taps);
        }
        let metric = Metric::new(products(&quantized, &quantized, taps), taps);
        Self { cross: products(&float, &quantized, taps), metric }
    }

    /// How errors of weights count.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// The metric's product with the weights that bring the quantized layer nearest to what `weights` compute of float
    /// inputs.
    pub fn target(&self, weights: &[f32]) -> Vec<f64> {
        let mut product: Vec<f64> =
            weights.iter().map(|&weight| self.metric.damping() * f64::from(weight)).collect();
        for (&weight, row) in weights.iter().zip(self.cross.chunks_exact(weights.len().max(1))) {
            product.iter_mut().zip(row).for_each(|(sum, moment)| *sum += f64::from(weight) * moment);
        }
        product
    }
}

/// Subtracts the mean of each column.
fn center(values: &mut [f32], taps: usize) {
    let mut means = vec![0.0; taps];
    for row in values.chunks_exact(taps.max(1)) {
        means.iter_mut().zip(row).for_each(|(mean, &value)| *mean += f64::from(value));
    }
    let rows = values.len().checked_div(taps).unwrap_or(0).max(1) as f64;
    for row in values.chunks_exact_mut(taps.max(1)) {
        row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= (mean / rows) as f32);
    }
}

/// The mean over rows of `left` and `right` of the products of their elements. The result does not depend on the number
/// of threads.
fn products(left: &[f32], right: &[f32], taps: usize) -> Vec<f64> {
    let rows = left.len().checked_div(taps).unwrap_or(0).max(1) as f64;
    let mut sums = vec![0.0; taps * taps];
    sums.par_chunks_mut((ROWS_AT_ONCE * taps).max(1)).enumerate().for_each(|(task, sums)| {
        let mut partial = vec![0.0; sums.len()];
        let first = task * ROWS_AT_ONCE;
        let range = first..first + sums.len() / taps;
        let at_once = (POSITIONS_AT_ONCE * taps).max(1);
        for (left, right) in left.chunks(at_once).zip(right.chunks(at_once)) {
            partial.fill(0.0);
            let left = Matrix::new(left, taps).columns(range.clone()).transposed();
            multiply_add(left, Matrix::new(right, taps), MatrixMut::new(&mut partial, taps));
            sums.iter_mut().zip(&partial).for_each(|(sum, &part)| *sum += f64::from(part));
        }
        sums.iter_mut().for_each(|sum| *sum /= rows);
    });
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut source = fastrand::Rng::with_seed(seed);
        (0..count).map(|_| source.f32()).collect()
    }

    #[test]
    fn products_are_means_over_positions() {
        let (taps, rows) = (70, 300);
        let (left, right) = (numbers(taps * rows, 1), numbers(taps * rows, 2));
        let found = products(&left, &right, taps);
        for (i, j) in [(0, 0), (33, 69), (69, 1)] {
            let sum: f64 =
                (0..rows).map(|row| f64::from(left[row * taps + i]) * f64::from(right[row * taps + j])).sum();
            assert!((found[i * taps + j] - sum / rows as f64).abs() < 1e-5);
        }
    }

    #[test]
    fn without_quantization_the_target_are_the_weights() {
        let inputs = numbers(5 * 400, 3);
        let weights = numbers(5, 4);
        for has_free_bias in [false, true] {
            let moments = Moments::new(inputs.clone(), inputs.clone(), 5, has_free_bias);
            let found = moments.metric().solve(&moments.target(&weights));
            assert!(weights.iter().zip(&found).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4), "{found:?}");
        }
    }

    #[test]
    fn inputs_that_became_smaller_want_larger_weights() {
        let inputs = numbers(5 * 400, 5);
        let halved = inputs.iter().map(|value| value / 2.0).collect();
        let moments = Moments::new(inputs, halved, 5, false);
        let found = moments.metric().solve(&moments.target(&[1.0; 5]));
        assert!(found.iter().all(|&weight| 1.7 < weight && weight < 2.1), "{found:?}");
    }
}
