//! Depthwise convolution with kernels of any size, int8, on tap pairs ([`crate::packing::tap_pairs`]).
//!
//! Rows of the output that see the same rows of the input form a phase: with stride `s` and dilation `d`, every
//! `d / gcd(s, d)`th row, which sees every `d`th row of the input at stride `s / gcd(s, d)`. That stride must be 1 or 2. The
//! input of some rows of a phase and some columns is laid out in scratch, for some channels at a time, as columns of vertical
//! pairs, padding included; a channel's weights then run over it for four output rows at once.
//!
//! Layouts of input and output and the arithmetic are [`depthwise_conv2d`](super::depthwise_conv2d)'s.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa, RowPairs, Runs, Stack, Tile};
use crate::kernels::{Axis, Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::packing::nibbles;
use crate::packing::tap_pairs::{Columns, RECORD_WORDS, expand};
use crate::quant::OutputStage;

/// Channels that are laid out together are a multiple of this; one at a time where there are fewer.
const LANES: usize = 4;

/// Parameters in the file, 36 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the packed weights in the constant section.
    pub weights: u32,
    /// Offset of the records.
    pub channels: u32,
    /// Kernel size, stride, dilation and padding; see [`Self::takes`].
    pub window: Window,
    /// Output rows of a phase that are computed from one layout in scratch, at least 1.
    pub rows: u16,
    /// Output columns that are, at least 1.
    pub columns: u16,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Input zero point: the value of padding.
    pub input_zero_point: i8,
    /// Fours of channels that are laid out at a time, at least 1.
    pub fours: u8,
    /// Zero.
    pub reserved: [u8; 2],
}

impl Params {
    /// Whether a window is one that this kernel takes.
    pub fn takes(window: &Window) -> bool {
        let size = [window.height.kernel, window.width.kernel].map(usize::from);
        phases(&window.height).is_some() && Columns::of(size).is_some()
    }
}

/// Phases of the output's rows, and the stride of each; `None` if the stride is above 2.
fn phases(Axis { stride, dilation, .. }: &Axis) -> Option<[usize; 2]> {
    let (stride, dilation) = (usize::from(*stride), usize::from(*dilation));
    let quotient = |divisor: usize| (divisor > 0 && dilation % divisor == 0).then(|| dilation / divisor);
    match quotient(stride) {
        Some(phases) => Some([phases, 1]),
        None if stride % 2 == 0 => Some([quotient(stride / 2)?, 2]),
        None => None,
    }
}

/// How a band of rows and a strip of columns, a tile, lie in scratch. Distances are in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    phases: usize,
    /// From a step of a kernel column to the next.
    advance: usize,
    /// The kernel.
    pub kernel: Columns,
    /// Output rows of a tile.
    pub rows: usize,
    /// Output columns of a tile.
    pub columns: usize,
    /// Pairs of an input column.
    pub pairs: usize,
    /// Input columns.
    pub inputs: usize,
    /// Channels that are laid out together.
    pub lanes: usize,
}

impl Layout {
    /// The layout for an input of so many `channels` and outputs of `[rows, columns]`; `None` for a window that the kernel
    /// does not take.
    pub fn new(params: &Params, channels: usize, [out_h, out_w]: [usize; 2]) -> Option<Self> {
        let Window { height, width } = &params.window;
        let [phases, stride] = phases(height)?;
        let size = [height.kernel, width.kernel].map(usize::from);
        let kernel = Columns::of(size)?;
        let rows = out_h.div_ceil(phases.max(1)).min(params.rows.into());
        let columns = out_w.min(params.columns.into());
        let advance = 3 - stride;
        let steps = if size[1] == 1 { kernel.words() } else { kernel.steps };
        let pairs = rows.max(Tile::BLOCK) + advance * steps.saturating_sub(1);
        let inputs = Self::inputs(width, columns);
        let most = channels / LANES * LANES;
        let lanes = if most == 0 { 1 } else { most.min(LANES * usize::from(params.fours)) };
        Some(Self { phases, advance, kernel, rows, columns, pairs, inputs, lanes })
    }

    /// Bytes of scratch.
    pub fn scratch_len(&self) -> usize {
        self.plane().saturating_mul(self.lanes * size_of::<u32>())
    }

    /// Tiles of an output.
    pub fn tiles(&self, [out_h, out_w]: [usize; 2]) -> usize {
        let bands = out_h.div_ceil(self.phases.max(1)).div_ceil(self.rows.max(1));
        bands.saturating_mul(self.phases).saturating_mul(out_w.div_ceil(self.columns.max(1)))
    }

    /// Input columns under `columns` output columns.
    fn inputs(width: &Axis, columns: usize) -> usize {
        let extent = usize::from(width.kernel).saturating_sub(1) * usize::from(width.dilation) + 1;
        columns.saturating_sub(1) * usize::from(width.stride) + extent
    }

