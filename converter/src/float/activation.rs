//! Functions of one real number.

use super::elementwise::leaky;
use crate::ir::attributes::{Clip, Elu, HardSigmoid, LeakyRelu};
use crate::ir::{Activation, Op};

/// The fused clamp, in place.
pub fn clamp(activation: Activation, values: &mut [f32]) {
    let (low, high) = activation.bounds();
    if activation != Activation::None {
        values.iter_mut().for_each(|value| *value = value.clamp(low, high));
    }
}

/// The value of the operator at each element, or `false` if it is not a function of one real number.
pub fn unary(op: &Op, input: &[f32], output: &mut [f32]) -> bool {
    match *op {
        Op::Relu => map(input, output, |x| x.clamp(0.0, f32::INFINITY)),
        Op::Relu6 => map(input, output, |x| x.clamp(0.0, 6.0)),
        Op::ReluN1To1 => map(input, output, |x| x.clamp(-1.0, 1.0)),
        Op::Clip(Clip { low, high }) => map(input, output, |x| clip(x, low, high)),
        Op::LeakyRelu(LeakyRelu { alpha }) => map(input, output, |x| leaky(x, alpha)),
        Op::Elu(Elu { alpha }) => map(input, output, |x| if x >= 0.0 { x } else { alpha * x.exp_m1() }),
        Op::HardSwish => map(input, output, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Op::HardSigmoid(HardSigmoid { alpha, beta }) => {
            map(input, output, |x| (alpha * x + beta).clamp(0.0, 1.0))
        }
        Op::Logistic => map(input, output, |x| 1.0 / (1.0 + (-x).exp())),
        Op::Tanh => map(input, output, f32::tanh),
        Op::Exp => map(input, output, f32::exp),
        Op::Log => map(input, output, f32::ln),
        Op::Sqrt => map(input, output, f32::sqrt),
        Op::Reciprocal => map(input, output, f32::recip),
        Op::Neg => map(input, output, |x| -x),
        Op::Abs => map(input, output, f32::abs),
        Op::Sign => map(input, output, |x| if x >= 0.0 { 1.0 } else { -1.0 }),
        Op::Erf => map(input, output, libm::erff),
        Op::Gelu(ref gelu) if gelu.tanh => map(input, output, |x| {
            const SLOPE: f32 = 0.797_884_6;
            0.5 * x * (1.0 + (SLOPE * (x + 0.044715 * x * x * x)).tanh())
        }),
        Op::Gelu(_) => {
            map(input, output, |x| 0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2)))
        }
        _ => return false,
    }
    true
}

/// A clamp to bounds that need not be in order.
fn clip(x: f32, low: f32, high: f32) -> f32 {
    let raised = if x < low { low } else { x };
    if raised > high { high } else { raised }
}

fn map(input: &[f32], output: &mut [f32], function: impl Fn(f32) -> f32) {
    for (result, &value) in output.iter_mut().zip(input) {
        *result = function(value);
    }
}
