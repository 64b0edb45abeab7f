//! Depthwise convolutions.

use secateur::format::{OpCode, Packing};
use secateur::isa::Tile;
use secateur::kernels::{
    Window, depthwise_conv2d, depthwise_conv2d_row_pairs as row_pairs,
    depthwise_conv2d_tap_pairs as tap_pairs,
};
use secateur::packing;
use secateur::quant::{ChannelQuant, OutputStage};
use zerocopy::{Immutable, IntoBytes};

use super::convolution::{by_column, filter_size, window};
use super::dense::{self, settled};
use super::{Lowering, Step};
use crate::arithmetic::scale::stage;
use crate::arithmetic::weights::{self, row_sums, transposed};
use crate::arithmetic::{int8, narrow};
use crate::ir::attributes::DepthwiseConv2d;
use crate::ir::{DType, Fault, Node, Tensor};

/// Scratch of a band, unless the smallest possible takes more.
const MOST_BAND_BYTES: usize = 4096;

/// Scratch of several groups of channels on row pairs together.
const MOST_TOGETHER_BYTES: usize = 2048;

/// Most rows and columns of a tile that is not a whole image.
const MOST_TILE: usize = 64;

/// Scratch of a tile that no layer is too small for.
const LEAST_TILE_BYTES: usize = 864;

/// Most fours of channels that are laid out together.
const MOST_FOURS: u8 = 8;

/// Most taps of channels that share their input, as on lanes they run faster than on tap pairs.
const MOST_TAPS_ON_LANES: usize = 9;

