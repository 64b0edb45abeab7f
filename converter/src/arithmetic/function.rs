//! Functions of one real number, for tables.
//!
//! TensorFlow Lite has no int8 arithmetic of its own for these, so that nothing but the definition has to be met: the
//! input's real number, the function and the division by the output's scale are binary64, with a mathematical library
//! whose results are the same on every host; the quotient is rounded to nearest, halves away from zero.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::Affine;
use crate::ir::Op;
use crate::ir::attributes::{Clip, Gelu, HardSigmoid};

/// The function that an operator is, if it is one of those here.
///
/// Where a function is not defined its value is the limit that follows from the operator: minus infinity for the
/// logarithm of 0 or less, 0 for the root of less than 0, infinity for the reciprocal of 0.
pub(super) fn real(op: &Op) -> Option<fn(&Op, f64) -> f64> {
    Some(match op {
        Op::Exp => |_, x| libm::exp(x),
        Op::Log => |_, x| if x > 0.0 { libm::log(x) } else { f64::NEG_INFINITY },
        Op::Sqrt => |_, x| libm::sqrt(x.max(0.0)),
        Op::Reciprocal => |_, x| 1.0 / x,
        Op::Neg => |_, x| -x,
        Op::Abs => |_, x| x.abs(),
        Op::Sign => |_, x| if x >= 0.0 { 1.0 } else { -1.0 },
        Op::Erf => |_, x| libm::erf(x),
        Op::Gelu(_) => gelu,
        Op::HardSigmoid(_) => hard_sigmoid,
        Op::Clip(_) => clip,
        _ => return None,
    })
}

/// The nearest quantized value; what is beyond the ends, infinities too, becomes the nearest end.
pub(super) fn stored(real: f64, to: Affine) -> i32 {
    let steps = (real / f64::from(to.scale)).round() + f64::from(to.zero_point);
    steps.clamp(-128.0, 127.0) as i32
}

fn gelu(op: &Op, x: f64) -> f64 {
    let inner = match op {
        Op::Gelu(Gelu { tanh: true }) => libm::tanh(libm::sqrt(2.0 / PI) * (x + 0.044_715 * x * x * x)),
        _ => libm::erf(x * FRAC_1_SQRT_2),
    };
    0.5 * x * (1.0 + inner)
}

fn hard_sigmoid(op: &Op, x: f64) -> f64 {
    let Op::HardSigmoid(HardSigmoid { alpha, beta }) = *op else { return x };
    (f64::from(alpha) * x + f64::from(beta)).clamp(0.0, 1.0)
}

fn clip(op: &Op, x: f64) -> f64 {
    let Op::Clip(Clip { low, high }) = *op else { return x };
    x.max(f64::from(low)).min(f64::from(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(op: Op, x: f64) -> f64 {
        real(&op).unwrap()(&op, x)
    }

    #[test]
    fn functions_have_their_known_values() {
        let near =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        near(of(Op::Exp, 1.0), std::f64::consts::E);
        near(of(Op::Log, std::f64::consts::E), 1.0);
        near(of(Op::Sqrt, 2.0), std::f64::consts::SQRT_2);
        near(of(Op::Reciprocal, -4.0), -0.25);
        near(of(Op::Erf, 0.5), 0.520_499_877_813_046_5);
        near(of(Op::Gelu(Gelu { tanh: false }), 1.0), 0.841_344_746_068_542_9);
        near(of(Op::Gelu(Gelu { tanh: true }), 1.0), 0.841_191_990_607_773_4);
        near(of(Op::HardSigmoid(HardSigmoid { alpha: 0.2, beta: 0.5 }), 1.0), f64::from(0.2f32) + 0.5);
        near(of(Op::Clip(Clip { low: -1.0, high: f32::INFINITY }), -3.0), -1.0);
        assert_eq!(
            (of(Op::Sign, 0.0), of(Op::Sign, -0.1), of(Op::Neg, 2.0), of(Op::Abs, -2.0)),
            (1.0, -1.0, -2.0, 2.0)
        );
    }

    #[test]
    fn undefined_values_are_stored_as_limits() {
        let to = Affine { scale: 0.5, zero_point: 3 };
        assert_eq!(stored(of(Op::Log, 0.0), to), -128);
        assert_eq!(stored(of(Op::Log, -1.0), to), -128);
        assert_eq!(stored(of(Op::Sqrt, -1.0), to), 3);
        assert_eq!(stored(of(Op::Reciprocal, 0.0), to), 127);
        assert_eq!((stored(0.25, to), stored(-0.25, to), stored(0.24, to)), (4, 2, 3));
    }
}
