//! Marks around parts of a program, for the profiler that runs in the emulator (`xtask/qemu-plugin`).
//!
//! A mark is three moves of a register to itself, which no compiler emits and which change nothing on any Cortex-M. The
//! profiler finds them when QEMU translates the code; a firmware that has none carries nothing.
#![allow(unsafe_code)] // Moves of registers to themselves.

use core::arch::asm;

/// Enters region `ID`, which is below 64: `mov r9, r9`, then the id's low and high three bits as registers.
///
/// Values that are computed inside and used outside, or the other way round, may move across a mark unless they pass
/// through memory or [`core::hint::black_box`].
#[inline(always)]
pub fn enter<const ID: u8>() {
    const { assert!(ID < 64) };
    // SAFETY: a register moved to itself changes neither registers nor flags nor memory.
    unsafe {
        asm!("mov r9, r9", "mov r{low}, r{low}", "mov r{high}, r{high}",
            low = const ID & 7, high = const ID >> 3, options(nostack, preserves_flags));
    }
}

/// Leaves region `ID`: as [`enter`], with `mov r10, r10`.
#[inline(always)]
pub fn leave<const ID: u8>() {
    const { assert!(ID < 64) };
    // SAFETY: a register moved to itself changes neither registers nor flags nor memory.
    unsafe {
        asm!("mov r10, r10", "mov r{low}, r{low}", "mov r{high}, r{high}",
            low = const ID & 7, high = const ID >> 3, options(nostack, preserves_flags));
    }
}
