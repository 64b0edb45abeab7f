//! Mean over any dimensions, int8.
//!
//! `out[k] = stage(multiplier x (bias + sum over the averaged positions of in[k, ..]))`. The division by their number is
//! part of the multiplier, the zero point part of the bias. Whether the output's shape keeps averaged dimensions as ones
//! makes no difference.
//!
//! Layouts: any rank, row-major. Sums are 32-bit and wrap. A last dimension that stays is taken in blocks, whose sums are
//! on the stack.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{MAX_RANK, Node, OpCode, Packing, Shape};
use crate::isa::{Active, Isa};
use crate::kernels::{Call, NodeError, Operator, Tensor, Unary, require};
use crate::quant::{Multiplier, OutputStage};

/// Output values per block.
const BLOCK: usize = 32;

/// Parameters in the file, 20 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Input scale / output scale / count, `count` being the number of averaged values per output, in the reference's
    /// arithmetic: with `mantissa` and `shift` of input scale / output scale, and `s` the least of `floor(log2 count)`
    /// and `31 + shift`, it is `(mantissa x 2^s) / count`, truncated, and `shift - s`.
    pub multiplier: Multiplier,
    /// Minus the input zero point x count, modulo 2^32.
    pub bias: i32,
    /// Averaged dimensions of the input: bit `d` stands for dimension `d`, counted from the outermost.
    pub dims: u32,
    /// Output zero point and clamp.
    pub stage: OutputStage,
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Mean, packing: Packing::Plain, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.multiplier.is_valid(), NodeError::Quantization)?;
    let (input, output) = node.check_unary::<i8, i8>(0)?;
    require(params.stage.is_valid() && params.dims >> input.shape.rank() == 0, NodeError::Params)?;
    let dims = input.shape.dims().iter().enumerate();
    let kept =
        dims.filter(|&(d, _)| !params.averages(d)).fold(1, |product, (_, &len)| product * len as usize);
    require(kept == output.shape.elements(), NodeError::Shape)?;
    Ok(input.shape.elements() as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let Some(params) = call.node.params::<Params>() else { return };
    let Some(Unary { input, output, .. }) = call.unary::<i8, i8>() else { return };
    mean::<Active>(params, input, output.data);
}

/// The kernel: `output` has as many elements as the kept dimensions of `input`.
pub fn mean<I: Isa>(params: &Params, input: Tensor<'_, i8>, output: &mut [i8]) {
    let Plan { kept, mut averaged, inner, run } = Plan::new(params, input.shape);
    // Values of one output, or neighbours of several, that lie at even distances.
    let (rows, pitch) = if inner > 1 { averaged.take_innermost() } else { (1, 0) };
    for (base, out) in kept.zip(output.chunks_exact_mut(inner.max(1))) {
        for (first, out) in (base..).step_by(BLOCK).zip(out.chunks_mut(BLOCK)) {
            let mut sums = [0i32; BLOCK];
            for offset in averaged.clone() {
                let values = input.data.get(first + offset..).unwrap_or_default();
                if inner > 1 {
                    let sums = sums.get_mut(..out.len()).unwrap_or_default();
                    I::add_rows_i8(sums, values, rows, pitch);
                } else {
                    let values = values.get(..run).unwrap_or_default();
                    let sum = values.iter().fold(0i32, |sum, &x| sum.wrapping_add(i32::from(x)));
                    sums[0] = sums[0].wrapping_add(sum);
                }
            }
            for (out, &sum) in out.iter_mut().zip(&sums) {
                *out = params.stage.finish(params.multiplier.apply(sum.wrapping_add(params.bias)));
            }
        }
    }
}

impl Params {
    fn averages(&self, dim: usize) -> bool {
        self.dims >> dim & 1 != 0
    }
}

/// How an input is walked: for each offset of `kept`, `inner` consecutive outputs; for each of these, at every offset of
/// `averaged`, `run` consecutive inputs. One of `inner` and `run` is 1.
struct Plan {
    kept: Offsets,
    averaged: Offsets,
    inner: usize,
    run: usize,
}

