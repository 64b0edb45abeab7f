//! Element-wise sum of two int8 tensors, with broadcasting.
//!
//! Both operands are brought to a common scale, twice the larger of theirs, with 20 bits of headroom, added and
//! requantized: `out = stage(m_out x (m_a x ((a - z_a) << 20) + m_b x ((b - z_b) << 20)))`, the factors as in TensorFlow
//! Lite's reference `AddElementwise`. The output may stand in an operand's place.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::OpCode;
use crate::kernels::Operator;
use crate::kernels::elementwise::{self, Binary};
use crate::quant::{Multiplier, OutputStage};

/// Bits of headroom before the operands are scaled.
pub const LEFT_SHIFT: u32 = 20;

/// Parameters in the file, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Scale of each operand over twice the larger scale; at most 1/2.
    pub inputs: [Multiplier; 2],
    /// Twice the larger scale over `2^20` x the output scale.
    pub output: Multiplier,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Zero points of the operands.
    pub zero_points: [i8; 2],
    /// Zero.
    pub reserved: [u8; 2],
}

/// Entry for a kernel set.
pub static OPERATOR: Operator =
    Operator { code: OpCode::Add, check: elementwise::check::<Add>, run: elementwise::run::<Add> };

/// The operator.
#[derive(Debug)]
pub enum Add {}

impl Params {
    /// Whether the fields are in range.
    pub fn is_valid(&self) -> bool {
        self.inputs.iter().all(Multiplier::is_valid)
            && self.output.is_valid()
            && self.stage.is_valid()
            && self.reserved == [0; 2]
    }

    /// Operand `index` at the common scale.
    #[inline(always)]
    pub fn scaled(&self, index: usize, value: i8) -> i32 {
        let centred = i32::from(value) - i32::from(self.zero_points[index & 1]);
        self.inputs[index & 1].apply(centred << LEFT_SHIFT)
    }
}

impl Binary for Add {
    type Params = Params;

    fn is_valid(params: &Params) -> bool {
        params.is_valid()
    }

    fn block(params: &Params, a: &[i8], b: &[i8], output: &mut [i8]) {
        for ((out, &a), &b) in output.iter_mut().zip(a).zip(b) {
            let sum = params.scaled(0, a).wrapping_add(params.scaled(1, b));
            *out = params.stage.finish(params.output.apply(sum));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;
    use zerocopy::IntoBytes;

    use super::*;
    use crate::kernels::naive;
    use crate::kernels::testing::{Constants, Random, SingleNode};

    /// A factor of at most 1/2.
    fn factor(random: &mut Random) -> Multiplier {
        let mantissa = random.within(1 << 30..=i64::from(i32::MAX)) as i32;
        Multiplier { mantissa, shift: random.within(-6..=-1) as i32 }
    }

    /// Operand values at the common scale.
    fn scaled(values: &[i8], zero_point: i8, factor: Multiplier) -> Vec<i64> {
        let wide = |value: i8| (i64::from(value) - i64::from(zero_point)) << LEFT_SHIFT;
        values.iter().map(|&value| naive::scale(wide(value), factor)).collect()
    }

    proptest! {
        #[test]
        fn equals_the_definition(len in 1usize..200, repeats: bool, seed: u64) {
            let mut random = Random(seed);
            let (a, b) = (random.values(len), random.values(if repeats { 1 } else { len }));
            let params = Params {
                inputs: [factor(&mut random), factor(&mut random)],
                output: Multiplier { shift: -17, ..factor(&mut random) },
                stage: random.stage(),
                zero_points: [random.next() as i8, random.next() as i8],
                reserved: [0; 2],
            };
            let wide = scaled(&b, params.zero_points[1], params.inputs[1]);
            let expected: Vec<i8> = scaled(&a, params.zero_points[0], params.inputs[0])
                .iter()
                .zip(wide.iter().cycle())
                .map(|(a, b)| naive::requantize(a + b, params.output, &params.stage))
                .collect();
            let node = SingleNode {
                code: OpCode::Add,
                params: params.as_bytes().to_vec(),
                constants: Constants::default(),
                inputs: &[(&[len], &a), (&[b.len()], &b)],
                output: &[len],
                scratch_len: 0,
            };
            prop_assert_eq!(node.run(), Ok(expected));
        }
    }

    #[test]
    fn record_is_32_bytes() {
        assert_eq!(size_of::<Params>(), 32);
    }
}
