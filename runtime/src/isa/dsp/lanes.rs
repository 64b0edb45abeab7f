//! Groups of channels on byte-pair lanes: the calls of `lanes.s`.

use crate::isa::{Lanes, Strip};
use crate::packing::lanes::RECORD_WORDS;

/// What the assembly reads; `lanes.s` loads the fields in this order.
#[derive(Clone, Copy)]
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
    /// The arguments of a call, and how many channels of the last group are not to be written, where `PER_WORD` channels
    /// share words. `None` if there is nothing to do, a slice is too short, or such a group is not the only one.
    pub(super) fn new<const PER_WORD: usize>(
        lanes: &Lanes<'_>,
        strip: &Strip,
        input: &[i16],
        output: &mut [i8],
    ) -> Option<(Self, usize)> {
        let Strip { pixels, pairs, count, step, channels, advance, pitch } = *strip;
        // Sizes are powers of two.
        let (size, size_bits) = (lanes.size, lanes.size.trailing_zeros());
        let groups = (channels + size - 1) >> size_bits;
        let missing = (groups << size_bits) - channels;
        // What saturates is more than any slice holds.
        let (steps, second) = (count.wrapping_sub(1), if pixels == 1 { 0 } else { pitch });
        let words = groups.saturating_mul(pairs);
        let read = steps.saturating_mul(step).saturating_add(pairs);
        let written = steps.saturating_mul(advance).saturating_add(second).saturating_add(channels);
        let fits = size.is_power_of_two()
            && words <= lanes.words.len() >> size_bits.saturating_sub(PER_WORD.trailing_zeros())
            && groups.saturating_mul(size * RECORD_WORDS) <= lanes.records.len()
            && read <= input.len() >> pixels
            && written <= output.len();
        let kind = match missing {
            0 if lanes.stage.zero_point == i8::MIN => 0,
            0 => 1,
            _ => 2,
        };
        let whole = missing == 0 || (missing < PER_WORD && groups == 1);
        let aligned = input.as_ptr().addr().is_multiple_of(4);
        if !fits || !aligned || !whole || groups == 0 || pairs == 0 || count == 0 {
            return None;
        }
        let records = lanes.records.as_ptr();
        let arguments = Self {
            words: lanes.words.as_ptr(),
            input: input.as_ptr(),
            records,
            records_end: records.wrapping_add(groups * size * RECORD_WORDS),
            output: output.as_mut_ptr(),
            pairs,
            count,
            step: step * 2 * pixels * size_of::<i16>(),
            gap: advance.wrapping_sub(channels),
            pitch,
            zero_point: lanes.stage.zero_point.into(),
            finish: kind,
        };
        Some((arguments, missing))
    }
}

pub(super) fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
    let Some((arguments, missing)) = LaneArguments::new::<2>(lanes, strip, input, output) else { return };
    // SAFETY: `LaneArguments::new` has seen that words, records, input and output hold all groups, pairs and steps; the counts
    // are not 0, the input is aligned. A group of whose channels one is not to be written is the only one.
    unsafe {
        match (lanes.size, strip.pixels) {
            (4, 2) => secateur_lanes_4x2(&arguments),
            (2, 2) => secateur_lanes_2x2(&arguments),
            (8, 1) if missing == 0 => secateur_lanes_8x1(&arguments),
            (4, 1) => secateur_lanes_4x1(&arguments),
            (2, 1) => secateur_lanes_2x1(&arguments),
            _ => {}
        }
    }
}
