//! Inner loops. Outer loops are written once, in [`crate::kernels`], generic over [`Isa`].
//!
//! [`Scalar`] is the reference, in safe Rust, for every core. An instruction set with kernels of its own adds a file
//! here, names it in [`Active`] and is chosen at compile time by the `isa` cfg that `build.rs` derives from the target.

#[cfg(isa = "dsp")]
mod dsp;
mod lanes;
mod scalar;
mod stack;

use crate::packing::tap_pairs::Columns;
use crate::quant::{ChannelQuant, CommonScale, OutputStage};

#[cfg(isa = "dsp")]
pub use dsp::Dsp;
pub use lanes::Lanes;
pub use scalar::Scalar;
pub use stack::{RowPairs, Run, Runs, Stack};

/// Where the inputs and outputs of neighbouring pixels lie.
#[derive(Debug, Clone, Copy)]
pub struct Strip {
    /// Pixels of a step: 1 or 2.
    pub pixels: usize,
    /// Input pairs of a pixel.
    pub pairs: usize,
    /// Steps.
    pub count: usize,
    /// Pairs of inputs from a step to the next.
    pub step: usize,
    /// Outputs from a step to the next.
    pub advance: usize,
    /// Outputs from a step's first pixel to its second.
    pub pitch: usize,
}

impl Strip {
    /// A single pixel with so many inputs.
    pub fn one(inputs: usize) -> Self {
        Self { pixels: 1, pairs: inputs.div_ceil(2), count: 1, step: 0, advance: 0, pitch: 0 }
    }
}

/// A pair of channels with weights as signs ([`crate::packing::signs`]) and a block of pixels.
#[derive(Debug, Clone, Copy)]
pub struct Signs<'a> {
    /// The pair's masks.
    pub masks: &'a [u32],
    /// The pair's record.
    pub record: &'a [i32; crate::packing::signs::RECORD_WORDS],
    /// Inputs as unsigned bytes ([`Isa::lay_out_signs`]): the words of [`Self::PIXELS`] pixels at a time take turns; those of
    /// the pixels that are left stand one pixel after another.
    pub input: &'a [u32],
    /// Words of a pixel.
    pub quads: usize,
    /// Pixels.
    pub pixels: usize,
    /// Channels to write, 1 or 2.
    pub channels: usize,
    /// Outputs from a pixel to the next.
    pub pitch: usize,
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

impl Signs<'_> {
    /// Pixels whose sums are computed together.
    pub const PIXELS: usize = 4;
}

/// Channels with binary weights, and one vector of binary inputs ([`crate::packing::xnor`]).
#[derive(Debug, Clone, Copy)]
pub struct Xnor<'a> {
    /// Weights, channel by channel; whole words can be read from where each channel begins.
    pub weights: &'a [u8],
    /// Bytes of a channel, no more than the words of the input have.
    pub row_bytes: usize,
    /// Records, one for each output.
    pub records: &'a [[i32; crate::packing::xnor::RECORD_WORDS]],
    /// Bits of the inputs.
    pub input: &'a [crate::packing::xnor::Bits],
    /// How many inputs are not zero.
    pub counted: u32,
    /// Output zero point and clamp. Where it asks for less than -128 to 127, the caller clamps the outputs.
    pub stage: &'a OutputStage,
}

/// The fastest instruction set that the compilation target has.
#[cfg(isa = "dsp")]
pub type Active = Dsp;
/// The fastest instruction set that the compilation target has.
#[cfg(not(isa = "dsp"))]
pub type Active = Scalar;

/// Blocks of two rows each that become row pairs.
#[derive(Debug, Clone, Copy)]
pub struct RowBlocks {
    /// Columns.
    pub columns: usize,
    /// Channels, at most 4.
    pub channels: usize,
    /// Values from a column to the next.
    pub pitch: usize,
    /// Value of a row that is absent.
    pub padding: i8,
    /// Number of blocks.
    pub count: usize,
    /// Values from a block to the next in both rows.
    pub step: usize,
    /// Words from a block to the next.
    pub words: usize,
}