    /// Words of a channel.
    fn plane(&self) -> usize {
        self.pairs.saturating_mul(self.inputs)
    }

    /// From a kernel column's input to the next one's.
    fn kernel_column(&self, width: &Axis) -> usize {
        if width.kernel == 1 {
            self.kernel.steps * self.advance
        } else {
            usize::from(width.dilation) * self.pairs
        }
    }
}

/// Bytes of scratch beside that of a layout for int4 weights of so many output channels; `None` for a window that the kernel
/// does not take.
pub fn expanded_len(params: &Params, channels: usize) -> Option<usize> {
    channels.checked_mul(kernel(params)?.words())?.checked_mul(size_of::<u32>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<false>();

/// The entry for weights that are packed in the file, or for `INT4` weights, which are packed into scratch first.
pub(super) const fn operator<const INT4: bool>() -> Operator {
    let packing = if INT4 { Packing::NibbleTapPairs } else { Packing::TapPairs };
    Operator { code: OpCode::DepthwiseConv2d, packing, check: check::<INT4>, run: run::<INT4> }
}

fn check<const INT4: bool>(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 2], NodeError::Params)?;
    require(params.rows > 0 && params.columns > 0 && params.fours > 0, NodeError::Params)?;
    let shape = |tensor: Option<&crate::format::TensorRecord>| tensor.and_then(|t| t.shape.nhwc());
    let [n, h, w, c] = shape(node.input(0)).ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = shape(node.output(0)).ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(out_c.is_multiple_of(c) && n == out_n, NodeError::Shape)?;
    let layout = Layout::new(params, c, [out_h, out_w]).ok_or(NodeError::Params)?;
    let expanded = if INT4 { expanded_len(params, out_c).ok_or(NodeError::Params)? } else { 0 };
    let (_, output) = node.check_unary::<i8, i8>(layout.scratch_len().saturating_add(expanded))?;
    if INT4 {
        nibbles(node, params, out_c).ok_or(NodeError::Constants)?;
    } else {
        words(node, params, out_c).ok_or(NodeError::Constants)?;
    }
    records(node, params, out_c).ok_or(NodeError::Constants)?;
    let products = (output.shape.elements() as u64).saturating_mul(params.window.area() as u64);
    let laid_out = (layout.tiles([out_h, out_w]) as u64).saturating_mul(layout.plane() as u64);
    // A small tile may take longer to lay out than to compute.
    Ok(products.max(laid_out.saturating_mul((n * c) as u64)))
}

fn kernel(params: &Params) -> Option<Columns> {
    Columns::of([params.window.height.kernel, params.window.width.kernel].map(usize::from))
}

fn words<'m>(node: &Node<'m>, params: &Params, out_c: usize) -> Option<&'m [u32]> {
    node.constants(params.weights, out_c.checked_mul(kernel(params)?.words())?)
}

fn nibbles<'m>(node: &Node<'m>, params: &Params, out_c: usize) -> Option<&'m [u8]> {
    node.constants(params.weights, nibbles::bytes(out_c.checked_mul(params.window.area())?))
}

fn records<'m>(node: &Node<'m>, params: &Params, out_c: usize) -> Option<&'m [i32]> {
    node.constants(params.channels, out_c.checked_mul(RECORD_WORDS)?)
}

fn run<const INT4: bool>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([_, h, w, c]), Some([_, out_h, out_w, out_c])] = [input.shape.nhwc(), output.shape.nhwc()]
    else {
        return;
    };
    let Some(layout) = Layout::new(params, c, [out_h, out_w]) else { return };
    let Some(records) = records(node, params, out_c) else { return };
    let (weights, scratch) = if INT4 {
        let Some(nibbles) = nibbles(node, params, out_c) else { return };
        let Some(len) = expanded_len(params, out_c) else { return };
        let Some((words, scratch)) = scratch.split_at_mut_checked(len) else { return };
        let Ok(words) = <[u32]>::mut_from_bytes(words) else { return };
        let size = [params.window.height.kernel, params.window.width.kernel].map(usize::from);
        expand(nibbles, size, (out_c / c.max(1)).max(1), words);
        (&*words, scratch)
    } else {
        let Some(words) = words(node, params, out_c) else { return };
        (words, scratch)
    };
    let Some(scratch) = scratch.get_mut(..layout.scratch_len()) else { return };
    let Ok(words) = <[u32]>::mut_from_bytes(scratch) else { return };
    let layer = Layer { params, layout, weights, records, input: [h, w, c], output: [out_h, out_w, out_c] };
    layer.run::<Active>(input, output, words);
}

