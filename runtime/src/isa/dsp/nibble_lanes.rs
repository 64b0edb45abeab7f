//! Groups of channels on nibble lanes: the calls of `nibble_lanes.s`.

use super::lanes::LaneArguments;
use crate::isa::{Lanes, Strip};
use crate::packing::nibble_lanes::QUAD;

// Each function of `nibble_lanes.s` demands what those of `lanes.s` do, where words of four channels and one input pair are
// one, and `finish` above 1 says one more than how many channels of the only group are to be stored.
unsafe extern "C" {
    fn secateur_nibble_lanes_4x2(arguments: *const LaneArguments);
    fn secateur_nibble_lanes_8x1(arguments: *const LaneArguments);
    fn secateur_nibble_lanes_4x1(arguments: *const LaneArguments);
}

pub(super) fn nibble_lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]) {
    let Some(arguments) = LaneArguments::new::<QUAD>(lanes, strip, input, output) else { return };
    let pixels = strip.pixels;
    arguments.each_part::<QUAD>(lanes, |size, missing, arguments| {
        if missing > 0 {
            arguments.finish = QUAD - missing + 1;
        }
        // SAFETY: `new` has seen that words, records, input and output hold all groups, pairs and steps, of which there are
        // some, and that a group of whose channels some are not to be written is the only one.
        unsafe {
            match (size, pixels) {
                (4, 2) => secateur_nibble_lanes_4x2(arguments),
                (8, 1) => secateur_nibble_lanes_8x1(arguments),
                (4, 1) => secateur_nibble_lanes_4x1(arguments),
                _ => {}
            }
        }
    });
}
