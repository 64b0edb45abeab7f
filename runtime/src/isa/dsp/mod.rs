//! Inner loops for Armv7E-M (Cortex-M4, M7) and Armv8-M with the DSP extension (M33), in assembly.
//!
//! What is not here is taken from [`Scalar`]: the compiler does as well on it.
#![allow(unsafe_code)]

mod lanes;
mod nibble_lanes;
mod row_pairs;
mod rows;
mod signs;
mod sum;
mod tap_pairs;
mod widen;
mod xnor;

use core::arch::global_asm;

use super::{Isa, Lanes, Planes, RowBlocks, Rows, Scalar, Signs, Stack, Strip, Tile, Xnor};
use crate::quant::{ChannelQuant, CommonScale, OutputStage};

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
global_asm!(include_str!("nibble_lanes.s"), options(raw));
global_asm!(include_str!("row_pairs.s"), options(raw));
global_asm!(include_str!("widen.s"), options(raw));
global_asm!(include_str!("sum.s"), options(raw));
global_asm!(include_str!("tap_pairs.s"), options(raw));
global_asm!(include_str!("rows.s"), options(raw));
global_asm!(include_str!("signs.s"), options(raw));
global_asm!(include_str!("xnor.s"), options(raw));

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
        sum::sum_i8(scale, operands, output);
    }

    fn widen(rows: &Rows<'_>, output: &mut [i16]) {
        widen::widen(rows, output);
    }

    fn pair_rows(rows: [Option<&[i8]>; 2], blocks: &RowBlocks, output: &mut [u32]) {
        row_pairs::pair_rows(rows, blocks, output);
    }

    fn row_pairs(planes: &Planes<'_>, output: &mut [i8]) {
        row_pairs::row_pairs(planes, output);
    }

    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]) {
        tap_pairs::stack_rows(stack, output);
    }

    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]) {
        tap_pairs::tap_pairs(tile, output);
    }

    fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        lanes::lanes(lanes, strip, input, output);
    }

    #[inline(always)]
    fn row_of_lanes(lanes: &Lanes<'_>, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
        lanes::row_of_lanes(lanes, inputs, scratch, output);
    }

    fn nibble_lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
        nibble_lanes::nibble_lanes(lanes, strip, input, output);
    }

    fn expand_signs(words: &[u32], first: usize, masks: &mut [u32]) {
        signs::expand_signs(words, first, masks);
    }

    fn lay_out_signs(input: &[i8], step: usize, output: &mut [u32]) {
        signs::lay_out_signs(input, step, output);
    }

    fn signs(block: &Signs<'_>, output: &mut [i8]) {
        signs::signs(block, output);
    }

    fn xnor(rows: &Xnor<'_>, output: &mut [i8]) {
        xnor::xnor(rows, output);
    }
}
