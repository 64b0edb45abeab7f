//! Groups of channels on byte-pair lanes: the calls of `lanes.s`.

use super::widen::secateur_widen_1;
use crate::isa::lanes::Part;
use crate::isa::{Lanes, Strip};
use crate::packing::lanes::RECORD_WORDS;

/// What the assembly reads; `lanes.s` loads the fields in this order.
#[repr(C)]
pub(super) struct LaneArguments {
    words: *const u32,
    input: *const i16,
    records: *const i32,
    records_end: *const i32,
    output: *mut i8,
    pairs: usize,
    count: usize,
    step: usize,
    gap: usize,
    pitch: usize,
    zero_point: i32,
    pub(super) finish: usize,
}

// Each function of `lanes.s` demands:
// - `words` and `records` are valid for reads of all groups, `input` (4-aligned) for those of the pairs of all steps;
// - `output`, and for two pixels `output + pitch`, are valid for writes of one byte per channel of all groups in every step,
//   but for the last channel if `finish` is 2;
// - at least one group, one pair and one step.
unsafe extern "C" {
    fn secateur_lanes_4x2(arguments: *const LaneArguments);
    fn secateur_lanes_2x2(arguments: *const LaneArguments);
    fn secateur_lanes_8x1(arguments: *const LaneArguments);
    fn secateur_lanes_4x1(arguments: *const LaneArguments);
    fn secateur_lanes_2x1(arguments: *const LaneArguments);
}

impl LaneArguments {
    /// The arguments for the first groups of `lanes` times a strip, where `PER_WORD` channels share words. `None` if there is
    /// nothing to do or a slice is too short.
    #[inline(always)]
    pub(super) fn new<const PER_WORD: usize>(
        lanes: &Lanes<'_>,
        strip: &Strip,
        input: &[i16],
        output: &mut [i8],
    ) -> Option<Self> {
        let Strip { pixels, pairs, count, step, advance, pitch } = *strip;
        let channels = lanes.channels;
        let padded = padded::<PER_WORD>(channels);
        let steps = count.wrapping_sub(1) as u64;
        let second = if pixels == 1 { 0 } else { pitch as u64 };
        let read = steps * step as u64 + pairs as u64;
        let written = steps * advance as u64 + second + channels as u64;
        let fits = written <= output.len() as u64
            && read <= (input.len() >> pixels) as u64
            && (padded / PER_WORD) as u64 * pairs as u64 <= lanes.words.len() as u64
            && (padded * RECORD_WORDS) as u64 <= lanes.records.len() as u64;
        if !fits || !input.as_ptr().addr().is_multiple_of(4) || pairs == 0 || count == 0 {
            return None;
        }
        Some(Self {
            words: lanes.words.as_ptr(),
            input: input.as_ptr(),
            records: lanes.records.as_ptr(),
            records_end: lanes.records.as_ptr(),
            output: output.as_mut_ptr(),
            pairs,
            count,
            step: step * 2 * pixels * size_of::<i16>(),
            gap: advance,
            pitch,
            zero_point: lanes.stage.zero_point.into(),
            finish: usize::from(lanes.stage.zero_point != i8::MIN),
        })
    }

    /// Calls `run` for the groups of each size in turn, with the size, how many channels of the last group are not to be
    /// written, and the arguments, which then hold what the functions demand. Where some are not to be written, that group is
    /// the only one.
    #[inline(always)]
    pub(super) fn each_part<const PER_WORD: usize>(
        mut self,
        lanes: &Lanes<'_>,
        run: impl Fn(usize, usize, &mut Self),
    ) {
        let (mut left, advance) = (lanes.channels, self.gap);
        while left > 0 {
            let Part { size, channels } = Part::first::<PER_WORD>(left, lanes.largest);
            let padded = padded::<PER_WORD>(channels);
            self.records_end = self.records.wrapping_add(padded * RECORD_WORDS);
            self.gap = advance.wrapping_sub(channels);
            run(size, padded - channels, &mut self);
            left -= channels;
            if channels == 0 {
                return;
            }
            self.words = self.words.wrapping_add(padded / PER_WORD * self.pairs);
            self.records = self.records_end;
            self.output = self.output.wrapping_add(channels);
        }
    }
}

/// Channels, including those that fill up the last word.
#[inline(always)]
fn padded<const PER_WORD: usize>(channels: usize) -> usize {
    // Wraps for no number of channels whose outputs a slice holds.
    channels.wrapping_add(PER_WORD - 1) & !(PER_WORD - 1)
}

pub(super) fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
    let Some(arguments) = LaneArguments::new::<2>(lanes, strip, input, output) else { return };
    let pixels = strip.pixels;
    arguments.each_part::<2>(lanes, |size, missing, arguments| {
        if missing > 0 {
            arguments.finish = 2;
        }
        // SAFETY: `new` has seen that words, records, input and output hold all groups, pairs and steps; the counts are not
        // 0, the input is aligned. A group of whose channels one is not to be written is the only one.
        unsafe {
            match (size, pixels) {
                (4, 2) => secateur_lanes_4x2(arguments),
                (2, 2) => secateur_lanes_2x2(arguments),
                (8, 1) => secateur_lanes_8x1(arguments),
                (4, 1) => secateur_lanes_4x1(arguments),
                (2, 1) => secateur_lanes_2x1(arguments),
                _ => {}
            }
        }
    });
}

#[inline(always)]
pub(super) fn row_of_lanes(lanes: &Lanes<'_>, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
    let strip = Strip::one(inputs.len());
    let Some(arguments) = LaneArguments::new::<2>(lanes, &strip, scratch, output) else { return };
    // SAFETY: `new` has seen that the scratch is aligned and holds the pairs of all inputs, of which there are some.
    unsafe { secateur_widen_1(inputs.as_ptr(), scratch.as_mut_ptr(), inputs.len(), 1, inputs.len(), 0, 0) };
    arguments.each_part::<2>(lanes, |size, missing, arguments| {
        if missing > 0 {
            arguments.finish = 2;
        }
        // SAFETY: as in `lanes`.
        unsafe {
            match size {
                8 => secateur_lanes_8x1(arguments),
                4 => secateur_lanes_4x1(arguments),
                _ => secateur_lanes_2x1(arguments),
            }
        }
    });
}