impl Lowering<'_> {
    /// One input channel makes it an ordinary convolution where no packing of its own holds.
    pub(super) fn depthwise_conv2d(&mut self, node: &Node, conv: &DepthwiseConv2d) -> Result<(), Fault> {
        let (input, filter, output) = (self.operand(node, 0)?, self.operand(node, 1)?, self.result(node)?);
        let (from, to) = (int8("input", input)?, int8("output", output)?);
        let window = window(filter_size(filter)?, conv.stride, conv.dilation, conv.padding)?;
        self.check_window(node, &window)?;
        let plain = self.weights(filter)?;
        let weights = transposed(&plain, output.shape.last().copied().unwrap_or(1));
        let sums = row_sums(&weights, output.shape.last().copied().unwrap_or(1));
        let stage = stage(to, conv.activation);
        let channels = weights::channels(filter, self.bias(node), &sums, from, to)?;
        let channels = settled(&weights, &channels, &stage);
        let input_zero_point = narrow(from.zero_point);
        let (input, output) = (image("input", input)?, image("output", output)?);
        let dtype = filter.dtype;
        let layer = Layer { node, dtype, weights, channels, window, stage, input_zero_point, input, output };
        if self.core.has_dsp() && packing::tap_pairs::holds(&layer.weights, window.area(), &layer.channels) {
            // Row pairs lay out four channels at once.
            let quads = conv.multiplier == 1 && layer.input[3] >= 4;
            if quads
                && row_pairs::Params::takes(&window)
                && packing::row_pairs::holds(&layer.weights, &layer.channels)
            {
                return self.row_pairs(&layer);
            }
            // Lanes are faster where a few taps share their input.
            let few = layer.input[3] == 1 && window.area() <= MOST_TAPS_ON_LANES;
            if tap_pairs::Params::takes(&window) && !(few && self.fits_lanes(&layer, &window)) {
                return self.tap_pairs(&layer);
            }
        }
        if layer.input[3] == 1 {
            return self.convolution(node, &layer.weights, filter, window, 1, conv.activation);
        }
        let params = depthwise_conv2d::Params {
            weights: self.store_plain(dtype, &plain),
            channels: self.constants.add(&layer.channels[..]),
            window,
            stage,
            input_zero_point,
            reserved: [0; 3],
        };
        let step = self.step_of(node, &params)?;
        let channels = layer.output[3];
        let scratch_len = if layer.is_int4() { depthwise_conv2d::expanded_len(&params, channels) } else { 0 };
        self.step(Step { packing: dense::plain(dtype), scratch_len, ..step })
    }

    /// Whether an ordinary convolution of one input channel would be on lanes.
    fn fits_lanes(&self, layer: &Layer<'_>, window: &Window) -> bool {
        let weights = by_column(&layer.weights, window, 1);
        let inputs = weights.len() / layer.channels.len().max(1);
        !layer.is_int4() && packing::lanes::holds(&weights, inputs, &layer.channels)
    }

    /// A step of a depthwise convolution without scratch, on plain weights.
    fn step_of(&mut self, node: &Node, params: &(impl IntoBytes + Immutable)) -> Result<Step, Fault> {
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        Ok(Step::new(&node.name, OpCode::DepthwiseConv2d, params, vec![input], vec![output]))
    }

    /// A 3x3 depthwise convolution on row pairs.
    fn row_pairs(&mut self, layer: &Layer<'_>) -> Result<(), Fault> {
        let [width, rows, columns] = [layer.input[2], layer.output[1], layer.output[2]];
        let mut words = vec![0u32; layer.channels.len() * packing::row_pairs::WEIGHT_WORDS];
        let mut records = vec![0i32; layer.channels.len() * packing::row_pairs::RECORD_WORDS];
        let level = layer.stage.zero_point == i8::MIN;
        packing::row_pairs::encode(&layer.weights, &layer.channels, level, &mut words, &mut records);
        let mut params = row_pairs::Params {
            weights: self.words_or_nibbles(layer, &words),
            channels: self.constants.add(&records[..]),
            window: layer.window,
            band: 2,
            stage: layer.stage,
            input_zero_point: layer.input_zero_point,
            reserved: [0; 3],
        };
        // The tallest band whose layout stays small: a higher one saves a little time and costs RAM at the peak.
        let scratch = |params: &row_pairs::Params| row_pairs::scratch_len(params, width, [rows, columns]);
        while (params.band as usize) < rows {
            let taller = row_pairs::Params { band: params.band + 2, ..params };
            if scratch(&taller) > MOST_BAND_BYTES {
                break;
            }
            params = taller;
        }
        let four = scratch(&params);
        let together = (MOST_TOGETHER_BYTES / four.max(1)).min(layer.channels.len().div_ceil(4)).max(1);
        let step = self.step_of(layer.node, &params)?;
        let (packing, expanded) = if layer.is_int4() {
            (Packing::NibbleRowPairs, row_pairs::expanded_len(layer.channels.len()))
        } else {
            (Packing::RowPairs, 0)
        };
        self.step(Step { scratch_len: four * together + expanded, packing, ..step })
    }

    /// A depthwise convolution on tap pairs.
    fn tap_pairs(&mut self, layer: &Layer<'_>) -> Result<(), Fault> {
        let window = layer.window;
        let size = [window.height.kernel, window.width.kernel].map(usize::from);
        let kernel = packing::tap_pairs::Columns::of(size).map_or(0, |kernel| kernel.words());
        let mut words = vec![0u32; layer.channels.len() * kernel];
        let mut records = vec![0i32; layer.channels.len() * packing::tap_pairs::RECORD_WORDS];
        let shared = layer.output[3] / layer.input[3].max(1);
        packing::tap_pairs::encode(
            &layer.weights,
            size,
            shared.max(1),
            &layer.channels,
            &mut words,
            &mut records,
        );
        let params = tap_pairs::Params {
            weights: self.words_or_nibbles(layer, &words),
            channels: self.constants.add(&records[..]),
            window,
            rows: 1,
            columns: 1,
            stage: layer.stage,
            input_zero_point: layer.input_zero_point,
            fours: 1,
            reserved: [0; 2],
        };
        let (params, scratch_len) = best_tile(&params, layer);
        let step = self.step_of(layer.node, &params)?;
        let (packing, expanded) = if layer.is_int4() {
            (Packing::NibbleTapPairs, tap_pairs::expanded_len(&params, layer.channels.len()).unwrap_or(0))
        } else {
            (Packing::TapPairs, 0)
        };
        self.step(Step { scratch_len: scratch_len + expanded, packing, ..step })
    }

    /// Packed weights, or those of 4 bits as nibbles, which are packed anew in each run.
    fn words_or_nibbles(&mut self, layer: &Layer<'_>, words: &[u32]) -> u32 {
        if layer.is_int4() {
            self.store_plain(layer.dtype, &layer.weights)
        } else {
            self.constants.add(words)
        }
    }
}

