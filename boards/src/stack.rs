//! How deep the stack has been.
//!
//! The start-up code fills the room between the end of the static variables and the top of the stack with a fixed
//! word. Whatever has been overwritten since then was stack.
#![allow(unsafe_code)] // The stack's bounds are linker symbols.

use core::ptr;

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

fn bottom() -> *const u32 {
    (&raw const _stack_end).cast()
}

fn top() -> *const u32 {
    (&raw const _stack_start).cast()
}
