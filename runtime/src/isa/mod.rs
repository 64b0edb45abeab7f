//! Inner loops. Outer loops are written once, in [`crate::kernels`], generic over [`Isa`].
//!
//! [`scalar`] is the reference, in safe Rust, for every core. An instruction set with kernels of its own adds a file
//! here, names it in [`Active`] and is chosen at compile time by the `isa` cfg that `build.rs` derives from the target.

mod scalar;

use crate::quant::{ChannelQuant, OutputStage};

pub use scalar::Scalar;

/// The fastest instruction set that the compilation target has.
pub type Active = Scalar;

/// The inner loops that an instruction set supplies.
///
/// Slices of one call that should have equal lengths are used up to the shortest. Sums wrap modulo 2^32; a model whose
/// true sums fit 32 bits, as the converter proves, never wraps.
pub trait Isa {
    /// Sum of `weights[i] x input[i]`.
    fn dot_i8(weights: &[i8], input: &[i8]) -> i32;

    /// Four rows of weights, one after another, times one input: `sums[r] = weights[r x n ..][..n] . input`, where `n` is
    /// the input's length and `weights` holds `4 n` values.
    fn dot4_i8(weights: &[i8], input: &[i8]) -> [i32; 4];

    /// `sums[c] += weights[c] x input[c]`.
    fn multiply_add_i8(sums: &mut [i32], weights: &[i8], input: &[i8]);

    /// `sums[c] += input[c]`.
    fn add_i8(sums: &mut [i32], input: &[i8]);

    /// `largest[c] = max(largest[c], input[c])`.
    fn max_i8(largest: &mut [i8], input: &[i8]);

    /// `output[c] = stage(multiplier[c] x (sums[c] + bias[c]))`.
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]);
}