/// What the packings need to know of a layer.
struct Layer<'n> {
    node: &'n Node,
    /// Of the filter.
    dtype: DType,
    /// Channel after channel.
    weights: Vec<i8>,
    channels: Vec<ChannelQuant>,
    window: Window,
    stage: OutputStage,
    input_zero_point: i8,
    input: [usize; 4],
    output: [usize; 4],
}

impl Layer<'_> {
    fn is_int4(&self) -> bool {
        self.dtype == DType::I4
    }
}

/// The tile that takes least time of those whose scratch is a small part of what the layer needs anyway, or least scratch
/// if none is; and its scratch.
fn best_tile(params: &tap_pairs::Params, layer: &Layer<'_>) -> (tap_pairs::Params, usize) {
    let ([_, h, w, c], [_, out_h, out_w, out_c]) = (layer.input, layer.output);
    let most = ((h * w * c + out_h * out_w * out_c) / 7).clamp(LEAST_TILE_BYTES, MOST_BAND_BYTES);
    let sizes = |len: usize| (1..len.min(MOST_TILE)).chain([len]).filter_map(|size| u16::try_from(size).ok());
    let tiles = sizes(out_h).flat_map(|rows| sizes(out_w).map(move |columns| (rows, columns)));
    let tiles = tiles.flat_map(|tile| (1..=MOST_FOURS).map(move |fours| (tile, fours)));
    let candidates = tiles.filter_map(|((rows, columns), fours)| {
        let params = tap_pairs::Params { rows, columns, fours, ..*params };
        Some((params, tap_pairs::Layout::new(&params, c, [out_h, out_w])?))
    });
    let best = candidates.min_by_key(|(_, layout)| {
        (layout.scratch_len().max(most), cycles(layout, layer), layout.scratch_len())
    });
    best.map_or((*params, 0), |(params, layout)| (params, layout.scratch_len()))
}

/// Roughly the time that a layer takes in tiles of this layout on a Cortex-M4.
fn cycles(layout: &tap_pairs::Layout, layer: &Layer<'_>) -> usize {
    /// Cycles of a pair that is laid out, and of laying out a column besides.
    const PAIR: usize = 6;
    const COLUMN: usize = 40;
    /// Cycles of a word of weights for four outputs, and of these besides.
    const STEP: usize = 10;
    const BLOCK: usize = 64;
    /// Cycles of a channel of a tile besides.
    const CHANNEL: usize = 80;
    /// Cycles of the channels of a tile that are laid out together, besides.
    const LANES: usize = 400;
    let ([.., c], [_, out_h, out_w, out_c]) = (layer.input, layer.output);
    let tiles = layout.tiles([out_h, out_w]);
    let columns = layout.inputs.saturating_mul(layout.pairs * PAIR + COLUMN / layout.lanes.min(4));
    let blocks = layout.columns.saturating_mul(layout.rows.div_ceil(Tile::BLOCK));
    let block = BLOCK + STEP * layout.kernel.words();
    let outputs = blocks.saturating_mul(block).saturating_add(CHANNEL);
    let tile = c.saturating_mul(columns).saturating_add(out_c.saturating_mul(outputs));
    let tile = tile.saturating_add(LANES * c.div_ceil(layout.lanes));
    tiles.saturating_mul(tile)
}

fn image(role: &'static str, tensor: &Tensor) -> Result<[usize; 4], Fault> {
    tensor.shape[..].try_into().map_err(|_| Fault::Rank { role, shape: tensor.shape.clone(), expected: "4" })
}
