//! Two int8 operands of different scales, brought to a common one: the arithmetic of sums and differences.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Multiplier, OutputStage};

/// Factors and zero points of a sum or difference, 32 bytes: the sum of the [`CommonScale::scaled`] operands is the output's,
/// at a scale that [`CommonScale::finish`] leaves. The factors are those of TensorFlow Lite's reference `AddElementwise`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct CommonScale {
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

impl CommonScale {
    /// Bits of headroom before the operands are scaled.
    pub const LEFT_SHIFT: u32 = 20;

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
        self.inputs[index & 1].apply(centred << Self::LEFT_SHIFT)
    }

    /// The output for a result at the common scale.
    #[inline(always)]
    pub fn finish(&self, value: i32) -> i8 {
        self.stage.finish(self.output.apply(value))
    }
}
