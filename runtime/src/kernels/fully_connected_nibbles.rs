//! Fully connected layer, int4 weights in their own order ([`crate::packing::nibbles`]): half a byte per weight, on every core.
//! Everything else is [`fully_connected`]'s.

use crate::kernels::plain_weights::Nibbles;
use crate::kernels::{Operator, fully_connected};

/// Entry for a kernel set.
pub static OPERATOR: Operator = fully_connected::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::fully_connected::tests::{layer, stored};
    use crate::kernels::testing::definitions;

    #[test]
    fn mutants_stay_within_bounds() {
        stored::<Nibbles>(&layer(2, 7, 5, 0).with_nibbles()).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..70, outputs in 1usize..14, seed: u64) {
            let layer = layer(rows, depth, outputs, seed).with_nibbles();
            prop_assert_eq!(stored::<Nibbles>(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
