//! Depthwise convolutions on tap pairs: the calls of `tap_pairs.s`.

use super::last;
use crate::isa::{Isa, Scalar, Stack, Tile};
use crate::packing::tap_pairs::{MOST_STEPS, RECORD_WORDS};

/// What the assembly reads, and then counts with; `tap_pairs.s` names the fields in this order.
#[repr(C)]
struct TileArguments {
    input: *const u32,
    weights: *const u32,
    bias: i32,
    skip: usize,
    end: *const u32,
    entry: usize,
    mantissa: i32,
    shift: i32,
    zero_point: i32,
    output: *mut i8,
    /// From the third, second and first output of a block to the one after it.
    steps: [usize; 3],
    left: usize,
    pitch: usize,
    column_input: *const u32,
    column_output: *mut i8,
    columns: usize,
    channel_input: *const u32,
    channel_output: *mut i8,
    channels: usize,
    record: *const i32,
    rows: usize,
    all_columns: usize,
    column: usize,
    column_pitch: usize,
    channel_bytes: usize,
    plane: usize,
}

// Each `secateur_tap_pairs_*` demands of the channels, columns and rows, which are at least 1 (rows beyond the first four are
// `rows`): their inputs, weights and records are valid for reads, their outputs for writes. `entry` skips fewer than all
// steps, by which `channel_input` is set back.
unsafe extern "C" {
    fn secateur_tap_pairs_1(arguments: TileArguments);
    fn secateur_tap_pairs_2(arguments: TileArguments);
    /// `upper` and `lower` are valid for reads of four bytes at each of `pairs` steps of their pitch, `output` for writes of
    /// `pairs` words at each of four steps of `plane` bytes; pairs are not 0.
    fn secateur_stack_rows_4(
        upper: *const i8,
        lower: *const i8,
        output: *mut u32,
        pairs: usize,
        upper_pitch: usize,
        lower_pitch: usize,
        plane: usize,
    );
    /// As above, for reads of a byte and writes of one channel.
    fn secateur_stack_rows_1(
        upper: *const i8,
        lower: *const i8,
        output: *mut u32,
        pairs: usize,
        upper_pitch: usize,
        lower_pitch: usize,
    );
}

/// Bytes of a step's instructions.
const STEP_BYTES: usize = 36;

pub(super) fn tap_pairs<const ADVANCE: usize>(tile: &Tile<'_>, output: &mut [i8]) {
    let Tile { kernel, plane, column, kernel_column, channels, rows, columns, .. } = *tile;
    let fits = || {
        let words = kernel.count.checked_mul(kernel.steps)?.checked_mul(channels)?;
        let block = rows.max(Tile::BLOCK).checked_add(last(kernel.steps, ADVANCE)?)?;
        let read = last(channels, plane)?.checked_add(last(columns, column)?)?;
        let read = read.checked_add(last(kernel.count, kernel_column)?)?.checked_add(block)?;
        let written = last(rows, tile.row_pitch)?.checked_add(last(columns, tile.column_pitch)?)?;
        Some(
            tile.words.len() >= read
                && output.len() > written.checked_add(last(channels, 1)?)?
                && tile.weights.len() >= words
                && tile.records.len() / RECORD_WORDS >= channels
                && kernel.steps <= MOST_STEPS,
        )
    };
    if fits() != Some(true) {
        return;
    }
    let skipped = MOST_STEPS - kernel.steps;
    let step = |row: usize| if row < rows { tile.row_pitch } else { 0 };
    let steps = [step(3), step(2), step(1)];
    let input = tile.words.as_ptr().wrapping_sub(ADVANCE * skipped);
    let fourth = output.as_mut_ptr().wrapping_add(steps.iter().sum());
    let arguments = TileArguments {
        input,
        weights: tile.weights.as_ptr(),
        bias: 0,
        skip: kernel_column * size_of::<u32>(),
        end: tile.weights.as_ptr(),
        entry: STEP_BYTES * skipped,
        mantissa: 0,
        shift: 0,
        zero_point: tile.stage.zero_point.into(),
        output: fourth,
        steps,
        left: 0,
        pitch: tile.row_pitch,
        column_input: input,
        column_output: fourth,
        columns,
        channel_input: input,
        channel_output: fourth,
        channels,
        record: tile.records.as_ptr(),
        rows: rows.saturating_sub(Tile::BLOCK),
        all_columns: columns,
        column: column * size_of::<u32>(),
        column_pitch: tile.column_pitch,
        channel_bytes: kernel.words() * size_of::<u32>(),
        plane: plane * size_of::<u32>(),
    };
    // SAFETY: `fits` says that inputs, weights, records and outputs of all channels, columns and rows are there, and none of
    // them is 0; blocks of fewer than four rows write to the last of them again. The steps are 1 to 8.
    unsafe { if ADVANCE == 1 { secateur_tap_pairs_1(arguments) } else { secateur_tap_pairs_2(arguments) } }
}

pub(super) fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
    let Stack { rows, pitch, pairs, channels, plane, padding } = *stack;
    let width = if channels == 4 { 4 } else { 1 };
    let long_enough = |row: Option<&[i8]>| {
        let needed = || last(pairs, pitch)?.checked_add(channels);
        row.is_none_or(|row| needed().is_some_and(|needed| row.len() >= needed))
    };
    let written = last(channels, plane).and_then(|start| start.checked_add(pairs));
    let fits = pairs > 0 && written.is_some_and(|written| output.len() >= written);
    if !fits || !rows.into_iter().all(long_enough) {
        return Scalar::stack_rows(stack, output);
    }
    let padding = [padding; 4];
    for channel in (0..channels).step_by(width) {
        let source = |row: Option<&[i8]>| {
            row.map_or((padding.as_ptr(), 0), |row| (row.as_ptr().wrapping_add(channel), pitch))
        };
        let [(upper, upper_pitch), (lower, lower_pitch)] = rows.map(source);
        let output = output.as_mut_ptr().wrapping_add(channel * plane);
        // SAFETY: a row holds the channels at each pair, as has been checked; the padding is read at pitch 0. The output has
        // a word per pair and channel, and there is a pair.
        unsafe {
            if width == 4 {
                let plane = plane * size_of::<u32>();
                secateur_stack_rows_4(upper, lower, output, pairs, upper_pitch, lower_pitch, plane);
            } else {
                secateur_stack_rows_1(upper, lower, output, pairs, upper_pitch, lower_pitch);
            }
        }
    }
}
