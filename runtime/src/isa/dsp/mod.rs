//! Inner loops for Armv7E-M (Cortex-M4, M7) and Armv8-M with the DSP extension (M33), in assembly.
//!
//! What is not here is taken from [`Scalar`]: the compiler does as well on it.
#![allow(unsafe_code)]

mod rows;
mod tap_pairs;

use core::arch::global_asm;

use super::{Isa, Lanes, Plane, Rows, Scalar, Stack, Tile};
use crate::packing::lanes::RECORD_WORDS;
use crate::packing::row_pairs::WEIGHT_WORDS;
use crate::quant::{ChannelQuant, OutputStage};

// The triple thumbv8m.main stands for cores without the extension too; a board that has it says so.
#[cfg(armv8m)]
global_asm!(".cpu cortex-m33", options(raw));

// `FPU`: whether s0 can hold a loop's end. The hard-float targets have it for certain.
#[cfg(target_abi = "eabihf")]
global_asm!(".fpu fpv4-sp-d16\n.equ FPU, 1", options(raw));
#[cfg(not(target_abi = "eabihf"))]
global_asm!(".equ FPU, 0", options(raw));

global_asm!(include_str!("lanes.s"), options(raw));
global_asm!(include_str!("row_pairs.s"), options(raw));
global_asm!(include_str!("tap_pairs.s"), options(raw));
global_asm!(include_str!("rows.s"), options(raw));

/// What the assembly reads; `lanes.s` loads the fields in this order.
#[repr(C)]
struct LaneArguments {
    words: *const u32,
    input: *const i16,
    records: *const i32,
    output: *mut i8,
    groups: usize,
    pairs: usize,
    zero_point: i32,
    pitch: usize,
    relu: u32,
}

// Each function of `lanes.s` demands:
// - `words`, `records` and `input` are valid for reads of all groups, groups and pairs, `input` 4-aligned;
// - `output`, and for two pixels `output + pitch`, are valid for writes of one byte per channel of all groups;
// - at least one group and one pair.
unsafe extern "C" {
    fn secateur_lanes_4x2(arguments: *const LaneArguments);
    fn secateur_lanes_2x2(arguments: *const LaneArguments);
    fn secateur_lanes_8x1(arguments: *const LaneArguments);
    fn secateur_lanes_4x1(arguments: *const LaneArguments);
    fn secateur_lanes_2x1(arguments: *const LaneArguments);
    // `input` is valid for reads of `rows` rows of `row_len` bytes, `input_pitch` bytes apart; `output` (4-aligned) for
    // writes of the pairs of all rows, 4 (`_1`) or 8 (`_2`) bytes apart, with `skip` bytes between rows. Rows and their length are at least 1.
    fn secateur_widen_1(
        input: *const i8,
        output: *mut i16,
        row_len: usize,
        rows: usize,
        input_pitch: usize,
        skip: usize,
    );
    fn secateur_widen_2(
        input: *const i8,
        output: *mut i16,
        row_len: usize,
        rows: usize,
        input_pitch: usize,
        skip: usize,
    );
}

/// What the assembly reads; `row_pairs.s` loads the fields in this order.
#[repr(C)]
struct PlaneArguments {
    weights: *const u32,
    upper: *const u32,
    lower: *const u32,
    bias: i32,
    mantissa: i32,
    shift: i32,
    zero_point: i32,
    output: *mut i8,
    column: usize,
    row: usize,
    end: *const u32,
    next: usize,
    rows: usize,
    advance: isize,
    odd: usize,
    pitch: usize,
}

