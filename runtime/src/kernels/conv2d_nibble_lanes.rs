//! 2-D convolution, int4 weights, on nibble lanes ([`crate::packing::nibble_lanes`]): half a byte per weight at the speed of
//! [`conv2d_lanes`], whose outer loops, parameters, order of weights and groups these are.

use crate::kernels::lane_layer::Nibbles;
use crate::kernels::{Operator, conv2d_lanes};

/// Entry for a kernel set.
pub static OPERATOR: Operator = conv2d_lanes::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::conv2d::tests::{UNEVEN, layer};
    use crate::kernels::conv2d_lanes::tests::packed;
    use crate::kernels::testing::{definitions, windows};

    #[test]
    fn mutants_stay_within_bounds() {
        let layer = layer(UNEVEN, [2, 4, 3], 1, [3, 7], 0).with_nibbles();
        packed::<Nibbles>(&layer, 2).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            channels in (1usize..6, 1usize..14),
            strip in 1usize..9,
            seed: u64,
        ) {
            let layer = layer(window, image.into(), 1, channels.into(), seed).with_nibbles();
            prop_assert_eq!(packed::<Nibbles>(&layer, strip).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
