//! Softmax over the last dimension, int8.
//!
//! `out[r,i] = 256 x exp(beta x s x (in[r,i] - max)) / sum over j of exp(beta x s x (in[r,j] - max)) - 128`, with `max`
//! the row's largest value and `s` the input's scale. The output's scale is 1/256 and its zero point -128, always.
//!
//! Exponents are Q5.26, exponentials Q0.31, their sum Q12.19, as in TensorFlow Lite's reference `Softmax` for int8.
//! Where that stops, at a sum of 512 and more (so many values near the largest), no quotient exceeds half a step of the
//! output and this kernel gives -128.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::kernels::{Call, NodeError, Operator, Unary, require};
use crate::quant::fixed_point::{exp_on_negative, reciprocal};
use crate::quant::{
    Multiplier, rounding_divide_by_power_of_two, saturating_rounding_doubling_high_mul as high_mul,
};

/// Integer bits of the scaled differences.
pub const SCALED_DIFF_INTEGER_BITS: u32 = 5;

/// Integer bits of the sum of exponentials.
const SUM_INTEGER_BITS: u32 = 12;

/// Parameters in the file, 12 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// `beta x input scale x 2^26`, above 1 and at most `2^31 - 1`: differences times this are Q5.26. The shift is 0 to
    /// 30; a factor of `2^30` and more keeps the shift at 30, for then `diff_min` is 0 and a difference of 0 is all that
    /// is multiplied.
    pub multiplier: Multiplier,
    /// Least difference to the largest value of a row whose exponential counts: `-floor(31 x 2^(26 - shift))`, with the
    /// shift before it is kept at 30. At most 0.
    pub diff_min: i32,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Softmax, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.multiplier.is_valid() && params.multiplier.shift >= 0, NodeError::Quantization)?;
    require(params.diff_min <= 0, NodeError::Params)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    require(input.shape.rows() == output.shape.rows(), NodeError::Shape)?;
    // Three passes: largest value, sum, quotients.
    Ok(3 * output.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(params) = call.node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    let (_, depth) = input.shape.rows();
    softmax(params, depth, input.data, output.data);
}

/// The kernel: input and output hold rows of `depth` values.
pub fn softmax(params: &Params, depth: usize, input: &[i8], output: &mut [i8]) {
    let rows = input.chunks_exact(depth.max(1));
    for (row, out) in rows.zip(output.chunks_exact_mut(depth.max(1))) {
        let max = row.iter().fold(i8::MIN, |max, &x| max.max(x));
        let sum = row.iter().fold(0i32, |sum, &x| {
            let term = params
                .exponential(x, max)
                .map_or(0, |e| rounding_divide_by_power_of_two(e, SUM_INTEGER_BITS));
            sum.saturating_add(term)
        });
        let (scale, exponent) = reciprocal(sum, SUM_INTEGER_BITS);
        // From Q0.31 to 1/256.
        let exponent = exponent + 23;
        for (out, &x) in out.iter_mut().zip(row) {
            *out = match params.exponential(x, max) {
                Some(e) if (0..32).contains(&exponent) => {
                    let value = rounding_divide_by_power_of_two(high_mul(scale, e), exponent as u32);
                    value.saturating_sub(128).clamp(-128, 127) as i8
                }
                _ => i8::MIN,
            };
        }
    }
}

impl Params {
    /// `exp(beta x s x (x - max))` in Q0.31; `None` where it is too small to count.
    fn exponential(&self, x: i8, max: i8) -> Option<i32> {
        let diff = i32::from(x) - i32::from(max);
        (diff >= self.diff_min)
            .then(|| exp_on_negative(self.multiplier.apply(diff), SCALED_DIFF_INTEGER_BITS))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::{OneNode, Random};

    /// Parameters for `beta x input scale`.
    fn params(scale: f64) -> Params {
        let factor = (scale * f64::from(1u32 << 26)).min(f64::from(i32::MAX));
        let mut shift = 1;
        while factor >= f64::from(2u32.pow(shift)) {
            shift += 1;
        }
        let mantissa = (factor / 2f64.powi(shift as i32) * 2f64.powi(31)).round() as i32;
        let diff_min = -(31.0 * 2f64.powi(26 - shift as i32)).floor() as i32;
        Params { multiplier: Multiplier { mantissa, shift: shift.min(30) as i32 }, diff_min }
    }

    fn node(params: Params, shape: &[usize], input: &[i8]) -> OneNode {
        OneNode::new(OpCode::Softmax).params(&params).input(shape, input).output::<i8>(shape)
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(params(0.1), &[2, 3], &[1, 2, 3, -128, 127, 0]).assert_mutants_stay_within_bounds();
    }

    /// Rows worked out by an independent model of the reference that was compared with TensorFlow Lite Micro.
    #[test]
    fn rows_equal_the_reference() {
        let rows: [(f64, &[i8], &[i8]); 6] = [
            (0.05, &[12, -3, 55, 54, 0, -128, 127, 30], &[-127, -128, -121, -122, -128, -128, 112, -126]),
            (
                0.1761,
                &[-128, -100, -7, 3, 3, 9, -1, 0, 4, 2],
                &[-128, -128, -123, -97, -97, -38, -112, -110, -91, -102],
            ),
            (0.0039, &[-128, 127, 0, 64, -64], &[-99, -49, -80, -66, -90]),
            (1.3, &[5, 4, 3, -100], &[62, -76, -114, -128]),
            (15.0, &[1, 2], &[-128, 127]),
            (20.0, &[1, 2, 2], &[-128, 0, 0]),
        ];
        for (scale, row, expected) in rows {
            assert_eq!(node(params(scale), &[row.len()], row).run::<i8>(), expected, "{scale}");
        }
    }

    proptest! {
        #[test]
        fn values_are_within_one_step_of_the_real_ones(
            rows in 1usize..4,
            depth in 1usize..300,
            scale in 0.0001f64..2.0,
            seed: u64,
        ) {
            let input = Random(seed).values(rows * depth);
            let output = node(params(scale), &[rows, depth], &input).run::<i8>();
            for (row, out) in input.chunks(depth).zip(output.chunks(depth)) {
                let max = row.iter().copied().max().unwrap();
                let exp = |x: i8| (scale * (f64::from(x) - f64::from(max))).exp();
                let sum: f64 = row.iter().map(|&x| exp(x)).sum();
                for (&x, &got) in row.iter().zip(out) {
                    let real = (256.0 * exp(x) / sum - 128.0).min(127.0);
                    prop_assert!((f64::from(got) - real).abs() <= 0.51, "{x}: {got}, not {real}");
                }
            }
        }
    }

    #[test]
    fn rows_of_very_many_equal_values_are_all_lowest() {
        for (len, expected) in [(511, -127), (512, -128), (4096, -128), (70_000, -128)] {
            assert_eq!(node(params(0.1), &[len], &vec![7; len]).run::<i8>(), vec![expected; len], "{len}");
        }
    }

    #[test]
    fn shifts_to_the_right_and_positive_bounds_are_refused() {
        let good = params(0.1);
        let check = |params| node(params, &[3], &[1, 2, 3]).check();
        let shifted = Params { multiplier: Multiplier { shift: -1, ..good.multiplier }, ..good };
        assert_eq!(check(good), Ok(9));
        assert_eq!(check(shifted), Err(NodeError::Quantization));
        assert_eq!(check(Params { diff_min: 1, ..good }), Err(NodeError::Params));
    }

    #[test]
    fn record_is_12_bytes() {
        assert_eq!(size_of::<Params>(), 12);
    }
}