impl Plan {
    fn new(params: &Params, shape: &Shape) -> Self {
        let mut plan = Self { kept: Offsets::default(), averaged: Offsets::default(), inner: 1, run: 1 };
        let mut stride = 1;
        for (d, &len) in shape.dims().iter().enumerate().rev() {
            let len = len as usize;
            let (walk, together) = if params.averages(d) {
                (&mut plan.averaged, &mut plan.run)
            } else {
                (&mut plan.kept, &mut plan.inner)
            };
            // Dimensions that continue the innermost one, be they kept or averaged, are one run.
            if *together == stride {
                *together *= len;
            } else if let Some(axis) = walk.axes.get_mut(d) {
                *axis = Step { last: len - 1, stride, at: 0 };
            }
            stride *= len;
        }
        plan
    }
}

/// Offsets of all combinations of positions along some dimensions, the last dimension fastest.
#[derive(Clone, Default)]
struct Offsets {
    axes: [Step; MAX_RANK],
    offset: usize,
    done: bool,
}

/// Where a walk is along one dimension.
#[derive(Clone, Copy, Default)]
struct Step {
    /// Last position.
    last: usize,
    /// Elements between neighbouring positions.
    stride: usize,
    at: usize,
}

impl Offsets {
    /// Takes the innermost dimensions that are at even distances out of the walk: the number of their positions and the
    /// distance.
    fn take_innermost(&mut self) -> (usize, usize) {
        let (mut count, mut pitch) = (1, 0);
        for axis in self.axes.iter_mut().rev().filter(|axis| axis.last > 0) {
            if count > 1 && axis.stride != count * pitch {
                break;
            }
            pitch = if count > 1 { pitch } else { axis.stride };
            count *= axis.last + 1;
            *axis = Step::default();
        }
        (count, pitch)
    }
}

impl Iterator for Offsets {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.done {
            return None;
        }
        let offset = self.offset;
        self.done = true;
        for axis in self.axes.iter_mut().rev() {
            if axis.at < axis.last {
                axis.at += 1;
                self.offset += axis.stride;
                self.done = false;
                break;
            }
            self.offset -= axis.at * axis.stride;
            axis.at = 0;
        }
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::testing::{OneNode, Random, definitions};

    /// The reference's division of a factor by the number of averaged values.
    fn divided(factor: Multiplier, count: i64) -> Multiplier {
        let bits = i64::from(count.ilog2()).min(i64::from(31 + factor.shift));
        let mantissa = (i64::from(factor.mantissa) << bits) / count;
        Multiplier { mantissa: mantissa as i32, shift: factor.shift - bits as i32 }
    }

    /// A mean of random values, and what the definition gives.
    fn case(shape: &[usize], dims: u32, seed: u64) -> (OneNode, Vec<i8>) {
        let mut random = Random(seed);
        let input = random.values(shape.iter().product());
        let (sums, count) = definitions::reduce(shape, dims, &input);
        let multiplier = divided(random.multiplier(-1..=1), count);
        let (stage, zero_point) = (random.stage(), i64::from(random.value()));
        let mean = |sum: &i64| definitions::requantize(sum - zero_point * count, multiplier, &stage);
        let expected = sums.iter().map(mean).collect();
        let params = Params { multiplier, bias: (-zero_point * count) as i32, dims, stage };
        let node = OneNode::new(OpCode::Mean).params(&params).input(shape, &input);
        (node.output::<i8>(&[sums.len()]), expected)
    }

    #[test]
    fn mutants_stay_within_bounds() {
        case(&[2, 3, 2, 5], 0b0110, 0).0.assert_mutants_stay_within_bounds();
        case(&[2, 3, 2, 5], 0b1010, 0).0.assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn any_dimensions_equal_the_definition(
            shape in prop::collection::vec(1usize..6, 1..=MAX_RANK),
            dims in 0u32..64,
            seed: u64,
        ) {
            let (node, expected) = case(&shape, dims & ((1 << shape.len()) - 1), seed);
            prop_assert_eq!(node.run::<i8>(), expected);
        }

        #[test]
        fn images_equal_the_definition(
            shape in (1usize..3, 1usize..9, 1usize..9, 1usize..100),
            dims in 0u32..16,
            seed: u64,
        ) {
            let (node, expected) = case(&<[usize; 4]>::from(shape), dims, seed);
            prop_assert_eq!(node.run::<i8>(), expected);
        }
    }

    #[test]
    fn dimensions_that_do_not_exist_are_refused() {
        assert_eq!(case(&[2, 3], 0b100, 0).0.check(), Err(NodeError::Params));
    }

    #[test]
    fn record_is_20_bytes() {
        assert_eq!(size_of::<Params>(), 20);
    }
}
