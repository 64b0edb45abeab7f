//! Inner loops for Armv7E-M (Cortex-M4, M7) and Armv8-M with the DSP extension (M33), in assembly.
//!
//! What is not here is taken from [`Scalar`]: the compiler does as well on it.
#![allow(unsafe_code)]

mod rows;
mod tap_pairs;

use core::arch::global_asm;

use super::{Isa, Lanes, Planes, RowBlocks, Rows, Scalar, Stack, Strip, Tile};
use crate::packing::lanes::RECORD_WORDS;
use crate::packing::row_pairs::{RECORD_WORDS as PLANE_RECORD_WORDS, WEIGHT_WORDS};
use crate::quant::{ChannelQuant, CommonScale, Multiplier, OutputStage};

// The triple thumbv8m.main stands for cores without the extension too; a board that has it says so.
#[cfg(armv8m)]
global_asm!(".cpu cortex-m33", options(raw));

// `FPU`: whether its registers can hold what the core's do not. The hard-float targets have it for certain.
#[cfg(target_abi = "eabihf")]
global_asm!(".fpu fpv4-sp-d16\n.equ FPU, 1", options(raw));
#[cfg(not(target_abi = "eabihf"))]
global_asm!(".equ FPU, 0", options(raw));

global_asm!(include_str!("macros.s"), options(raw));
global_asm!(include_str!("lanes.s"), options(raw));
global_asm!(include_str!("row_pairs.s"), options(raw));
global_asm!(include_str!("widen.s"), options(raw));
global_asm!(include_str!("add.s"), options(raw));
global_asm!(include_str!("tap_pairs.s"), options(raw));
global_asm!(include_str!("rows.s"), options(raw));

/// What the assembly reads; `lanes.s` loads the fields in this order.
#[repr(C)]
struct LaneArguments {
    words: *const u32,
    input: *const i16,
    records: *const i32,
    records_end: *const i32,
    output: *mut i8,
    pairs: usize,
    count: usize,
    step: usize,
    gap: usize,
    pitch: usize,
    zero_point: i32,
    finish: usize,
}

// Each function of `lanes.s` demands:
// - `words` and `records` are valid for reads of all groups, `input` (4-aligned) for those of the pairs of all steps;
// - `output`, and for two pixels `output + pitch`, are valid for writes of one byte per channel of all groups in every step,
//   but for the last channel if `finish` is 2;
// - at least one group, one pair and one step.
unsafe extern "C" {
    fn secateur_lanes_4x2(arguments: *const LaneArguments);
    fn secateur_lanes_2x2(arguments: *const LaneArguments);
    fn secateur_lanes_8x1(arguments: *const LaneArguments);
    fn secateur_lanes_4x1(arguments: *const LaneArguments);
    fn secateur_lanes_2x1(arguments: *const LaneArguments);
}