/// Some channels of a 3x3 depthwise convolution on row pairs ([`crate::packing::row_pairs`]).
#[derive(Debug, Clone, Copy)]
pub struct Planes<'a> {
    /// Distance of neighbouring windows in both directions, 1 or 2.
    pub stride: usize,
    /// Channels.
    pub channels: usize,
    /// Their weights.
    pub weights: &'a [u32],
    /// Their records.
    pub records: &'a [i32],
    /// Row pairs of the padded input; the words of four channels interleave.
    pub words: &'a [u32],
    /// Words from four channels to the next four.
    pub group_words: usize,
    /// Words from a row pair to the next.
    pub row_words: usize,
    /// Output rows.
    pub rows: usize,
    /// Output columns.
    pub columns: usize,
    /// Bytes from an output to the next column's. The channels' outputs are side by side.
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
    /// Pairs from the start of a widened row to the start of the next; at least those that a row touches.
    pub pairs: usize,
    /// Whether a row starts with the second value of its first pair.
    pub odd: bool,
    /// Pixels whose pairs take turns in the output: 1 or 2.
    pub pixels: usize,
}

impl<'a> Rows<'a> {
    /// A single row.
    pub fn one(input: &'a [i8]) -> Self {
        let pairs = input.len().div_ceil(2);
        Self { input, row_len: input.len(), rows: 1, pitch: input.len(), pairs, odd: false, pixels: 1 }
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

    /// `output[i]` = the sum of `operands[0][i]` and `operands[1][i]` at their common scale.
    fn sum_i8(scale: &CommonScale, operands: [&[i8]; 2], output: &mut [i8]);

    /// Inputs as 16-bit values, in pairs that lie `2 pixels` elements apart: with `k' = k + 1` if rows are `odd`, else `k`,
    /// value `k` of row `r` goes to pair `r x pairs + k' / 2`, element `k' % 2`. Nothing is written if a slice is too short.
    fn widen(rows: &Rows<'_>, output: &mut [i16]);

    /// Two rows as row pairs, block by block: `output[b x words + 4 q + c] = 256 x (rows[0][at], rows[1][at])`, the first in
    /// the lower half, for each channel `c` of column `q` of block `b`, where `at = b x step + q x pitch + c`. A row that is
    /// absent is padding. Words of the four that have no channel may become anything.
    fn pair_rows(rows: [Option<&[i8]>; 2], blocks: &RowBlocks, output: &mut [u32]);

    /// Rows as pairs: word `p` of column `x` of channel `c` goes to `output[c x plane + x x pairs + p]`, its upper row in the
    /// lower half. Nothing is written if a slice is too short.
    fn stack_rows(stack: &Stack<'_>, output: &mut [u32]);

    /// A depthwise convolution on tap pairs. `output` starts at the first output. Nothing is written if a slice is too short.
    fn tap_pairs(tile: &Tile<'_>, output: &mut [i8]);

    /// A 3x3 depthwise convolution of some channels: `output` starts at the first output. Nothing is written if a slice is
    /// too short.
    fn row_pairs(planes: &Planes<'_>, output: &mut [i8]);

    /// A layer's channels times the pixels of a strip: writes the outputs of each with the zero point added, clamped to
    /// -128 to 127. Groups of at most 8 channels take one pixel at a time. Nothing is written if a slice is too short.
    ///
    /// Value `i` of input pair `k` of pixel `p` in step `s` is `input[2 (pixels (s x step + k) + p) + i]`; its output of
    /// channel `c` is `output[s x advance + p x pitch + c]`.
    fn lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]);

    /// A layer on byte-pair lanes times one row of `inputs`, which are widened into `scratch` first.
    fn row_of_lanes(lanes: &Lanes<'_>, inputs: &[i8], scratch: &mut [i16], output: &mut [i8]) {
        Self::widen(&Rows::one(inputs), scratch);
        Self::lanes(lanes, &Strip::one(inputs.len()), scratch, output);
    }

    /// The same as [`Isa::lanes`] on nibble lanes.
    fn nibble_lanes(lanes: &Lanes<'_>, strip: &Strip, input: &[i16], output: &mut [i8]);

    /// The masks from number `first` on of weights as signs.
    fn expand_signs(words: &[u32], first: usize, masks: &mut [u32]);

    /// Inputs as unsigned bytes, four in a word and words `step` apart, padded with 0.
    fn lay_out_signs(input: &[i8], step: usize, output: &mut [u32]);

    /// The outputs of a block, each with the zero point added, clamped to -128 to 127. Nothing is written if a slice is too
    /// short.
    fn signs(block: &Signs<'_>, output: &mut [i8]);

    /// The outputs of channels, each with the zero point added, clamped to -128 to 127. Nothing is written if a slice is too
    /// short.
    fn xnor(rows: &Xnor<'_>, output: &mut [i8]);

    /// `output[c] = stage(multiplier[c] x (sums[c] + bias[c]))`.
    fn requantize(sums: &[i32], channels: &[ChannelQuant], stage: &OutputStage, output: &mut [i8]);
}
