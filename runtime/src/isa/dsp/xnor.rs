//! Binary weights times binary inputs: the call of `xnor.s`.

use super::last;
use crate::isa::Xnor;

/// What the assembly reads; `xnor.s` loads the fields in this order.
#[repr(C)]
struct XnorArguments {
    weights: *const u8,
    input: *const [u32; 2],
    words: usize,
    records: *const [i32; 3],
    records_end: *const [i32; 3],
    output: *mut i8,
    counted: u32,
    back: usize,
    zero_point: i32,
}

unsafe extern "C" {
    /// `weights` is valid for reads of so many words for every record, each starting `4 words - back` bytes after the one before;
    /// `input` for reads of two words for each, `output` for writes of a byte per record. Words and records are not 0.
    fn secateur_xnor(arguments: *const XnorArguments);
}

pub(super) fn xnor(rows: &Xnor<'_>, output: &mut [i8]) {
    let (words, count) = (rows.input.len(), rows.records.len().min(output.len()));
    let fits = || {
        let row = words.checked_mul(4)?;
        let read = last(count, rows.row_bytes)?.checked_add(row)?;
        Some(read <= rows.weights.len() && rows.row_bytes <= row)
    };
    if fits() != Some(true) || words == 0 {
        return;
    }
    let records = rows.records.as_ptr();
    let arguments = XnorArguments {
        weights: rows.weights.as_ptr(),
        input: rows.input.as_ptr(),
        words,
        records,
        records_end: records.wrapping_add(count),
        output: output.as_mut_ptr(),
        counted: rows.counted,
        back: 4 * words - rows.row_bytes,
        zero_point: rows.stage.zero_point.into(),
    };
    // SAFETY: `fits` says that the weights hold whole words for every record, of which there is one; so does the output.
    unsafe { secateur_xnor(&arguments) };
}