// `input` is valid for reads of `rows` rows of `row_len` bytes, `input_pitch` bytes apart; `output` (4-aligned) for writes of
// the pairs of all rows, 4 (`_1`) or 8 (`_2`) bytes apart, with `skip` bytes between rows. Rows and their length are at
// least 1.
unsafe extern "C" {
    fn secateur_widen_1(
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

/// What the assembly reads; `add.s` loads the fields in this order.
#[repr(C)]
struct SumArguments {
    zero_points: [i32; 2],
    mantissa: i32,
    shift: i32,
    output_mantissa: i32,
    output_shift: i32,
    output_zero_point: i32,
}

unsafe extern "C" {
    /// Operands and output are valid for `len` bytes, a multiple of 4 and not 0.
    fn secateur_add(
        half: *const i8,
        other: *const i8,
        output: *mut i8,
        len: usize,
        arguments: *const SumArguments,
    );
}

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
    fn secateur_row_pairs_1_relu(arguments: *const PlaneArguments);
    fn secateur_row_pairs_2(arguments: *const PlaneArguments);
    fn secateur_row_pairs_2_relu(arguments: *const PlaneArguments);
    /// The rows are valid for reads of four bytes at each of `columns` steps of their pitch in each of `count` blocks, `output`
    /// for writes of four words for each; columns and count are not 0. A gap leads from behind the last column to the next
    /// block's first one.
    fn secateur_pair_rows(arguments: *const RowArguments);
}

/// Distance from the first of `count` things to the last, `pitch` apart; `None` if there is none or the distance is larger
/// than any slice. A wrong call must not pass for a right one because its sizes wrap at 32 bits.
fn last(count: usize, pitch: usize) -> Option<usize> {
    count.checked_sub(1)?.checked_mul(pitch)
}

/// Dual 16-bit multiply-accumulates.
#[derive(Debug, Clone, Copy)]
pub struct Dsp;

impl Isa for Dsp {
    #[inline]
    fn dot_i8(weights: &[i8], input: &[i8]) -> i32 {
        Scalar::dot_i8(weights, input)
    }

    #[inline]
    fn dot4_i8(weights: &[i8], input: &[i8]) -> [i32; 4] {
        rows::dot4_i8(weights, input)
    }

    #[inline]
    fn multiply_add_i8(sums: &mut [i32], weights: &[i8], input: &[i8]) {
        Scalar::multiply_add_i8(sums, weights, input);
    }

    #[inline]
    fn add_rows_i8(sums: &mut [i32], input: &[i8], rows: usize, pitch: usize) {
        rows::add_rows_i8(sums, input, rows, pitch);
    }

    #[inline]
    fn max_rows_i8(largest: &mut [i8], input: &[i8], rows: usize, pitch: usize) {
        rows::max_rows_i8(largest, input, rows, pitch);
    }

    #[inline]
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]) {
        Scalar::requantize(sums, channels, stage, output);
    }

    fn sum_i8(scale: &CommonScale, operands: [&[i8]; 2], output: &mut [i8]) {
        const HALF: Multiplier = Multiplier { mantissa: 1 << 30, shift: 0 };
        let half = usize::from(scale.inputs[0] != HALF);
        let other = scale.inputs[1 - half];
        let shifts_right = |multiplier: Multiplier| (-31..=-1).contains(&multiplier.shift);
        let fast = scale.inputs[half] == HALF && shifts_right(other) && shifts_right(scale.output);
        let len = if fast { output.len().min(operands[0].len()).min(operands[1].len()) / 4 * 4 } else { 0 };
        let (whole, rest) = output.split_at_mut(len);
        if len > 0 {
            let zero_point = |index: usize, bits: u32| -i32::from(scale.zero_points[index]) << bits;
            let arguments = SumArguments {
                zero_points: [zero_point(half, 20), zero_point(1 - half, 21)],
                mantissa: other.mantissa,
                shift: -other.shift,
                output_mantissa: scale.output.mantissa,
                output_shift: -scale.output.shift,
                output_zero_point: scale.stage.zero_point.into(),
            };
            let [half, other] = [operands[half].as_ptr(), operands[1 - half].as_ptr()];
            // SAFETY: all three slices have at least `len` bytes, which are a multiple of 4 and not 0.
            unsafe { secateur_add(half, other, whole.as_mut_ptr(), len, &arguments) };
            scale.stage.clamp(whole);
        }
        let rests = operands.map(|operand| operand.get(len..).unwrap_or_default());
        Scalar::sum_i8(scale, rests, rest);
    }

    fn widen(rows: &Rows<'_>, output: &mut [i16]) {
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

    fn pair_rows(rows: [Option<&[i8]>; 2], blocks: &RowBlocks, output: &mut [u32]) {
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

    fn row_pairs(planes: &Planes<'_>, output: &mut [i8]) {
        let Planes { stride, channels, rows, columns, row_words, group_words, .. } = *planes;
        let fits = || {
            let last_column = last(columns, stride)?.checked_add(2)?.checked_mul(4)?;
            let last_pair = if stride == 1 { rows.div_ceil(2) } else { rows };
            let read = last_pair.checked_mul(row_words)?.checked_add(last_column)?.checked_add(4)?;
            let read = last(channels.div_ceil(4), group_words)?.checked_add(read)?;
            let last_output = last(columns, planes.column_pitch)?.checked_add(channels)?;
            let written = last(rows, planes.row_pitch)?.checked_add(last_output)?;
            let constants = planes.weights.len() / WEIGHT_WORDS >= channels
                && planes.records.len() / PLANE_RECORD_WORDS >= channels;
            Some(planes.words.len() >= read && output.len() >= written && constants)
        };
        if fits() != Some(true) {
            return;
        }
        let output_rows = if stride == 1 { 2 } else { 1 };
        let mut records = planes.records.chunks_exact(PLANE_RECORD_WORDS).take(channels);
        let small = records.all(|record| record.last().is_some_and(|shift| (1..=23).contains(shift)));
        let relu = small && planes.stage.zero_point == i8::MIN;
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
            match (stride, relu) {
                (1, false) => secateur_row_pairs_1(&arguments),
                (1, true) => secateur_row_pairs_1_relu(&arguments),
                (2, false) => secateur_row_pairs_2(&arguments),
                (2, true) => secateur_row_pairs_2_relu(&arguments),
                _ => {}
            }
        }
    }

    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
        tap_pairs::stack_rows(stack, output);
    }

    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]) {
        tap_pairs::tap_pairs(tile, output);
    }

    fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        let Strip { pixels, pairs, count, step, channels, advance, pitch } = *strip;
        // Sizes are powers of two.
        let (size, size_bits) = (lanes.size, lanes.size.trailing_zeros());
        let groups = (channels + size - 1) >> size_bits;
        let missing = (groups << size_bits) - channels;
        // What saturates is more than any slice holds.
        let (steps, second) = (count.wrapping_sub(1), if pixels == 1 { 0 } else { pitch });
        let words = groups.saturating_mul(pairs);
        let read = steps.saturating_mul(step).saturating_add(pairs);
        let written = steps.saturating_mul(advance).saturating_add(second).saturating_add(channels);
        let fits = size.is_power_of_two()
            && words <= lanes.words.len() >> size_bits.saturating_sub(1)
            && groups.saturating_mul(size * RECORD_WORDS) <= lanes.records.len()
            && read <= input.len() >> pixels
            && written <= output.len();
        let kind = match missing {
            0 if lanes.stage.zero_point == i8::MIN => 0,
            0 => 1,
            _ => 2,
        };
        let one_odd = missing == 0 || (missing == 1 && groups == 1);
        let aligned = input.as_ptr().addr().is_multiple_of(4);
        if !fits || !aligned || !one_odd || groups == 0 || pairs == 0 || count == 0 {
            return;
        }
        let records = lanes.records.as_ptr();
        let arguments = LaneArguments {
            words: lanes.words.as_ptr(),
            input: input.as_ptr(),
            records,
            records_end: records.wrapping_add(groups * size * RECORD_WORDS),
            output: output.as_mut_ptr(),
            pairs,
            count,
            step: step * 2 * pixels * size_of::<i16>(),
            gap: advance.wrapping_sub(channels),
            pitch,
            zero_point: lanes.stage.zero_point.into(),
            finish: kind,
        };
        // SAFETY: `fits` says that words, records, input and output hold all groups, pairs and steps; the counts are not 0, the
        // input is aligned. A group of whose channels one is not to be written is the only one.
        unsafe {
            match (size, pixels) {
                (4, 2) => secateur_lanes_4x2(&arguments),
                (2, 2) => secateur_lanes_2x2(&arguments),
                (8, 1) if missing == 0 => secateur_lanes_8x1(&arguments),
                (4, 1) => secateur_lanes_4x1(&arguments),
                (2, 1) => secateur_lanes_2x1(&arguments),
                _ => {}
            }
        }
    }
}