/// What all tiles are computed from; shapes, weights and records are as `check` demands.
struct Layer<'a> {
    params: &'a Params,
    layout: Layout,
    weights: &'a [u32],
    records: &'a [i32],
    /// Height, width and channels.
    input: [usize; 3],
    output: [usize; 3],
}

/// A tile of the output.
struct Part {
    row: usize,
    column: usize,
    rows: usize,
    columns: usize,
}

impl Layer<'_> {
    /// The kernel. `words` holds the lanes of a layout.
    fn run<I: Isa>(&self, input: Tensor<'_, i8>, output: TensorMut<'_, i8>, words: &mut [u32]) {
        let lens = [self.input, self.output].map(|size| size.iter().product::<usize>().max(1));
        let out_images = output.data.chunks_exact_mut(lens[1]);
        let [out_h, out_w, _] = self.output;
        let Layout { phases, rows, columns, .. } = self.layout;
        for (image, out_image) in input.data.chunks_exact(lens[0]).zip(out_images) {
            for phase in 0..phases.min(out_h) {
                let phase_rows = (out_h - phase).div_ceil(phases);
                for row in (0..phase_rows).step_by(rows.max(1)) {
                    let band = Part {
                        row: phase + phases * row,
                        column: 0,
                        rows: rows.min(phase_rows - row),
                        columns,
                    };
                    let runs = self.runs(&band);
                    for column in (0..out_w).step_by(columns.max(1)) {
                        let part = Part { column, columns: columns.min(out_w - column), ..band };
                        self.tile::<I>(&part, &runs, image, out_image, words);
                    }
                }
            }
        }
        let OutputStage { min, max, .. } = self.params.stage;
        if (min, max) != (i8::MIN, i8::MAX) {
            for value in output.data {
                *value = (*value).max(min).min(max);
            }
        }
    }

    /// The rows under a band.
    fn runs(&self, band: &Part) -> Runs {
        let ([h, w, c], axis) = (self.input, &self.params.window.height);
        let below = usize::from(axis.dilation);
        let step = below * (3 - self.layout.advance);
        let rows = RowPairs { first: axis.start(band.row), below, step, pairs: self.layout.pairs };
        Runs::new(&rows, h, w * c)
    }

    fn tile<I: Isa>(&self, part: &Part, runs: &Runs, image: &[i8], out_image: &mut [i8], words: &mut [u32]) {
        let ([_, w, c], [_, out_w, out_c]) = (self.input, self.output);
        let Layout { kernel, phases, pairs, lanes, .. } = self.layout;
        let (window, plane) = (&self.params.window, self.layout.plane());
        // Columns left of the image, on it and right of it.
        let columns = Layout::inputs(&window.width, part.columns);
        let start = window.width.start(part.column);
        let left = (start.min(0).unsigned_abs() as usize).min(columns);
        let first = start.max(0) as usize;
        let inside = w.saturating_sub(first).min(columns - left);
        let padding = Runs::padding(pairs);
        let mut tile = Tile {
            weights: self.weights,
            records: self.records,
            words: &[],
            plane,
            column: usize::from(window.width.stride) * pairs,
            kernel,
            advance: self.layout.advance,
            kernel_column: self.layout.kernel_column(&window.width),
            channels: 0,
            rows: part.rows,
            columns: part.columns,
            row_pitch: phases * out_w * out_c,
            column_pitch: out_c,
            stage: &self.params.stage,
        };
        let multiplier = out_c / c.max(1);
        let mut output = out_image.get_mut((part.row * out_w + part.column) * out_c..).unwrap_or_default();
        let mut channel = 0;
        while channel < c {
            // The last channels are laid out together with some before them.
            let laid_out = channel.min(c - lanes);
            let inner = image.get(first * c + laid_out..).unwrap_or_default();
            let parts = [
                (left, inside, runs, inner, c),
                (0, left, &padding, image, 0),
                (left + inside, columns - left - inside, &padding, image, 0),
            ];
            for (at, columns, runs, image, column_pitch) in parts {
                if columns > 0 {
                    let padding = self.params.input_zero_point;
                    let stack = Stack { runs, image, column_pitch, columns, channels: lanes, plane, padding };
                    I::stack_rows(&stack, words.get_mut(at * pairs..).unwrap_or_default());
                }
            }
            // Output channels that share their input are neighbours.
            (tile.channels, tile.plane) =
                if multiplier == 1 { (lanes - (channel - laid_out), plane) } else { (multiplier, 0) };
            while channel < laid_out + lanes {
                let words = words.get((channel - laid_out) * plane..).unwrap_or_default();
                I::tap_pairs(&Tile { words, ..tile }, output);
                tile.weights = tile.weights.get(tile.channels * kernel.words()..).unwrap_or_default();
                tile.records = tile.records.get(tile.channels * RECORD_WORDS..).unwrap_or_default();
                output = output.get_mut(tile.channels..).unwrap_or_default();
                channel += tile.channels / multiplier.max(1);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::depthwise_conv2d::tests::layer;
    use crate::kernels::testing::{Layer, OneNode, definitions, windows};
    use crate::packing::tap_pairs;
    use crate::quant::ChannelQuant;

    fn node(layer: &Layer, tile: [u16; 2]) -> OneNode {
        packed::<false>(layer, tile)
    }

    pub(in crate::kernels) fn packed<const INT4: bool>(layer: &Layer, [rows, columns]: [u16; 2]) -> OneNode {
        let fours = 1 + (rows % 3) as u8;
        let mut node = OneNode::new(OpCode::DepthwiseConv2d).packing(operator::<INT4>().packing);
        let [_, out_h, out_w, out_c] = layer.output;
        let [_, kh, kw, _] = layer.weights.shape;
        let of_channel = |o: usize| layer.weights.data[o..].iter().step_by(out_c);
        let channels: Vec<ChannelQuant> = (0..out_c).map(|o| layer.fold(o, of_channel(o))).collect();
        let weights: Vec<i8> = (0..out_c).flat_map(of_channel).copied().collect();
        assert!(tap_pairs::holds(&weights, kh * kw, &channels));
        let kernel = Columns::of([kh, kw]).unwrap();
        let (mut words, mut records) = (vec![0; out_c * kernel.words()], vec![0; out_c * RECORD_WORDS]);
        tap_pairs::encode(
            &weights,
            [kh, kw],
            out_c / layer.input.shape[3],
            &channels,
            &mut words,
            &mut records,
        );
        let mut bytes = vec![0; nibbles::bytes(weights.len())];
        nibbles::encode(&weights, &mut bytes);
        let params = Params {
            weights: if INT4 { node.constants(&bytes) } else { node.constants(&words) },
            channels: node.constants(&records),
            window: layer.window,
            rows,
            columns,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            fours,
            reserved: [0; 2],
        };
        let layout = Layout::new(&params, layer.input.shape[3], [out_h, out_w]).unwrap();
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        let expanded = if INT4 { expanded_len(&params, out_c).unwrap() } else { 0 };
        node.output::<i8>(&layer.output).scratch(layout.scratch_len() + expanded)
    }

    const AXIS: Axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };
    const WINDOW: Window = Window { height: AXIS, width: AXIS };

    #[test]
    fn mutants_stay_within_bounds() {
        let window = Window { height: Axis { kernel: 5, stride: 2, dilation: 3, pad: 1 }, width: AXIS };
        node(&layer(window, [2, 5, 4, 6], 1, 0), [1, 2]).assert_mutants_stay_within_bounds();
        node(&layer(WINDOW, [1, 5, 7, 1], 3, 0), [9, 9]).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(6, 3),
            image in (1usize..3, 1usize..12, 1usize..9, 1usize..10),
            multiplier in 1usize..6,
            tile in [1u16..9, 1u16..5],
            seed: u64,
        ) {
            prop_assume!(Params::takes(&window));
            let layer = layer(window, image.into(), multiplier, seed);
            prop_assert_eq!(node(&layer, tile).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }

        #[test]
        fn kernels_over_time_equal_the_definition(
            kernel in 1u16..40,
            dilation in 1u16..4,
            pad in 0u16..20,
            (length, channels) in (1usize..50, 1usize..20),
            rows in 1u16..30,
            seed: u64,
        ) {
            let pad = pad.min((kernel - 1) * dilation);
            let window = Window { height: Axis { kernel, stride: 1, dilation, pad }, width: Axis::UNIT };
            let layer = layer(window, [1, length, 1, channels], 1, seed);
            prop_assert_eq!(node(&layer, [rows, 1]).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }

    #[test]
    fn strides_above_2_are_left_to_others() {
        let phases = |stride, dilation| phases(&Axis { stride, dilation, ..AXIS });
        assert_eq!(phases(1, 1), Some([1, 1]));
        assert_eq!(phases(2, 1), Some([1, 2]));
        assert_eq!(phases(2, 3), Some([3, 2]));
        assert_eq!(phases(2, 4), Some([2, 1]));
        assert_eq!(phases(4, 2), Some([1, 2]));
        assert_eq!(phases(6, 3), Some([1, 2]));
        assert_eq!((phases(3, 1), phases(3, 2), phases(4, 1)), (None, None, None));
        assert_eq!(phases(0, 1), None);
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let same = layer(WINDOW, [1, 4, 4, 3], 1, 0);
        assert!(node(&same, [4, 4]).check().is_ok());
        assert_eq!(node(&same, [0, 4]).check(), Err(NodeError::Params));
        assert_eq!(node(&same, [4, 4]).scratch(15).check(), Err(NodeError::Scratch));
    }
}
