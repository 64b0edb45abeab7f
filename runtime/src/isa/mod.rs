//! Inner loops. Outer loops are written once, in [`crate::kernels`], generic over [`Isa`].
//!
//! [`scalar`] is the reference, in safe Rust, for every core. An instruction set with kernels of its own adds a file
//! here, names it in [`Active`] and is chosen at compile time by the `isa` cfg that `build.rs` derives from the target.

#[cfg(isa = "dsp")]
mod dsp;
mod scalar;
mod stack;

use crate::packing::tap_pairs::Columns;
use crate::quant::{ChannelQuant, OutputStage};

#[cfg(isa = "dsp")]
pub use dsp::Dsp;
pub use scalar::Scalar;
pub use stack::{RowPairs, Run, Runs, Stack};

/// Groups of one size on byte-pair lanes ([`crate::packing::lanes`]).
#[derive(Debug, Clone, Copy)]
pub struct Lanes<'a> {
    /// Weights, group by group.
    pub words: &'a [u32],
    /// Records, group by group.
    pub records: &'a [i32],
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

/// The fastest instruction set that the compilation target has.
#[cfg(isa = "dsp")]
pub type Active = Dsp;
/// The fastest instruction set that the compilation target has.
#[cfg(not(isa = "dsp"))]
pub type Active = Scalar;

/// One channel of a 3x3 depthwise convolution on row pairs ([`crate::packing::row_pairs`]).
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// The channel's weights.
    pub weights: &'a [u32],
    /// The channel's record.
    pub record: &'a [i32],
    /// Row pairs of the padded input; the words of four channels interleave, the channel's own comes first.
    pub words: &'a [u32],
    /// Words from a row pair to the next.
    pub row_words: usize,
    /// 1 or 2, for rows and columns.
    pub stride: usize,
    /// Output rows.
    pub rows: usize,
    /// Output columns.
    pub columns: usize,
    /// Bytes from an output to the next column's.
    pub column_pitch: usize,
    /// Bytes from an output to the next row's.
    pub row_pitch: usize,
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

/// A part of a depthwise convolution's output on tap pairs ([`crate::packing::tap_pairs`]): some channels of some rows and
/// columns. Pitches are the distances of output bytes; channels are neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// Weights: channel by channel, or, of channels that share their input, as [`position`](crate::packing::tap_pairs::position) says.
    pub weights: &'a [u32],
    /// Records, channel by channel.
    pub records: &'a [i32],
    /// Stacked rows ([`Isa::stack_rows`]) of the padded input.
    pub words: &'a [u32],
    /// Words from a channel's input to the next channel's; 0 if they share one.
    pub plane: usize,
    /// Words from an output column's input to the next one's; output rows are one word apart.
    pub column: usize,
    /// Columns of the kernel.
    pub kernel: Columns,
    /// Words from the input of a kernel column's word to that of the next one, 1 or 2.
    pub advance: usize,
    /// Words from a kernel column's input to the next one's.
    pub kernel_column: usize,
    /// Output channels.
    pub channels: usize,
    /// Output rows. At least 4 words are read where there are fewer.
    pub rows: usize,
    /// Output columns.
    pub columns: usize,
    /// Bytes from an output to the next row's.
    pub row_pitch: usize,
    /// Bytes from an output to the next column's.
    pub column_pitch: usize,
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

impl Tile<'_> {
    /// Rows whose sums are computed together.
    pub const BLOCK: usize = 4;

    /// Whether several channels have one input.
    pub fn is_shared(&self) -> bool {
        self.plane == 0 && self.channels > 1
    }
}

/// Rows of one length inside a larger image, and the distance at which they are to stand.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Values, from the first one of the first row on.
    pub input: &'a [i8],
    /// Values in a row.
    pub row_len: usize,
    /// Number of rows.
    pub rows: usize,
    /// Values from the start of a row to the start of the next.
    pub pitch: usize,
    /// Pairs from the start of a widened row to the start of the next; at least `ceil(row_len / 2)`.
    pub pairs: usize,
}

impl<'a> Rows<'a> {
    /// A single row.
    pub fn one(input: &'a [i8]) -> Self {
        Self { input, row_len: input.len(), rows: 1, pitch: input.len(), pairs: input.len().div_ceil(2) }
    }
}

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

    /// `sums[c] += input[r x pitch + c]` for each of so many rows `r`.
    fn add_rows_i8(sums: &mut [i32], input: &[i8], rows: usize, pitch: usize);

    /// `largest[c] = max(largest[c], input[r x pitch + c])` for each of so many rows `r`.
    fn max_rows_i8(largest: &mut [i8], input: &[i8], rows: usize, pitch: usize);

    /// Inputs as 16-bit values, in pairs that lie `2 PIXELS` elements apart: value `k` of row `r` goes to pair
    /// `r x pairs + k / 2`, element `k % 2`. `PIXELS` is 1 or 2. Nothing is written if a slice is too short.
    fn widen<const PIXELS: usize>(rows: &Rows<'_>, output: &mut [i16]);

    /// Two rows of up to four channels as row pairs: `output[4 q + c] = (rows[0][q x pitch + c], rows[1][q x pitch + c])`, the
    /// first in the lower half. A row that is absent is padding.
    fn pair_rows(rows: [Option<&[i8]>; 2], channels: usize, pitch: usize, padding: i8, output: &mut [u32]);

    /// A 3x3 depthwise convolution of one channel: `output` starts at the first output. Nothing is written if a slice is too
    /// short.
    fn row_pairs(plane: &Plane<'_>, output: &mut [i8]);

    /// Rows as pairs: word `p` of column `x` of channel `c` goes to `output[c x plane + x x pairs + p]`, its upper row in the
    /// lower half. Nothing is written if a slice is too short.
    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]);

    /// A depthwise convolution on tap pairs. `output` starts at the first output. Nothing is written if a slice is too short.
    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]);

    /// Whole groups of `SIZE` channels times `PIXELS` vectors of inputs: writes `SIZE` bytes per group to each output,
    /// with the zero point added and clamped to -128 to 127.
    ///
    /// `input` holds, for each pair of inputs, two values of each vector. Sizes are 2, 4 and 8, pixels 1 and 2. Every
    /// output has room for all groups.
    fn lanes<const SIZE: usize, const PIXELS: usize>(
        lanes: &Lanes<'_>,
        input: &[i16],
        outputs: [&mut [i8]; PIXELS],
    );

    /// `output[c] = stage(multiplier[c] x (sums[c] + bias[c]))`.
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]);
}
