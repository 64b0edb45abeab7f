//! Depthwise convolutions on tap pairs: the calls of `tap_pairs.s`.

use super::last;
use crate::isa::{Run, Stack, Tile};
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

/// What the assembly reads; `tap_pairs.s` names the fields in this order.
#[repr(C)]
struct StackArguments {
    run: *const Run,
    runs: *const Run,
    end: *const Run,
    image: *const i8,
    padding: *const i8,
    columns: usize,
    column_pitch: usize,
    output: *mut u32,
    plane: usize,
}

// Each `secateur_tap_pairs_*` demands of the channels, columns and rows, which are at least 1 (rows beyond the first four are
// `rows`): their inputs, weights and records are valid for reads, their outputs for writes. `entry` skips fewer than all
// steps, by which `channel_input` is set back.
unsafe extern "C" {
    fn secateur_tap_pairs_1(arguments: TileArguments);
    fn secateur_tap_pairs_2(arguments: TileArguments);
    // Each `secateur_stack_rows_*` demands that the rows of all runs and columns are valid for reads of a byte or four,
    // `padding` of as many, and the target for writes of all words of the one channel or the four; runs, which are not empty,
    // and columns are not 0.
    fn secateur_stack_rows_4(arguments: StackArguments);
    fn secateur_stack_rows_1(arguments: StackArguments);
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
    let Stack { runs, column_pitch, columns, channels, plane, .. } = *stack;
    let width = if channels == 4 { 4 } else { 1 };
    let fits = || {
        let read = runs.reach().checked_add(last(columns, column_pitch)?)?.checked_add(channels)?;
        let written = last(channels, plane)?.checked_add(columns.checked_mul(runs.pairs())?)?;
        Some(stack.image.len() >= read && output.len() >= written && runs.pairs() > 0)
    };
    if fits() != Some(true) {
        return;
    }
    let padding = [stack.padding; 4];
    let slice = runs.as_slice();
    for channel in (0..channels).step_by(width) {
        let arguments = StackArguments {
            run: slice.as_ptr(),
            runs: slice.as_ptr(),
            end: slice.as_ptr_range().end,
            image: stack.image.as_ptr().wrapping_add(channel),
            padding: padding.as_ptr(),
            columns,
            column_pitch,
            output: output.as_mut_ptr().wrapping_add(channel * plane),
            plane: plane * size_of::<u32>(),
        };
        // SAFETY: no row of the runs is further than their reach, so the image holds the channels of all columns; the output
        // holds their words. There are pairs, so there is a run, and no run is empty; columns are not 0.
        unsafe {
            if width == 4 { secateur_stack_rows_4(arguments) } else { secateur_stack_rows_1(arguments) }
        }
    }
}
