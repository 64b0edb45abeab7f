//! Inner loops for Armv7E-M (Cortex-M4, M7) and Armv8-M with the DSP extension (M33), in assembly.
//!
//! What is not here is taken from [`Scalar`]: the compiler does as well on it.
#![allow(unsafe_code)]

use core::arch::global_asm;

use super::{Isa, Lanes, Rows, Scalar};
use crate::packing::lanes::RECORD_WORDS;
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
        Scalar::dot4_i8(weights, input)
    }

    #[inline]
    fn multiply_add_i8(sums: &mut [i32], weights: &[i8], input: &[i8]) {
        Scalar::multiply_add_i8(sums, weights, input);
    }

    #[inline]
    fn add_i8(sums: &mut [i32], input: &[i8]) {
        Scalar::add_i8(sums, input);
    }

    #[inline]
    fn max_i8(largest: &mut [i8], input: &[i8]) {
        Scalar::max_i8(largest, input);
    }

    #[inline]
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]) {
        Scalar::requantize(sums, channels, stage, output);
    }

    fn widen<const PIXELS: usize>(rows: &Rows<'_>, output: &mut [i16]) {
        let Rows { input, row_len, rows, pitch, pairs } = *rows;
        let read = (rows.max(1) - 1) * pitch + row_len;
        let own = row_len.div_ceil(2);
        let written = ((rows.max(1) - 1) * pairs + own.max(1) - 1) * 2 * PIXELS + 2;
        let fits = row_len > 0 && rows > 0 && pairs >= own && input.len() >= read && output.len() >= written;
        if !fits || !output.as_ptr().addr().is_multiple_of(4) {
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
