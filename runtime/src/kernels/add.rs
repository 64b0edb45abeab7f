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
