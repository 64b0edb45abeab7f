//! Sums at a common scale: the call of `sum.s`.

use crate::isa::{Isa, Scalar};
use crate::quant::{CommonScale, Multiplier};

/// What the assembly reads; `sum.s` loads the fields in this order.
#[repr(C)]
struct SumArguments {
    zero_points: [i32; 2],
    mantissa: i32,
    shift: i32,
    output_mantissa: i32,
    output_shift: i32,
    output_zero_point: i32,
}

unsafe extern "C" {
    /// Operands and output are valid for `len` bytes, a multiple of 4 and not 0.
    fn secateur_add(
        half: *const i8,
        other: *const i8,
        output: *mut i8,
        len: usize,
        arguments: *const SumArguments,
    );
}

pub(super) fn sum_i8(scale: &CommonScale, operands: [&[i8]; 2], output: &mut [i8]) {
    const HALF: Multiplier = Multiplier { mantissa: 1 << 30, shift: 0 };
    let half = usize::from(scale.inputs[0] != HALF);
    let other = scale.inputs[1 - half];
    let shifts_right = |multiplier: Multiplier| (-31..=-1).contains(&multiplier.shift);
    let fast = scale.inputs[half] == HALF && shifts_right(other) && shifts_right(scale.output);
    let len = if fast { output.len().min(operands[0].len()).min(operands[1].len()) / 4 * 4 } else { 0 };
    let (whole, rest) = output.split_at_mut(len);
    if len > 0 {
        let zero_point = |index: usize, bits: u32| -i32::from(scale.zero_points[index]) << bits;
        let arguments = SumArguments {
            zero_points: [zero_point(half, 20), zero_point(1 - half, 21)],
            mantissa: other.mantissa,
            shift: -other.shift,
            output_mantissa: scale.output.mantissa,
            output_shift: -scale.output.shift,
            output_zero_point: scale.stage.zero_point.into(),
        };
        let [half, other] = [operands[half].as_ptr(), operands[1 - half].as_ptr()];
        // SAFETY: all three slices have at least `len` bytes, which are a multiple of 4 and not 0.
        unsafe { secateur_add(half, other, whole.as_mut_ptr(), len, &arguments) };
        scale.stage.clamp(whole);
    }
    let rests = operands.map(|operand| operand.get(len..).unwrap_or_default());
    Scalar::sum_i8(scale, rests, rest);
}
