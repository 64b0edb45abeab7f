//! How deep the stack has been.
//!
//! The start-up code fills the room between the end of the static variables and the top of the stack with a fixed
//! word. Whatever has been overwritten since then was stack.
#![allow(unsafe_code)] // The stack's bounds are linker symbols.

use core::ptr;

use cortex_m::register::msp;
use cortex_m_rt::STACK_PAINT_VALUE;

unsafe extern "C" {
    /// Lowest word of the room that the stack may grow into.
    static mut _stack_end: u32;
    /// One past the stack's first word: it grows down from here.
    static mut _stack_start: u32;
}

/// Bytes that the stack may take.
#[must_use]
pub fn room() -> usize {
    top().addr() - bottom().addr()
}

/// The most bytes of stack that were in use at any time since reset.
///
/// Equal to [`room`] when the stack reached its end, and then it may have gone beyond. A deepest frame that never
/// wrote its last words counts without them.
#[must_use]
pub fn high_water() -> usize {
    let mut word = bottom();
    while word < top() {
        // SAFETY: `word` is aligned, as both symbols are by the linker script, and lies in RAM between them. The stack
        // in use is part of that range and changes under this loop, hence the volatile read.
        if unsafe { ptr::read_volatile(word) } != STACK_PAINT_VALUE {
            break;
        }
        word = word.wrapping_add(1);
    }
    top().addr() - word.addr()
}

/// Bytes below the stack pointer that are left alone when the free part is filled.
const MARGIN: usize = 32;

/// Runs `work` and gives its result with the bytes of stack that it took, its calls included, 32 or more.
///
/// What interrupts take meanwhile counts too. Afterwards [`high_water`] knows only what came since this call.
#[inline(never)]
pub fn measure<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let from = msp::read() as usize;
    let result = on_clean_stack(work);
    (result, from - (top().addr() - high_water()))
}

/// Runs `work` after what is free of the stack has been filled as the start-up code fills it.
#[inline(never)]
fn on_clean_stack<R>(work: impl FnOnce() -> R) -> R {
    let end = msp::read() as usize - MARGIN;
    let mut word = (&raw mut _stack_end).cast::<u32>();
    while word.addr() < end {
        // SAFETY: `word` is aligned, as the symbol is by the linker script, and lies in RAM below the stack pointer,
        // where nothing is in use: an interrupt has given back what it took before this loop goes on.
        unsafe { ptr::write_volatile(word, STACK_PAINT_VALUE) };
        word = word.wrapping_add(1);
    }
    work()
}

fn bottom() -> *const u32 {
    (&raw const _stack_end).cast()
}

fn top() -> *const u32 {
    (&raw const _stack_start).cast()
}
