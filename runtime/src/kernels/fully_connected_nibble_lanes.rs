//! Fully connected layer, int4 weights, on nibble lanes ([`crate::packing::nibble_lanes`]), eight outputs at a time: half a
//! byte per weight with the outer loop, parameters and groups of [`fully_connected_lanes`].

use crate::kernels::lane_layer::Nibbles;
use crate::kernels::{Operator, fully_connected_lanes};

/// Entry for a kernel set.
pub static OPERATOR: Operator = fully_connected_lanes::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::fully_connected::tests::layer;
    use crate::kernels::fully_connected_lanes::tests::packed;
    use crate::kernels::testing::definitions;

    #[test]
    fn mutants_stay_within_bounds() {
        packed::<Nibbles>(&layer(2, 7, 11, 0).with_nibbles()).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..70, outputs in 1usize..30, seed: u64) {
            let layer = layer(rows, depth, outputs, seed).with_nibbles();
            prop_assert_eq!(packed::<Nibbles>(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
