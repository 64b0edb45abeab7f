//! Transposed 2-D convolution, int4 weights in the order of the phases ([`crate::packing::nibbles`]): half a byte per weight, on
//! every core. Everything else is [`transpose_conv2d`]'s.

use crate::kernels::plain_weights::Nibbles;
use crate::kernels::{Operator, transpose_conv2d};

/// Entry for a kernel set.
pub static OPERATOR: Operator = transpose_conv2d::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::definitions;
    use crate::kernels::transpose_conv2d::tests::{any_axis, layer, stored};
    use crate::kernels::{Axis, Window};

    #[test]
    fn mutants_stay_within_bounds() {
        let axis = Axis { kernel: 3, stride: 2, dilation: 1, pad: 1 };
        let window = Window { height: axis, width: Axis { kernel: 2, stride: 3, ..axis } };
        let layer = layer(window, [2, 2, 3, 4], [4, 5, 3], 0).with_nibbles();
        stored::<Nibbles>(&layer).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            (height, width) in (any_axis(), any_axis()),
            image in (1usize..3, 1usize..6, 1usize..6, 1usize..7),
            output in (1usize..16, 1usize..16, 1usize..8),
            seed: u64,
        ) {
            let layer = layer(Window { height, width }, image.into(), output.into(), seed).with_nibbles();
            prop_assert_eq!(stored::<Nibbles>(&layer).run::<i8>(), definitions::transpose_conv2d(&layer));
        }
    }
}
