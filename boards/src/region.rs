//! Marks around parts of a program, for the profiler that runs in the emulator.
//!
//! A mark is three moves of a register to itself, which no compiler emits and which change nothing on any Cortex-M. The
//! profiler finds them when QEMU translates the code; a firmware that has none carries nothing.
#![allow(unsafe_code)] // Moves of registers to themselves.

use core::arch::asm;

/// Regions that the profiler can tell apart.
pub const COUNT: usize = 64;

/// Begins region `id`; ids from [`COUNT`] on are not counted.
#[inline(always)]
pub fn begin(id: usize) {
    mark::<true>(id);
}

/// Ends region `id`.
#[inline(always)]
pub fn end(id: usize) {
    mark::<false>(id);
}

/// The mark's registers are part of its instructions, so each id has code of its own.
fn mark<const BEGIN: bool>(id: usize) {
    match id {
        0 => one::<BEGIN, 0, 0>(),
        1 => one::<BEGIN, 1, 0>(),
        2 => one::<BEGIN, 2, 0>(),
        3 => one::<BEGIN, 3, 0>(),
        4 => one::<BEGIN, 4, 0>(),
        5 => one::<BEGIN, 5, 0>(),
        6 => one::<BEGIN, 6, 0>(),
        7 => one::<BEGIN, 7, 0>(),
        8 => one::<BEGIN, 0, 1>(),
        9 => one::<BEGIN, 1, 1>(),
        10 => one::<BEGIN, 2, 1>(),
        11 => one::<BEGIN, 3, 1>(),
        12 => one::<BEGIN, 4, 1>(),
        13 => one::<BEGIN, 5, 1>(),
        14 => one::<BEGIN, 6, 1>(),
        15 => one::<BEGIN, 7, 1>(),
        16 => one::<BEGIN, 0, 2>(),
        17 => one::<BEGIN, 1, 2>(),
        18 => one::<BEGIN, 2, 2>(),
        19 => one::<BEGIN, 3, 2>(),
        20 => one::<BEGIN, 4, 2>(),
        21 => one::<BEGIN, 5, 2>(),
        22 => one::<BEGIN, 6, 2>(),
        23 => one::<BEGIN, 7, 2>(),
        24 => one::<BEGIN, 0, 3>(),
        25 => one::<BEGIN, 1, 3>(),
        26 => one::<BEGIN, 2, 3>(),
        27 => one::<BEGIN, 3, 3>(),
        28 => one::<BEGIN, 4, 3>(),
        29 => one::<BEGIN, 5, 3>(),
        30 => one::<BEGIN, 6, 3>(),
        31 => one::<BEGIN, 7, 3>(),
        32 => one::<BEGIN, 0, 4>(),
        33 => one::<BEGIN, 1, 4>(),
        34 => one::<BEGIN, 2, 4>(),
        35 => one::<BEGIN, 3, 4>(),
        36 => one::<BEGIN, 4, 4>(),
        37 => one::<BEGIN, 5, 4>(),
        38 => one::<BEGIN, 6, 4>(),
        39 => one::<BEGIN, 7, 4>(),
        40 => one::<BEGIN, 0, 5>(),
        41 => one::<BEGIN, 1, 5>(),
        42 => one::<BEGIN, 2, 5>(),
        43 => one::<BEGIN, 3, 5>(),
        44 => one::<BEGIN, 4, 5>(),
        45 => one::<BEGIN, 5, 5>(),
        46 => one::<BEGIN, 6, 5>(),
        47 => one::<BEGIN, 7, 5>(),
        48 => one::<BEGIN, 0, 6>(),
        49 => one::<BEGIN, 1, 6>(),
        50 => one::<BEGIN, 2, 6>(),
        51 => one::<BEGIN, 3, 6>(),
        52 => one::<BEGIN, 4, 6>(),
        53 => one::<BEGIN, 5, 6>(),
        54 => one::<BEGIN, 6, 6>(),
        55 => one::<BEGIN, 7, 6>(),
        56 => one::<BEGIN, 0, 7>(),
        57 => one::<BEGIN, 1, 7>(),
        58 => one::<BEGIN, 2, 7>(),
        59 => one::<BEGIN, 3, 7>(),
        60 => one::<BEGIN, 4, 7>(),
        61 => one::<BEGIN, 5, 7>(),
        62 => one::<BEGIN, 6, 7>(),
        63 => one::<BEGIN, 7, 7>(),
        _ => {}
    }
}

/// `mov r9, r9` (begin) or `mov r10, r10` (end), then the id's low and high three bits as registers.
#[inline(always)]
fn one<const BEGIN: bool, const LOW: u8, const HIGH: u8>() {
    // SAFETY: a register moved to itself changes neither registers nor flags nor memory.
    unsafe {
        if BEGIN {
            asm!("mov r9, r9", "mov r{a}, r{a}", "mov r{b}, r{b}", a = const LOW, b = const HIGH,
                options(nostack, preserves_flags));
        } else {
            asm!("mov r10, r10", "mov r{a}, r{a}", "mov r{b}, r{b}", a = const LOW, b = const HIGH,
                options(nostack, preserves_flags));
        }
    }
}
