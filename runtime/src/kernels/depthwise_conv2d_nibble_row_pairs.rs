//! 3x3 depthwise convolution, int4 weights: half a byte per weight in the file. At the start of a run they become row pairs in
//! scratch; everything else is [`depthwise_conv2d_row_pairs`]'s.
//!
//! The weights stand as nibbles ([`crate::packing::nibbles`]), channel after channel, each row by row.

use crate::kernels::{Operator, depthwise_conv2d_row_pairs};

/// Entry for a kernel set.
pub static OPERATOR: Operator = depthwise_conv2d_row_pairs::operator::<true>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::kernels::NodeError;
    use crate::kernels::depthwise_conv2d::tests::layer;
    use crate::kernels::depthwise_conv2d_row_pairs::tests::{packed, window};
    use crate::kernels::testing::definitions;

    #[test]
    fn mutants_stay_within_bounds() {
        let one = layer(window(1, [1, 1]), [2, 5, 4, 6], 1, 0).with_nibbles();
        packed::<true>(&one, 2).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            stride in 1u16..=2,
            padding in [0u16..3, 0u16..3],
            image in (1usize..3, 1usize..9, 1usize..9, 1usize..10),
            band in 1u32..5,
            seed: u64,
        ) {
            let band = if stride == 1 { 2 * band } else { band };
            let mut layer = layer(window(stride, padding), image.into(), 1, seed).with_nibbles();
            if seed.is_multiple_of(2) {
                // The zero point of levelled channels.
                layer.stage.zero_point = i8::MIN;
            }
            prop_assert_eq!(packed::<true>(&layer, band).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }

    #[test]
    fn scratch_without_room_for_the_weights_is_refused() {
        let node = packed::<true>(&layer(window(1, [1, 1]), [1, 4, 4, 3], 1, 0).with_nibbles(), 4);
        assert_eq!(node.check(), Ok(5 * 5 * 3 * 9));
        assert_eq!(node.scratch(3 * 24 + 15).check(), Err(NodeError::Scratch));
    }
}
