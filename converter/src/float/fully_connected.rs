//! Matrix product with a filter.

use super::activation::clamp;
use super::convolution::fill_rows;
use super::matmul::{Matrix, MatrixMut, dot, multiply_add};
use super::{Array, ArrayMut, Threads};
use crate::ir::attributes::FullyConnected;

/// Rows that make it worth the while to reorder the filter for a matrix product.
const ROWS_OF_A_PRODUCT: usize = 8;
/// Rows, or outputs of a single row, that a thread takes at once.
const STRIP: usize = 128;

/// Input of any rank, filter `[O, I]`, bias `[O]`; shapes are as [`crate::ir::infer`] demands.
pub fn fully_connected(
    attributes: &FullyConnected,
    input: Array<'_>,
    filter: Array<'_>,
    bias: Option<&[f32]>,
    output: ArrayMut<'_>,
    threads: Threads,
) {
    let [outputs, columns] = filter.dims();
    if outputs == 0 || columns == 0 {
        return;
    }
    let activation = attributes.activation;
    if output.values.len() / outputs >= ROWS_OF_A_PRODUCT {
        let filters = Matrix::new(filter.values, columns).transposed();
        threads.for_each_chunk(output.values, STRIP * outputs, |index, sums| {
            fill_rows(sums, bias, outputs);
            let rows = sums.len() / outputs;
            let input = &input.values[index * STRIP * columns..][..rows * columns];
            multiply_add(Matrix::new(input, columns), filters, MatrixMut::new(sums, outputs));
            clamp(activation, sums);
        });
        return;
    }
    for (sums, row) in output.values.chunks_exact_mut(outputs).zip(input.values.chunks_exact(columns)) {
        threads.for_each_chunk(sums, STRIP, |index, sums| {
            let first = index * STRIP;
            let filters = filter.values[first * columns..].chunks_exact(columns);
            for (at, (sum, filter)) in sums.iter_mut().zip(filters).enumerate() {
                *sum = dot(row, filter) + bias.map_or(0.0, |bias| bias[first + at]);
            }
            clamp(activation, sums);
        });
    }
}
