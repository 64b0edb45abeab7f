//! Depthwise convolution with kernels of any size, int4 weights: half a byte per weight in the file. At the start of a run they become tap pairs in
//! scratch; everything else is [`depthwise_conv2d_tap_pairs`]'s.
//!
//! The weights stand as nibbles ([`crate::packing::nibbles`]), channel after channel, each row by row.

use crate::kernels::{Operator, depthwise_conv2d_tap_pairs};

/// Entry for a kernel set.
pub static OPERATOR: Operator = depthwise_conv2d_tap_pairs::operator::<true>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::kernels::depthwise_conv2d::tests::layer;
    use crate::kernels::depthwise_conv2d_tap_pairs::Params;
    use crate::kernels::depthwise_conv2d_tap_pairs::tests::packed;
    use crate::kernels::testing::{definitions, windows};
    use crate::kernels::{Axis, Window};

    #[test]
    fn mutants_stay_within_bounds() {
        let axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };
        let window = Window { height: Axis { kernel: 5, stride: 2, dilation: 3, pad: 1 }, width: axis };
        let layer = layer(window, [2, 5, 4, 6], 1, 0).with_nibbles();
        packed::<true>(&layer, [1, 2]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(6, 3),
            image in (1usize..3, 1usize..12, 1usize..9, 1usize..10),
            multiplier in 1usize..6,
            tile in [1u16..9, 1u16..5],
            seed: u64,
        ) {
            prop_assume!(Params::takes(&window));
            let layer = layer(window, image.into(), multiplier, seed).with_nibbles();
            prop_assert_eq!(packed::<true>(&layer, tile).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }
}
