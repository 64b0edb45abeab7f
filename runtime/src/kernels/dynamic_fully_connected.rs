//! Fully connected layer on real numbers with integer weights: inputs are quantized at run time.
//!
//! One scale and zero point hold for the whole input. With `low` the least value and 0, `high` the greatest and 0:
//!
//! - `s = (high - low) / 255`, or 1 where that is 0 or no number; `z = -128 - round(low / s)`, within -128 and 127;
//! - `q[n,i] = round(in[n,i] x (1 / s)) + z`, within -128 and 127;
//! - `out[n,o] = (sum over i of w[o,i] x (q[n,i] - z)) x (s x scale[o]) + bias[o]`, within the fused activation's bounds.
//!
//! Sums are 32-bit integers and wrap; everything else is binary32 in the order written, each operation rounded once, so that
//! every core gives the same bits. `round` takes the nearest integer, halves to the even one, after a clamp to -512 and 512,
//! which is also what becomes of infinities; what is no number becomes -512.
//!
//! Layouts: the input's elements are `[N, I]` however its shape groups them, weights `[O, I]`, the output ends with `O`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa};
use crate::kernels::plain_weights::{Bytes, PlainWeights};
use crate::kernels::{Call, NodeError, Operator, Unary, require};

/// Parameters in the file, 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the weights, `[O, I]`, in the constant section.
    pub weights: u32,
    /// Offset of one [`Channel`] per output.
    pub channels: u32,
    /// Inputs per output: `I`.
    pub depth: u32,
    /// Lower bound of the fused activation.
    pub low: f32,
    /// Upper bound of the fused activation; not below the lower one.
    pub high: f32,
}

/// What one output adds to its weights, 12 bytes. As weights are: any content is safe to compute with.
#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Channel {
    /// Sum of the weights.
    pub sum: i32,
    /// Step of the weights.
    pub scale: f32,
    /// Added at the end.
    pub bias: f32,
}

/// Bytes of scratch: a row of quantized inputs.
pub fn scratch_len(params: &Params) -> usize {
    params.depth as usize
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<Bytes>();

/// The entry of a way to store weights.
pub(super) const fn operator<W: PlainWeights>() -> Operator {
    Operator { code: OpCode::DynamicFullyConnected, packing: W::CODE, check: check::<W>, run: run::<W> }
}

fn check<W: PlainWeights>(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.low <= params.high, NodeError::Params)?;
    let (input, output) = node.check_unary::<f32, f32>(scratch_len(params))?;
    let (rows, outputs) = output.shape.rows();
    let depth = params.depth as usize;
    require(depth > 0 && rows.checked_mul(depth) == Some(input.shape.elements()), NodeError::Shape)?;
    let weights = outputs.checked_mul(depth).ok_or(NodeError::Constants)?;
    node.constants::<W::Unit>(params.weights, W::units(weights)).ok_or(NodeError::Constants)?;
    node.constants::<Channel>(params.channels, outputs).ok_or(NodeError::Constants)?;
    Ok(rows as u64 * weights as u64 + 2 * input.shape.elements() as u64)
}

fn run<W: PlainWeights>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<f32, f32>() else { return };
    let (depth, (_, outputs)) = (params.depth as usize, output.shape.rows());
    let Some(weights) = node.constants::<W::Unit>(params.weights, W::units(depth * outputs)) else { return };
    let Some(channels) = node.constants::<Channel>(params.channels, outputs) else { return };
    let Some(Ok(row)) = scratch.get_mut(..depth).map(<[i8]>::mut_from_bytes) else { return };
    dynamic_fully_connected::<Active, W>(params, weights, channels, input.data, row, output.data);
}

/// The kernel: `input` holds rows as long as `row`, `output` rows of one value per channel.
fn dynamic_fully_connected<I: Isa, W: PlainWeights>(
    params: &Params,
    weights: &[W::Unit],
    channels: &[Channel],
    input: &[f32],
    row: &mut [i8],
    output: &mut [f32],
) {
    let range = Range::of(input);
    let depth = row.len().max(1);
    for (values, out) in input.chunks_exact(depth).zip(output.chunks_exact_mut(channels.len().max(1))) {
        range.quantize(values, row);
        let fours = out.chunks_mut(4).zip(channels.chunks(4)).zip((0..).step_by(4 * depth));
        for ((out, channels), start) in fours {
            let sums = if out.len() == 4 {
                W::dot4::<I>(weights, start, row)
            } else {
                let mut sums = [0; 4];
                for ((sum, _), start) in sums.iter_mut().zip(&*out).zip((start..).step_by(depth)) {
                    *sum = W::dot::<I>(weights, start, row);
                }
                sums
            };
            for ((out, sum), channel) in out.iter_mut().zip(sums).zip(channels) {
                let sum = sum.wrapping_sub(range.zero_point.wrapping_mul(channel.sum));
                let value = sum as f32 * (range.scale * channel.scale) + channel.bias;
                *out = clamped(value, params.low, params.high);
            }
        }
    }
}

/// How real numbers become int8.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Range {
    scale: f32,
    zero_point: i32,
}

impl Range {
    /// The range of these values and 0.
    fn of(values: &[f32]) -> Self {
        let (mut low, mut high) = (0f32, 0f32);
        for &value in values {
            if value < low {
                low = value;
            }
            if value > high {
                high = value;
            }
        }
        let scale = (high - low) / 255.0;
        let scale = if scale > 0.0 { scale } else { 1.0 };
        let zero_point = -128 - round(low / scale);
        Self { scale, zero_point: zero_point.clamp(-128, 127) }
    }

    /// The values as int8.
    fn quantize(&self, values: &[f32], quantized: &mut [i8]) {
        let inverse = 1.0 / self.scale;
        for (out, &value) in quantized.iter_mut().zip(values) {
            *out = (round(value * inverse) + self.zero_point).clamp(-128, 127) as i8;
        }
    }
}

