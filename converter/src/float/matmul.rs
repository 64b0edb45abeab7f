//! Matrix products.
#![expect(unsafe_code, reason = "the matrix-multiply crate takes pointers")]

use std::ops::Range;

/// A matrix in a slice.
///
/// Invariant: for each row `r` and column `c`, `r * row_step + c * column_step` is within the slice.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` elements, one after another.
    pub fn new(values: &'a [f32], columns: usize) -> Self {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        Self { values, rows, columns, row_step: columns, column_step: 1 }
    }

    /// Rows as columns.
    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, row_step, column_step } = self;
        Self { values, rows: columns, columns: rows, row_step: column_step, column_step: row_step }
    }

    /// Some of the columns; those that do not exist are left out.
    pub fn columns(self, range: Range<usize>) -> Self {
        let range = range.start.min(self.columns)..range.end.min(self.columns);
        let values = self.values.get(range.start * self.column_step..).unwrap_or_default();
        Self { values, columns: range.len(), ..self }
    }
}

/// A matrix in a slice, to be added to: each row is contiguous.
///
/// Invariant: for each row `r` and column `c`, `r * row_step + c` is within the slice, and `columns <= row_step`.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
}

impl<'a> MatrixMut<'a> {
    /// Rows of `columns` elements, one after another.
    pub fn new(values: &'a mut [f32], columns: usize) -> Self {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        Self { values, rows, columns, row_step: columns }
    }

    /// Some of the columns; those that do not exist are left out.
    pub fn columns(self, range: Range<usize>) -> Self {
        let range = range.start.min(self.columns)..range.end.min(self.columns);
        let values = self.values.get_mut(range.start..).unwrap_or_default();
        Self { values, columns: range.len(), ..self }
    }
}

/// `sum += left x right`, on one thread. Rows and columns that one operand lacks are left alone.
pub fn multiply_add(left: Matrix<'_>, right: Matrix<'_>, sum: MatrixMut<'_>) {
    let rows = left.rows.min(sum.rows);
    let columns = right.columns.min(sum.columns);
    let depth = left.columns.min(right.rows);
    if rows == 0 || columns == 0 || depth == 0 {
        return;
    }
    // SAFETY: by the invariants of `Matrix` and `MatrixMut`, the pointers are valid for every element of the `rows`,
    // `columns` and `depth` given, none of which exceeds the matrix's own; `sum` is borrowed exclusively, and its
    // elements are distinct because `columns <= row_step`.
    unsafe {
        matrixmultiply::sgemm(
            rows,
            depth,
            columns,
            1.0,
            left.values.as_ptr(),
            left.row_step as isize,
            left.column_step as isize,
            right.values.as_ptr(),
            right.row_step as isize,
            right.column_step as isize,
            1.0,
            sum.values.as_mut_ptr(),
            sum.row_step as isize,
            1,
        );
    }
}

/// The sum of the products of two slices' elements.
pub fn dot(left: &[f32], right: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (left_lanes, left_rest) = left.as_chunks::<LANES>();
    let (right_lanes, right_rest) = right.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (left, right) in left_lanes.iter().zip(right_lanes) {
        for lane in 0..LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_parts_and_transposes() {
        let left = [1.0, 2.0, 9.0, 3.0, 4.0, 9.0];
        let right = [1.0, 10.0, 100.0, 1000.0];
        let mut sum = [0.5; 6];
        let left = Matrix::new(&left, 3).columns(0..2);
        multiply_add(left, Matrix::new(&right, 2).transposed(), MatrixMut::new(&mut sum, 3).columns(1..3));
        assert_eq!(sum, [0.5, 21.5, 2100.5, 0.5, 43.5, 4300.5]);
    }

    #[test]
    fn operands_that_do_not_fit_touch_nothing_outside() {
        let mut sum = [0.0; 2];
        multiply_add(Matrix::new(&[1.0; 9], 3), Matrix::new(&[1.0; 4], 2), MatrixMut::new(&mut sum, 1));
        assert_eq!(sum, [2.0, 2.0]);
        multiply_add(Matrix::new(&[], 0), Matrix::new(&[1.0], 1), MatrixMut::new(&mut sum, 2).columns(5..7));
        assert_eq!(sum, [2.0, 2.0]);
    }

    #[test]
    fn dot_products_of_any_length() {
        for length in [0, 1, 15, 16, 17, 33] {
            let values: Vec<f32> = (0..length).map(|value| value as f32).collect();
            assert_eq!(dot(&values, &vec![2.0; length]), (length * length.saturating_sub(1)) as f32);
        }
    }
}
