//! Fully connected layer on real numbers with int4 weights in their own order ([`crate::packing::nibbles`]): half a byte per
//! weight. Everything else is [`dynamic_fully_connected`]'s.

use crate::kernels::plain_weights::Nibbles;
use crate::kernels::{Operator, dynamic_fully_connected};

/// Entry for a kernel set.
pub static OPERATOR: Operator = dynamic_fully_connected::operator::<Nibbles>();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::dynamic_fully_connected::tests::Dynamic;

    proptest! {
        #[test]
        fn equals_the_formula(sizes in [1usize..4, 1usize..70, 1usize..14], seed: u64) {
            let mut layer = Dynamic::random(sizes, 0.1, seed);
            layer.weights.iter_mut().for_each(|weight| *weight >>= 4);
            prop_assert_eq!(layer.node::<Nibbles>().run::<f32>(), layer.expected());
        }
    }
}
