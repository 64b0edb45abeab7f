//! Sums, maxima and products of rows of bytes: the calls of `rows.s`.

use super::last;
use crate::isa::{Isa, Scalar};

unsafe extern "C" {
    /// `input` is valid for reads of four bytes per four of `fours` at each of `rows` (1 to 255) steps of `pitch`, `sums` for
    /// reads and writes of four per four; fours are not 0.
    fn secateur_add_rows(input: *const i8, pitch: usize, rows: usize, sums: *mut i32, fours: usize);
    /// As above, with bytes in place of sums and any number of rows but 0.
    fn secateur_max_rows(input: *const i8, pitch: usize, rows: usize, largest: *mut i8, fours: usize);
    /// `weights` is valid for reads of four rows of `row_len` bytes, `input` of four bytes per four of `fours`, which are not
    /// 0 and no more than a row has; `sums` for writes of four.
    fn secateur_dot4(weights: *const i8, input: *const i8, row_len: usize, fours: usize, sums: *mut i32);
}

/// Fours of `channels` that every row holds.
fn fours(input: &[i8], channels: usize, rows: usize, pitch: usize) -> usize {
    let start = last(rows, pitch);
    start.and_then(|start| input.len().checked_sub(start)).map_or(0, |len| len.min(channels) / 4)
}

#[inline(never)]
pub(super) fn add_rows_i8(sums: &mut [i32], mut input: &[i8], mut rows: usize, pitch: usize) {
    while rows > 0 {
        // What 16 bits hold for certain.
        let part = rows.min(255);
        let fours = fours(input, sums.len(), part, pitch);
        if fours > 0 {
            // SAFETY: every row holds the fours, and so do the sums. Rows are 1 to 255.
            unsafe { secateur_add_rows(input.as_ptr(), pitch, part, sums.as_mut_ptr(), fours) };
        }
        let (rest, values) = (sums.get_mut(4 * fours..), input.get(4 * fours..));
        Scalar::add_rows_i8(rest.unwrap_or_default(), values.unwrap_or_default(), part, pitch);
        input = input.get(part * pitch..).unwrap_or_default();
        rows -= part;
    }
}

#[inline(never)]
pub(super) fn max_rows_i8(largest: &mut [i8], input: &[i8], rows: usize, pitch: usize) {
    let fours = fours(input, largest.len(), rows, pitch);
    if fours > 0 {
        // SAFETY: every row, of which there is one, holds the fours, and so do the largest values.
        unsafe { secateur_max_rows(input.as_ptr(), pitch, rows, largest.as_mut_ptr(), fours) };
    }
    let (rest, values) = (largest.get_mut(4 * fours..), input.get(4 * fours..));
    Scalar::max_rows_i8(rest.unwrap_or_default(), values.unwrap_or_default(), rows, pitch);
}

#[inline(never)]
pub(super) fn dot4_i8(weights: &[i8], input: &[i8]) -> [i32; 4] {
    let n = input.len();
    let (Some(len), fours @ 1..) = (n.checked_mul(4), n / 4) else { return Scalar::dot4_i8(weights, input) };
    if weights.len() < len {
        return Scalar::dot4_i8(weights, input);
    }
    let mut sums = [0; 4];
    // SAFETY: the weights are four rows as long as the input, which has the fours, of which there is one.
    unsafe { secateur_dot4(weights.as_ptr(), input.as_ptr(), n, fours, sums.as_mut_ptr()) };
    let rest = input.get(4 * fours..).unwrap_or_default();
    if !rest.is_empty() {
        for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(n)) {
            *sum = sum.wrapping_add(Scalar::dot_i8(row.get(4 * fours..).unwrap_or_default(), rest));
        }
    }
    sums
}
