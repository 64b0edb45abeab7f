//! Panics and hardware faults: a message on the host's standard error, then the way out with a code that is not zero.
#![allow(unsafe_code)] // The exception handlers are `unsafe fn` by the definition of cortex-m-rt.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};

use crate::board::{self, Exit};
use crate::digits;

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    board::complain("panicked");
    if let Some(location) = info.location() {
        board::complain(" at ");
        board::complain(location.file());
        board::complain(":");
        complain_decimal(location.line());
    }
    // Messages with arguments would need the formatter; their text is left out.
    if let Some(message) = info.message().as_str() {
        board::complain(": ");
        board::complain(message);
    }
    board::complain("\n");
    board::exit(Exit::Panic)
}

/// # Safety
/// Called by the processor alone, on a fault that nothing else handles.
#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    board::complain("hard fault at pc ");
    complain_hexadecimal(frame.pc());
    board::complain(", lr ");
    complain_hexadecimal(frame.lr());
    board::complain("\n");
    board::exit(Exit::Fault)
}

/// # Safety
/// Called by the processor alone, on an exception or interrupt without a handler.
#[exception]
unsafe fn DefaultHandler(number: i16) -> ! {
    board::complain("unhandled exception ");
    if number < 0 {
        board::complain("-");
    }
    complain_decimal(u32::from(number.unsigned_abs()));
    board::complain("\n");
    board::exit(Exit::Fault)
}

fn complain_decimal(value: u32) {
    digits::write::<10>(value, board::complain);
}

fn complain_hexadecimal(value: u32) {
    board::complain("0x");
    digits::write::<16>(value, board::complain);
}
