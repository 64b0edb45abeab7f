//! Inputs as 16-bit values: the calls of `widen.s`.

use super::last;
use crate::isa::Rows;

// `input` is valid for reads of `rows` rows of `row_len` bytes, `input_pitch` bytes apart; `output` (4-aligned) for writes of
// the pairs of all rows, 4 (`_1`) or 8 (`_2`) bytes apart, with `skip` bytes between rows. Rows and their length are at
// least 1.
unsafe extern "C" {
    pub(super) fn secateur_widen_1(
        input: *const i8,
        output: *mut i16,
        row_len: usize,
        rows: usize,
        input_pitch: usize,
        skip: usize,
        odd: usize,
    );
    fn secateur_widen_2(
        input: *const i8,
        output: *mut i16,
        row_len: usize,
        rows: usize,
        input_pitch: usize,
        skip: usize,
        odd: usize,
    );
    // The same for rows of one value, and of three with pairs 8 bytes apart, `step` bytes from a row's pairs to the next.
    fn secateur_spread(input: *const i8, output: *mut i16, rows: usize, input_pitch: usize, step: usize);
    fn secateur_widen_three(input: *const i8, output: *mut i16, rows: usize, input_pitch: usize, step: usize);
    fn secateur_widen_three_odd(
        input: *const i8,
        output: *mut i16,
        rows: usize,
        input_pitch: usize,
        step: usize,
    );
}

pub(super) fn widen(rows: &Rows<'_>, output: &mut [i16]) {
    let Rows { input, row_len, rows, pitch, pairs, odd, pixels } = *rows;
    let odd = usize::from(odd);
    let own = odd.saturating_add(row_len).div_ceil(2);
    let fits = || {
        let read = last(rows, pitch)?.checked_add(row_len)?;
        let last_pair = last(rows, pairs)?.checked_add(own.checked_sub(1)?)?;
        let written = last_pair.checked_mul(2 * pixels)?.checked_add(2)?;
        Some(pairs >= own && input.len() >= read && output.len() >= written)
    };
    if fits() != Some(true)
        || row_len == 0
        || !(1..=2).contains(&pixels)
        || !output.as_ptr().addr().is_multiple_of(4)
    {
        return;
    }
    // Rows that lie side by side are one.
    let whole = pitch == row_len && 2 * pairs == row_len && odd == 0;
    let (row_len, rows) = if whole { (row_len * rows, 1) } else { (row_len, rows) };
    let step = pairs * 2 * pixels * size_of::<i16>();
    let (input, output) = (input.as_ptr(), output.as_mut_ptr());
    // SAFETY: `fits` says that the input holds all rows at their pitch, and the output every pair up to the last; rows
    // and their length are not 0. The output is aligned, and pairs are a multiple of 4 bytes apart.
    unsafe {
        match (row_len, pixels, odd) {
            (1, _, _) => secateur_spread(input, output.wrapping_add(odd), rows, pitch, step),
            (3, 2, 0) => secateur_widen_three(input, output, rows, pitch, step),
            (3, 2, _) => secateur_widen_three_odd(input, output, rows, pitch, step),
            _ => {
                let widen = if pixels == 1 { secateur_widen_1 } else { secateur_widen_2 };
                let skip = step - own * 2 * pixels * size_of::<i16>();
                widen(input, output, row_len, rows, pitch, skip, odd);
            }
        }
    }
}