// Each `secateur_row_pairs_*` demands that `weights` is valid for reads of six words, the words from `upper` on for reads of
// `rows` rows and one more of as many columns as the outputs need, `output` for writes of all outputs; rows are not 0.
unsafe extern "C" {
    fn secateur_row_pairs_1(arguments: *const PlaneArguments);
    fn secateur_row_pairs_1_relu(arguments: *const PlaneArguments);
    fn secateur_row_pairs_2(arguments: *const PlaneArguments);
    fn secateur_row_pairs_2_relu(arguments: *const PlaneArguments);
    /// `upper` and `lower` are valid for reads of four bytes at each of `columns` steps of their pitch, `output` for writes of
    /// four words per column; columns are not 0.
    fn secateur_pair_rows(
        upper: *const i8,
        lower: *const i8,
        output: *mut u32,
        columns: usize,
        upper_pitch: usize,
        lower_pitch: usize,
    );
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

    fn widen<const PIXELS: usize>(rows: &Rows<'_>, output: &mut [i16]) {
        let Rows { input, row_len, rows, pitch, pairs } = *rows;
        let own = row_len.div_ceil(2);
        let fits = || {
            let read = last(rows, pitch)?.checked_add(row_len)?;
            let last_pair = last(rows, pairs)?.checked_add(own.checked_sub(1)?)?;
            let written = last_pair.checked_mul(2 * PIXELS)?.checked_add(2)?;
            Some(pairs >= own && input.len() >= read && output.len() >= written)
        };
        if fits() != Some(true) || !output.as_ptr().addr().is_multiple_of(4) {
            return;
        }
        // SAFETY: `fits` says that the input holds all rows at their pitch, and the output every pair up to the last; rows
        // and their length are not 0. The output is aligned, and pairs are a multiple of 4 bytes apart.
        unsafe {
            let widen = if PIXELS == 1 { secateur_widen_1 } else { secateur_widen_2 };
            let skip = (pairs - own) * 2 * PIXELS * size_of::<i16>();
            widen(input.as_ptr(), output.as_mut_ptr(), row_len, rows, pitch, skip);
        }
    }

    fn pair_rows(rows: [Option<&[i8]>; 2], channels: usize, pitch: usize, padding: i8, output: &mut [u32]) {
        let columns = output.len() / 4;
        let long_enough = |row: Option<&[i8]>| {
            row.is_none_or(|row| last(columns, pitch).is_some_and(|at| row.len() >= 4 && at <= row.len() - 4))
        };
        if channels != 4 || columns == 0 || !rows.into_iter().all(long_enough) {
            return Scalar::pair_rows(rows, channels, pitch, padding, output);
        }
        let padding = [padding; 4];
        let source = |row: Option<&[i8]>| row.map_or((padding.as_ptr(), 0), |row| (row.as_ptr(), pitch));
        let [(upper, upper_pitch), (lower, lower_pitch)] = rows.map(source);
        // SAFETY: a row holds four bytes at each column, as has been checked; the padding is read at pitch 0. The output has
        // four words per column, and there is a column.
        unsafe {
            secateur_pair_rows(upper, lower, output.as_mut_ptr(), columns, upper_pitch, lower_pitch);
        }
    }

    #[inline(never)]
    fn row_pairs(plane: &Plane<'_>, output: &mut [i8]) {
        let stride = plane.stride;
        let fits = || {
            let last_column = last(plane.columns, stride)?.checked_add(2)?.checked_mul(4)?;
            let last_pair = if stride == 1 { plane.rows.div_ceil(2) } else { plane.rows };
            let read = last_pair.checked_mul(plane.row_words)?.checked_add(last_column)?;
            let columns = last(plane.columns, plane.column_pitch)?;
            let written = last(plane.rows, plane.row_pitch)?.checked_add(columns)?;
            Some(plane.words.len() > read && output.len() > written && plane.weights.len() >= WEIGHT_WORDS)
        };
        let (&[bias, mantissa, shift], Some(true), 1..=2) = (plane.record, fits(), stride) else {
            return;
        };
        let pitch = plane.row_words * size_of::<u32>();
        let pairs = plane.columns / 2 * 2 * stride * 4;
        let output_rows = if stride == 1 { 2 } else { 1 };
        let relu = plane.stage.zero_point == i8::MIN;
        let (whole, single) = (plane.rows / output_rows, plane.rows % output_rows);
        for (first, rows, row) in [(0, whole, plane.row_pitch), (plane.rows - single, single, 0)] {
            if rows == 0 {
                continue;
            }
            // A row of words for each row, or pair of rows, of outputs.
            let words = plane.words.as_ptr().wrapping_add(first / output_rows * plane.row_words);
            let arguments = PlaneArguments {
                weights: plane.weights.as_ptr(),
                upper: words,
                lower: words.wrapping_add(plane.row_words),
                bias,
                mantissa,
                shift,
                zero_point: plane.stage.zero_point.into(),
                output: output.as_mut_ptr().wrapping_add(first * plane.row_pitch),
                column: plane.column_pitch,
                row,
                end: words.wrapping_add(pairs),
                next: pitch - pairs * size_of::<u32>(),
                rows,
                advance: (output_rows * plane.row_pitch) as isize
                    - (plane.columns * plane.column_pitch) as isize,
                odd: plane.columns % 2,
                pitch,
            };
            // SAFETY: `fits` says that the words and the outputs of all rows and columns are there. A single last row of
            // stride 1 is written with distance 0 to a second one that does not exist; its words are those of a pair.
            unsafe {
                match (stride, relu) {
                    (1, false) => secateur_row_pairs_1(&arguments),
                    (1, true) => secateur_row_pairs_1_relu(&arguments),
                    (_, false) => secateur_row_pairs_2(&arguments),
                    (_, true) => secateur_row_pairs_2_relu(&arguments),
                }
            }
        }
    }

    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
        tap_pairs::stack_rows(stack, output);
    }

    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]) {
        tap_pairs::tap_pairs(tile, output);
    }

    fn lanes<const SIZE: usize, const PIXELS: usize>(
        lanes: &Lanes<'_>,
        input: &[i16],
        mut outputs: [&mut [i8]; PIXELS],
    ) {
        let pairs = input.len() / (2 * PIXELS);
        let groups = outputs.iter().map(|out| out.len() / SIZE).min().unwrap_or(0);
        let words = groups.checked_mul(pairs).and_then(|words| words.checked_mul(SIZE / 2));
        let fits = words.is_some_and(|words| lanes.words.len() >= words)
            && lanes.records.len() / RECORD_WORDS / SIZE >= groups
            && input.as_ptr().addr().is_multiple_of(4);
        let (Some(first), true, true) = (outputs.first_mut(), groups > 0 && pairs > 0, fits) else { return };
        let output = first.as_mut_ptr();
        let pitch = outputs.last_mut().map_or(0, |last| last.as_mut_ptr().addr().wrapping_sub(output.addr()));
        let stage = lanes.stage;
        let arguments = LaneArguments {
            words: lanes.words.as_ptr(),
            input: input.as_ptr(),
            records: lanes.records.as_ptr(),
            output,
            groups,
            pairs,
            zero_point: stage.zero_point.into(),
            pitch,
            relu: u32::from(stage.zero_point == i8::MIN),
        };
        // SAFETY: `fits` and the counts say that words, records, input and outputs hold all groups and pairs; `pitch` leads
        // from the first output to the last, which is the second where there are two. Groups and pairs are not 0.
        unsafe {
            match (SIZE, PIXELS) {
                (4, 2) => secateur_lanes_4x2(&arguments),
                (2, 2) => secateur_lanes_2x2(&arguments),
                (8, 1) => secateur_lanes_8x1(&arguments),
                (4, 1) => secateur_lanes_4x1(&arguments),
                (2, 1) => secateur_lanes_2x1(&arguments),
                _ => {}
            }
        }
    }
}