/// The nearest integer of what the value is within -512 and 512, halves to the even one.
fn round(value: f32) -> i32 {
    /// Numbers of this size have no digits behind the point.
    const WHOLE: f32 = 12_582_912.0;
    (clamped(value, -512.0, 512.0) + WHOLE - WHOLE) as i32
}

/// The value within two bounds; the lower one if it is no number.
fn clamped(value: f32, low: f32, high: f32) -> f32 {
    if value > low { if value < high { value } else { high } } else { low }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::plain_weights::tests::StoredWeights;
    use crate::kernels::testing::{OneNode, Random};

    /// A layer.
    #[derive(Debug, Clone)]
    pub(in crate::kernels) struct Dynamic {
        pub(in crate::kernels) depth: usize,
        pub(in crate::kernels) input: Vec<f32>,
        pub(in crate::kernels) weights: Vec<i8>,
        pub(in crate::kernels) bounds: [f32; 2],
    }

    impl Dynamic {
        pub(in crate::kernels) fn random([rows, depth, outputs]: [usize; 3], spread: f32, seed: u64) -> Self {
            let random = &mut Random(seed);
            let input = random.values(rows * depth).into_iter().map(|x| f32::from(x) * spread + spread / 3.0);
            let input = input.collect();
            let bounds = if seed.is_multiple_of(2) { [0.0, 6.0] } else { [f32::NEG_INFINITY, f32::INFINITY] };
            Self { depth, input, weights: random.values(outputs * depth), bounds }
        }

        fn channels(&self) -> Vec<Channel> {
            let rows = self.weights.chunks(self.depth).zip(1..);
            rows.map(|(row, o)| Channel {
                sum: row.iter().map(|&w| i32::from(w)).sum(),
                scale: 0.01 * o as f32,
                bias: o as f32 - 3.5,
            })
            .collect()
        }

        pub(in crate::kernels) fn node<W: StoredWeights>(&self) -> OneNode {
            let mut node = OneNode::new(OpCode::DynamicFullyConnected).packing(W::CODE);
            let channels = self.channels();
            let params = Params {
                weights: W::constants(&mut node, &self.weights),
                channels: node.constants(&channels),
                depth: self.depth as u32,
                low: self.bounds[0],
                high: self.bounds[1],
            };
            let rows = self.input.len() / self.depth;
            let node = node.params(&params).input(&[rows, self.depth], &self.input);
            node.output::<f32>(&[rows, channels.len()]).scratch(scratch_len(&params))
        }

        /// The formula, element by element, with the standard library's rounding.
        pub(in crate::kernels) fn expected(&self) -> Vec<f32> {
            let low = self.input.iter().fold(0f32, |low, &x| low.min(x));
            let high = self.input.iter().fold(0f32, |high, &x| high.max(x));
            let scale = if high > low { (high - low) / 255.0 } else { 1.0 };
            let zero_point = (-128.0 - (low / scale).round_ties_even()).clamp(-128.0, 127.0) as i64;
            let quantized = |x: f32| {
                ((x * (1.0 / scale)).round_ties_even() as i64 + zero_point).clamp(-128, 127) - zero_point
            };
            let rows = self.input.chunks(self.depth);
            let channels = self.channels();
            rows.flat_map(|row| {
                channels.iter().zip(self.weights.chunks(self.depth)).map(move |(channel, weights)| {
                    let sum: i64 = row.iter().zip(weights).map(|(&x, &w)| quantized(x) * i64::from(w)).sum();
                    let value = sum as f32 * (scale * channel.scale) + channel.bias;
                    value.max(self.bounds[0]).min(self.bounds[1])
                })
            })
            .collect()
        }
    }

    #[test]
    fn mutants_stay_within_bounds() {
        Dynamic::random([2, 7, 6], 0.1, 0).node::<Bytes>().assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_formula(
            sizes in [1usize..4, 1usize..70, 1usize..14],
            exponent in -30i32..30,
            seed: u64,
        ) {
            let layer = Dynamic::random(sizes, 2f32.powi(exponent) * 1.1, seed);
            prop_assert_eq!(layer.node::<Bytes>().run::<f32>(), layer.expected());
        }

        #[test]
        fn rounds_as_the_standard_library(value in -600f32..600.0, halves in -1200i32..1200) {
            for value in [value, halves as f32 / 2.0] {
                prop_assert_eq!(round(value), value.clamp(-512.0, 512.0).round_ties_even() as i32);
            }
        }
    }

    #[test]
    fn what_is_no_number_or_endless_gives_numbers_of_a_range() {
        assert_eq!(Range::of(&[0.0; 3]), Range { scale: 1.0, zero_point: -128 });
        assert_eq!(Range::of(&[f32::NAN, 1.0]), Range { scale: 1.0 / 255.0, zero_point: -128 });
        assert_eq!(Range::of(&[-255.0]), Range { scale: 1.0, zero_point: 127 });
        for input in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX] {
            let layer = Dynamic { input: [input, f32::MIN].into(), ..Dynamic::random([2, 1, 3], 1.0, 1) };
            assert_eq!(layer.node::<Bytes>().run::<f32>().len(), 6);
        }
    }

    #[test]
    fn bounds_out_of_order_are_refused() {
        let layer = Dynamic::random([1, 3, 2], 1.0, 0);
        assert_eq!(layer.node::<Bytes>().check(), Ok(6 + 6));
        for bounds in [[1.0, 0.0], [f32::NAN, 0.0]] {
            let layer = Dynamic { bounds, ..layer.clone() };
            assert_eq!(layer.node::<Bytes>().check(), Err(NodeError::Params));
        }
    }
}
