//! What lies in flash beside the firmware.
#![allow(unsafe_code)] // The region's bounds are linker symbols.

use core::slice;

unsafe extern "C" {
    /// First byte of the model region.
    static __model_start: u8;
    /// One past its last byte.
    static __model_end: u8;
}

/// The whole region where a model can lie that is not linked into the firmware.
///
/// Its start is aligned to 16 bytes. What it holds where nobody put a model is for the board to say.
#[must_use]
pub fn model_region() -> &'static [u8] {
    let start = &raw const __model_start;
    let end = &raw const __model_end;
    // SAFETY: the linker script puts both symbols at the bounds of one region of memory that every board has, that is
    // readable, that no section is placed in, and that nothing writes to while the firmware runs.
    unsafe { slice::from_raw_parts(start, end.addr() - start.addr()) }
}
