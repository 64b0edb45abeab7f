//! Reference inner loops in safe Rust, for every core.
#![forbid(unsafe_code)]

use super::Isa;
use crate::quant::{ChannelQuant, OutputStage};

/// Plain loops; the compiler vectorizes them where the target can.
#[derive(Debug, Clone, Copy)]
pub struct Scalar;

impl Isa for Scalar {
    #[inline]
    fn dot_i8(weights: &[i8], input: &[i8]) -> i32 {
        weights.iter().zip(input).fold(0i32, |sum, (&w, &x)| sum.wrapping_add(i32::from(w) * i32::from(x)))
    }

    #[inline]
    fn dot4_i8(weights: &[i8], input: &[i8]) -> [i32; 4] {
        let n = input.len();
        let (w0, rest) = weights.split_at(n.min(weights.len()));
        let (w1, rest) = rest.split_at(n.min(rest.len()));
        let (w2, rest) = rest.split_at(n.min(rest.len()));
        let mut sums = [0i32; 4];
        for ((((&x, &a), &b), &c), &d) in input.iter().zip(w0).zip(w1).zip(w2).zip(rest) {
            let x = i32::from(x);
            for (sum, w) in sums.iter_mut().zip([a, b, c, d]) {
                *sum = sum.wrapping_add(x * i32::from(w));
            }
        }
        sums
    }

    #[inline]
    fn multiply_add_i8(sums: &mut [i32], weights: &[i8], input: &[i8]) {
        for ((sum, &w), &x) in sums.iter_mut().zip(weights).zip(input) {
            *sum = sum.wrapping_add(i32::from(w) * i32::from(x));
        }
    }

    #[inline]
    fn add_i8(sums: &mut [i32], input: &[i8]) {
        for (sum, &x) in sums.iter_mut().zip(input) {
            *sum = sum.wrapping_add(i32::from(x));
        }
    }

    #[inline]
    fn max_i8(largest: &mut [i8], input: &[i8]) {
        for (m, &x) in largest.iter_mut().zip(input) {
            *m = (*m).max(x);
        }
    }

    #[inline]
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]) {
        for ((out, &sum), channel) in output.iter_mut().zip(sums).zip(channels) {
            *out = stage.finish(channel.multiplier.apply(sum.wrapping_add(channel.bias)));
        }
    }
}
