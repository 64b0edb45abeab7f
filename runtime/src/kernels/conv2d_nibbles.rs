//! 2-D convolution, grouped or not, int4 weights in their own order ([`crate::packing::nibbles`]): half a byte per weight, on
//! every core. Everything else is [`conv2d`]'s.

use crate::kernels::plain_weights::Nibbles;
use crate::kernels::{Operator, conv2d};

/// Entry for a kernel set.
pub static OPERATOR: Operator = conv2d::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::conv2d::tests::{UNEVEN, layer, stored};
    use crate::kernels::testing::{definitions, windows};

    #[test]
    fn mutants_stay_within_bounds() {
        let layer = layer(UNEVEN, [2, 4, 3], 2, [3, 5], 0).with_nibbles();
        stored::<Nibbles>(&layer).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            groups in 1usize..4,
            group in (1usize..6, 1usize..7),
            seed: u64,
        ) {
            let layer = layer(window, image.into(), groups, group.into(), seed).with_nibbles();
            prop_assert_eq!(stored::<Nibbles>(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
