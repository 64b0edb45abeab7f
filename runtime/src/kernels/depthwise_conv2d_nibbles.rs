//! Convolution of each channel on its own, int4 weights: half a byte per weight in the file. At the start of a run they become bytes in
//! scratch; everything else is [`depthwise_conv2d`]'s.
//!
//! The weights stand as nibbles ([`crate::packing::nibbles`]), `[kernel height, kernel width, output channels]`.

use crate::kernels::{Operator, depthwise_conv2d};

/// Entry for a kernel set.
pub static OPERATOR: Operator = depthwise_conv2d::operator::<true>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::kernels::depthwise_conv2d::tests::{layer, stored};
    use crate::kernels::testing::{definitions, windows};
    use crate::kernels::{Axis, Window};

    #[test]
    fn mutants_stay_within_bounds() {
        let axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };
        let window = Window { height: axis, width: Axis { kernel: 2, stride: 2, dilation: 2, pad: 1 } };
        let layer = layer(window, [2, 3, 4, 3], 2, 0).with_nibbles();
        stored::<true>(&layer).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8, 1usize..8),
            multiplier in 1usize..4,
            seed: u64,
        ) {
            let layer = layer(window, image.into(), multiplier, seed).with_nibbles();
            prop_assert_eq!(stored::<true>(&layer).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }
}
