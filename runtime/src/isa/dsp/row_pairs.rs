//! 3x3 depthwise convolutions on row pairs: the calls of `row_pairs.s`.

use super::last;
use crate::isa::{Isa, Planes, RowBlocks, Scalar};
use crate::packing::row_pairs::{RECORD_WORDS, WEIGHT_WORDS};

/// What the assembly reads; `row_pairs.s` loads the fields in this order.
#[repr(C)]
struct PlaneArguments {
    weights: *const u32,
    records: *const i32,
    words: *const u32,
    output: *mut i8,
    channels: usize,
    column_pitch: usize,
    rows: usize,
    zero_point: i32,
    row_pitch: usize,
    pitch: usize,
    pairs: usize,
    advance: isize,
    odd: usize,
    single: usize,
    group: usize,
}

/// What the assembly reads; `row_pairs.s` loads the fields in this order.
#[repr(C)]
struct RowArguments {
    upper: *const i8,
    lower: *const i8,
    output: *mut u32,
    columns: usize,
    upper_pitch: usize,
    lower_pitch: usize,
    count: usize,
    gap: usize,
    upper_gap: usize,
    lower_gap: usize,
}

// Each `secateur_row_pairs_*` demands that weights and records are those of `channels` channels, `words` valid for reads of
// `rows` rows and one more of as many columns as the outputs need in each group of four, `output` for writes of all outputs;
// rows and channels are not 0.
unsafe extern "C" {
    fn secateur_row_pairs_1(arguments: *const PlaneArguments);
    fn secateur_row_pairs_2(arguments: *const PlaneArguments);
    /// The rows are valid for reads of four bytes at each of `columns` steps of their pitch in each of `count` blocks, `output`
    /// for writes of four words for each; columns and count are not 0. A gap leads from behind the last column to the next
    /// block's first one.
    fn secateur_pair_rows(arguments: *const RowArguments);
}

pub(super) fn pair_rows(rows: [Option<&[i8]>; 2], blocks: &RowBlocks, output: &mut [u32]) {
    let RowBlocks { columns, channels, pitch, padding, count, step, words } = *blocks;
    let fits = || {
        let read = last(columns, pitch)?.checked_add(last(count, step)?)?.checked_add(4)?;
        let written = last(count, words)?.checked_add(columns.checked_mul(4)?)?;
        let long_enough = |row: &Option<&[i8]>| row.is_none_or(|row| row.len() >= read);
        Some(rows.iter().all(long_enough) && output.len() >= written)
    };
    if !(1..=4).contains(&channels) || fits() != Some(true) {
        return Scalar::pair_rows(rows, blocks, output);
    }
    // A row of padding is four bytes that are read at every column of every block.
    let padding = [padding; 4];
    let place = |row: Option<&[i8]>| match row {
        Some(row) => (row.as_ptr(), pitch, step.wrapping_sub(columns * pitch)),
        None => (padding.as_ptr(), 0, 0),
    };
    let [(upper, upper_pitch, upper_gap), (lower, lower_pitch, lower_gap)] = rows.map(place);
    let arguments = RowArguments {
        upper,
        lower,
        output: output.as_mut_ptr(),
        columns,
        upper_pitch,
        lower_pitch,
        count,
        gap: words.wrapping_sub(4 * columns).wrapping_mul(size_of::<u32>()),
        upper_gap,
        lower_gap,
    };
    // SAFETY: `fits` says that the rows hold four bytes at each column of all blocks, and the output their words.
    unsafe { secateur_pair_rows(&arguments) };
}

pub(super) fn row_pairs(planes: &Planes<'_>, output: &mut [i8]) {
    let Planes { stride, channels, rows, columns, row_words, group_words, .. } = *planes;
    let fits = || {
        let last_column = last(columns, stride)?.checked_add(2)?.checked_mul(4)?;
        let last_pair = if stride == 1 { rows.div_ceil(2) } else { rows };
        let read = last_pair.checked_mul(row_words)?.checked_add(last_column)?.checked_add(4)?;
        let read = last(channels.div_ceil(4), group_words)?.checked_add(read)?;
        let last_output = last(columns, planes.column_pitch)?.checked_add(channels)?;
        let written = last(rows, planes.row_pitch)?.checked_add(last_output)?;
        let constants = planes.weights.len() / WEIGHT_WORDS >= channels
            && planes.records.len() / RECORD_WORDS >= channels;
        Some(planes.words.len() >= read && output.len() >= written && constants)
    };
    if fits() != Some(true) {
        return;
    }
    let output_rows = if stride == 1 { 2 } else { 1 };
    let arguments = PlaneArguments {
        weights: planes.weights.as_ptr(),
        records: planes.records.as_ptr(),
        words: planes.words.as_ptr(),
        output: output.as_mut_ptr(),
        channels,
        column_pitch: planes.column_pitch,
        rows: rows.div_ceil(output_rows),
        zero_point: planes.stage.zero_point.into(),
        row_pitch: planes.row_pitch,
        pitch: row_words * size_of::<u32>(),
        pairs: columns / 2 * 2 * stride * 4 * size_of::<u32>(),
        advance: (output_rows * planes.row_pitch) as isize - (columns * planes.column_pitch) as isize,
        odd: columns % 2,
        single: rows % output_rows,
        group: group_words.wrapping_sub(3) * size_of::<u32>(),
    };
    // SAFETY: `fits` says that constants, words and outputs of all channels, rows and columns are there. Where the last of
    // a pair of rows is missing it is written over the one before; its words are those of a pair.
    unsafe {
        match stride {
            1 => secateur_row_pairs_1(&arguments),
            2 => secateur_row_pairs_2(&arguments),
            _ => {}
        }
    }
}
