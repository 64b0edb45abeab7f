//! Weights as signs: the calls of `signs.s`.

use super::last;
use crate::isa::{Isa, Scalar, Signs};
use crate::packing::signs::{self, SHARED};

/// What the assembly reads; `signs.s` loads the fields in this order.
#[repr(C)]
struct SignArguments {
    masks: *const u32,
    input: *const u32,
    record: *const i32,
    output: *mut i8,
    pitch: usize,
    quads: usize,
    count: usize,
    zero_point: i32,
    channels: usize,
}

unsafe extern "C" {
    /// `words` is valid for reads of `count` words, which are not 0, `masks` for writes of eight times as many.
    fn secateur_expand_signs(words: *const u32, masks: *mut u32, count: usize);
    /// `input` is valid for reads of four bytes per `count`, `output` for writes of as many words `step` bytes apart; the count
    /// is not 0.
    fn secateur_lay_out_signs(input: *const i8, output: *mut u32, count: usize, step: usize);
    // `masks` is valid for reads of two words per quad, `input` of as many words as pixels, per quad, `record` of six words,
    // `output` for writes of so many channels, 1 or 2, `pitch` bytes apart for every pixel. Pixels are four times the count
    // (`_x4`) or the count (`_x1`); quads and count are not 0.
    fn secateur_signs_x4(arguments: *const SignArguments);
    fn secateur_signs_x1(arguments: *const SignArguments);
}

#[inline(never)]
pub(super) fn expand_signs(words: &[u32], first: usize, masks: &mut [u32]) {
    // Whole words in the middle, masks at both ends.
    let before = (SHARED - first % SHARED) % SHARED;
    let (head, rest) = masks.split_at_mut(before.min(masks.len()));
    if !head.is_empty() {
        Scalar::expand_signs(words, first, head);
    }
    let words = words.get(first.div_ceil(SHARED)..).unwrap_or_default();
    let count = (rest.len() / SHARED).min(words.len());
    if count > 0 {
        // SAFETY: there are so many words, at least one, and masks for each.
        unsafe { secateur_expand_signs(words.as_ptr(), rest.as_mut_ptr(), count) };
    }
    let tail = rest.get_mut(SHARED * count..).unwrap_or_default();
    if !tail.is_empty() {
        Scalar::expand_signs(words, SHARED * count, tail);
    }
}

#[inline(never)]
pub(super) fn lay_out_signs(input: &[i8], step: usize, output: &mut [u32]) {
    let step = step.max(1);
    let room = if output.is_empty() { 0 } else { (output.len() - 1) / step + 1 };
    let count = (input.len() / 4).min(room);
    if count > 0 {
        // SAFETY: the input has four bytes for each of the count, of which there is one, and the output a word at each step.
        unsafe {
            secateur_lay_out_signs(input.as_ptr(), output.as_mut_ptr(), count, step * size_of::<u32>());
        };
    }
    let rest = input.get(4 * count..).unwrap_or_default();
    if !rest.is_empty() {
        Scalar::lay_out_signs(rest, step, output.get_mut(count.saturating_mul(step)..).unwrap_or_default());
    }
}

pub(super) fn signs(block: &Signs<'_>, output: &mut [i8]) {
    let Signs { quads, pixels, channels, pitch, .. } = *block;
    let fits = || {
        let read = quads.checked_mul(pixels)?;
        let written = last(pixels, pitch)?.checked_add(channels)?;
        let masks = quads.checked_mul(2)?;
        Some(read <= block.input.len() && written <= output.len() && masks <= block.masks.len())
    };
    if fits() != Some(true) || quads == 0 || !(1..=2).contains(&channels) {
        return;
    }
    let fours = pixels / Signs::PIXELS;
    let arguments = SignArguments {
        masks: block.masks.as_ptr(),
        input: block.input.as_ptr(),
        record: block.record.as_ptr(),
        output: output.as_mut_ptr(),
        pitch,
        quads,
        count: fours,
        zero_point: block.stage.zero_point.into(),
        channels,
    };
    if fours > 0 {
        // SAFETY: `fits` says that masks, input and output hold all quads, pixels and channels, of which there are some.
        unsafe { secateur_signs_x4(&arguments) };
    }
    let done = fours * Signs::PIXELS;
    if done < pixels {
        let arguments = SignArguments {
            input: arguments.input.wrapping_add(done * quads),
            output: arguments.output.wrapping_add(done * pitch),
            count: pixels - done,
            ..arguments
        };
        // SAFETY: as above, for the pixels that are left, of which there is one.
        unsafe { secateur_signs_x1(&arguments) };
    }
}

// What the assembly takes for granted.
const _: () = assert!(signs::RECORD_WORDS == 6 && SHARED == 8);
