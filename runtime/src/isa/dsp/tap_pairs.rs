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
    kernel_column: usize,
    second: [i32; 3],
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

// Each `secateur_tap_*` demands of the channels, or twos of channels, and of columns and rows, none of which is 0: their
// inputs, weights and records are valid for reads, their outputs for writes. `rows` are those beyond the first four. `entry`
// skips fewer than all steps, by which the input is set back, and the weights where two channels share them.
unsafe extern "C" {
    fn secateur_tap_one_1(arguments: TileArguments);
    fn secateur_tap_one_2(arguments: TileArguments);
    fn secateur_tap_two_1(arguments: TileArguments);
    fn secateur_tap_two_2(arguments: TileArguments);
    // Each `secateur_stack_rows_*` demands that the rows of all runs and columns are valid for reads of a byte or four,
    // `padding` of as many, and the target for writes of all words of the one channel or the four; runs, which are not empty,
    // and columns are not 0.
    fn secateur_stack_rows_4(arguments: StackArguments);
    fn secateur_stack_rows_1(arguments: StackArguments);
}

#[inline(never)]
pub(super) fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]) {
    let Tile { kernel, advance, plane, column, kernel_column, channels, rows, columns, .. } = *tile;
    // Counts of 16 bits and distances of 32: nothing overflows 64 bits.
    let counts = [channels, rows, columns, kernel.count, kernel.steps];
    let counted = counts.iter().all(|&count| count > 0) && counts.iter().fold(0, |all, n| all | n) < 1 << 16;
    let to_last = |count: usize, distance: usize| (count - 1) as u64 * distance as u64;
    let fits = || {
        let read = to_last(channels, plane)
            + to_last(columns, column)
            + to_last(kernel.count, kernel_column)
            + to_last(kernel.steps, advance)
            + rows.max(Tile::BLOCK) as u64;
        let written = to_last(rows, tile.row_pitch) + to_last(columns, tile.column_pitch) + channels as u64;
        let words = kernel.words() as u64 * channels as u64;
        tile.words.len() as u64 >= read
            && output.len() as u64 >= written
            && tile.weights.len() as u64 >= words
            && tile.records.len() >= RECORD_WORDS * channels
    };
    let steps_fit = kernel.steps <= MOST_STEPS && (1..=2).contains(&advance);
    if !(counted && steps_fit && fits()) {
        return;
    }
    let twos = if tile.is_shared() { channels / 2 } else { 0 };
    for (first, count, together) in [(0, twos, 2), (2 * twos, channels - 2 * twos, 1)] {
        if count == 0 {
            continue;
        }
        let skipped = MOST_STEPS - kernel.steps;
        let step = |row: usize| if row < rows { tile.row_pitch } else { 0 };
        let steps = [step(3), step(2), step(1)];
        let input = tile.words.as_ptr().wrapping_sub(advance * skipped);
        let weights = tile.weights.as_ptr().wrapping_add(kernel.words() * first);
        let weights = if together == 1 { weights } else { weights.wrapping_sub(2 * skipped) };
        let fourth = output.as_mut_ptr().wrapping_add(first + steps.iter().sum::<usize>());
        let arguments = TileArguments {
            input,
            weights,
            bias: 0,
            skip: kernel_column * size_of::<u32>(),
            end: weights,
            // The bytes of the instructions of a step.
            entry: skipped * if together == 1 { 36 } else { 56 },
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
            channels: count,
            record: tile.records.as_ptr().wrapping_add(RECORD_WORDS * first),
            rows: rows.saturating_sub(Tile::BLOCK),
            all_columns: columns,
            column: column * size_of::<u32>(),
            column_pitch: tile.column_pitch,
            channel_bytes: together * kernel.words() * size_of::<u32>(),
            plane: plane * size_of::<u32>(),
            kernel_column: 2 * kernel.steps * size_of::<u32>(),
            second: [0; 3],
        };
        // SAFETY: `fits` says that inputs, weights, records and outputs of all channels, columns and rows are there, and none
        // of them is 0; blocks of fewer than four rows write to the last of them again. The steps are 1 to 8.
        unsafe {
            match (together, advance) {
                (1, 1) => secateur_tap_one_1(arguments),
                (1, _) => secateur_tap_one_2(arguments),
                (_, 1) => secateur_tap_two_1(arguments),
                (_, _) => secateur_tap_two_2(arguments),
            }
        }
    }
}

#[inline(never)]
pub(super) fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
    let Stack { runs, column_pitch, columns, channels, plane, .. } = *stack;
    let width = if channels.is_multiple_of(4) { 4 } else { 1 };
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
