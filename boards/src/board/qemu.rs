//! Boards emulated by QEMU. Everything that leaves the board goes through semihosting, which QEMU answers.
//!
//! Logs take the standard output as defmt frames; complaints take the standard error as text, so that neither breaks
//! the other.

use semihosting::io::{self, Write as _};
use semihosting::process;

// The logger, and the critical section that it needs: linked in, never called by name.
#[cfg(feature = "logs")]
use {cortex_m as _, defmt_semihosting as _};

use super::Exit;

/// Prepares the board. Call first.
///
/// QEMU's boards run from reset as they are: no clocks, caches or pins to set.
pub fn init() {}

/// Ends the program and the emulator.
pub fn exit(exit: Exit) -> ! {
    process::exit(exit.code())
}

/// Writes the text to the host's standard error. A host that does not take it is no reason to stop.
pub fn complain(text: &str) {
    if let Ok(mut stream) = io::stderr() {
        let _ = stream.write_all(text.as_bytes());
    }
}
