//! Depthwise convolution with kernels of any size, int8, on tap pairs ([`crate::packing::tap_pairs`]).
//!
//! Rows of the output that see the same rows of the input form a phase: with stride `s` and dilation `d`, every
//! `d / gcd(s, d)`th row, which sees every `d`th row of the input at stride `s / gcd(s, d)`. That stride must be 1 or 2. The
//! input of some rows of a phase and some columns is laid out in scratch, for up to four channels at a time, as columns of
//! vertical pairs, padding included; a channel's weights then run over it for four output rows at once.
//!
//! Layouts of input and output and the arithmetic are [`depthwise_conv2d`](super::depthwise_conv2d)'s.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa, Stack, Tile};
use crate::kernels::{Axis, Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::packing::tap_pairs::{Columns, RECORD_WORDS};
use crate::quant::OutputStage;

/// Channels that are laid out together; one at a time where there are fewer.
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
    /// Zero.
    pub reserved: [u8; 3],
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
        let lanes = if channels < LANES { 1 } else { LANES };
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

/// Entry for a kernel set.
pub static OPERATOR: Operator =
    Operator { code: OpCode::DepthwiseConv2d, packing: Packing::TapPairs, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    require(params.rows > 0 && params.columns > 0, NodeError::Params)?;
    let shape = |tensor: Option<&crate::format::TensorRecord>| tensor.and_then(|t| t.shape.nhwc());
    let [n, h, w, c] = shape(node.input(0)).ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = shape(node.output(0)).ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(out_c.is_multiple_of(c) && n == out_n, NodeError::Shape)?;
    let layout = Layout::new(params, c, [out_h, out_w]).ok_or(NodeError::Params)?;
    let (_, output) = node.check_unary::<i8, i8>(layout.scratch_len())?;
    constants(node, params, out_c).ok_or(NodeError::Constants)?;
    let products = (output.shape.elements() as u64).saturating_mul(params.window.area() as u64);
    let laid_out = (layout.tiles([out_h, out_w]) as u64).saturating_mul(layout.plane() as u64);
    // A small tile may take longer to lay out than to compute.
    Ok(products.max(laid_out.saturating_mul((n * c) as u64)))
}

fn constants<'m>(node: &Node<'m>, params: &Params, out_c: usize) -> Option<(&'m [u32], &'m [i32])> {
    let kernel = Columns::of([params.window.height.kernel, params.window.width.kernel].map(usize::from))?;
    let weights = node.constants(params.weights, out_c.checked_mul(kernel.words())?)?;
    let records = node.constants(params.channels, out_c.checked_mul(RECORD_WORDS)?)?;
    Some((weights, records))
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([_, h, w, c]), Some([_, out_h, out_w, out_c])] = [input.shape.nhwc(), output.shape.nhwc()]
    else {
        return;
    };
    let Some((weights, records)) = constants(&node, params, out_c) else { return };
    let Some(layout) = Layout::new(params, c, [out_h, out_w]) else { return };
    let Some(scratch) = scratch.get_mut(..layout.scratch_len()) else { return };
    let Ok(words) = <[u32]>::mut_from_bytes(scratch) else { return };
    let layer = Layer { params, layout, weights, records, input: [h, w, c], output: [out_h, out_w, out_c] };
    if layout.advance == 1 {
        layer.run::<Active, 1>(input, output, words);
    } else {
        layer.run::<Active, 2>(input, output, words);
    }
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

/// Some channels of a tile: the first output row and column, and the numbers of rows and columns.
struct Part {
    /// The first channel that is laid out, and those of the laid out ones that are computed.
    channel: usize,
    lanes: core::ops::Range<usize>,
    first: [usize; 2],
    rows: usize,
    columns: usize,
}

impl Layer<'_> {
    /// The kernel. `words` holds the lanes of a layout.
    fn run<I: Isa, const ADVANCE: usize>(
        &self,
        input: Tensor<'_, i8>,
        output: TensorMut<'_, i8>,
        words: &mut [u32],
    ) {
        let lens = [self.input, self.output].map(|size| size.iter().product::<usize>().max(1));
        let out_images = output.data.chunks_exact_mut(lens[1]);
        for (image, out_image) in input.data.chunks_exact(lens[0]).zip(out_images) {
            self.each_part(|part| {
                self.lay_out::<I>(image, part, words);
                self.compute::<I, ADVANCE>(part, words, out_image);
            });
        }
        let OutputStage { min, max, .. } = self.params.stage;
        if (min, max) != (i8::MIN, i8::MAX) {
            for value in output.data {
                *value = (*value).max(min).min(max);
            }
        }
    }

    fn each_part(&self, mut visit: impl FnMut(&Part)) {
        let ([.., c], [out_h, out_w, _]) = (self.input, self.output);
        let Layout { phases, lanes, .. } = self.layout;
        for channel in (0..c).step_by(lanes.max(1)) {
            // The last channels are laid out together with some before them.
            let laid_out = channel.min(c - lanes);
            let lanes = channel - laid_out..lanes;
            for phase in 0..phases.min(out_h) {
                let phase_rows = (out_h - phase).div_ceil(phases);
                for row in (0..phase_rows).step_by(self.layout.rows.max(1)) {
                    for column in (0..out_w).step_by(self.layout.columns.max(1)) {
                        visit(&Part {
                            channel: laid_out,
                            lanes: lanes.clone(),
                            first: [phase + phases * row, column],
                            rows: self.layout.rows.min(phase_rows - row),
                            columns: self.layout.columns.min(out_w - column),
                        });
                    }
                }
            }
        }
    }

    /// Writes the columns of pairs that the part is computed from.
    fn lay_out<I: Isa>(&self, image: &[i8], part: &Part, words: &mut [u32]) {
        let [h, w, c] = self.input;
        let Window { height, width } = &self.params.window;
        let (pairs, plane, lanes) = (self.layout.pairs, self.layout.plane(), self.layout.lanes);
        let dilation = usize::from(height.dilation);
        let step = dilation * (3 - self.layout.advance);
        let start = height.start(part.first[0]);
        // The first pair whose row, so far below the pair's upper one, is not above `edge`.
        let bound = |edge: usize, below: usize| {
            ((edge as i32 - below as i32 - start).max(0) as usize).div_ceil(step.max(1)).min(pairs)
        };
        let upper = bound(0, 0)..bound(h, 0);
        let lower = bound(0, dilation)..bound(h, dilation);
        let (inner, outer) = (upper.start.min(lower.end), upper.start.max(lower.end));
        let edges = [0, lower.start, inner, outer, upper.end, pairs];
        let row = |pair: usize, below: usize| (start + (pair * step + below) as i32) as usize;
        for column in 0..Layout::inputs(width, part.columns) {
            let x = width.start(part.first[1]) + column as i32;
            let inside = x >= 0 && (x as usize) < w;
            let pixel = |row: usize| image.get((row * w + x as usize) * c + part.channel..);
            let mut stack = |from: usize, to: usize, rows: [Option<&[i8]>; 2]| {
                if from < to {
                    let stack = Stack {
                        rows,
                        pitch: step * w * c,
                        pairs: to - from,
                        channels: lanes,
                        plane,
                        padding: self.params.input_zero_point,
                    };
                    I::stack_rows(&stack, words.get_mut(column * pairs + from..).unwrap_or_default());
                }
            };
            if !inside {
                stack(0, pairs, [None; 2]);
                continue;
            }
            for (from, to) in edges.into_iter().zip(edges.into_iter().skip(1)) {
                let source = |range: &core::ops::Range<usize>, below: usize| {
                    if range.contains(&from) { pixel(row(from, below)) } else { None }
                };
                stack(from, to, [source(&upper, 0), source(&lower, dilation)]);
            }
        }
    }

    /// Computes the part's outputs.
    fn compute<I: Isa, const ADVANCE: usize>(&self, part: &Part, words: &[u32], out_image: &mut [i8]) {
        let ([.., c], [_, out_w, out_c]) = (self.input, self.output);
        let Layout { kernel, phases, pairs, .. } = self.layout;
        let Window { width, .. } = &self.params.window;
        let multiplier = out_c / c.max(1);
        let [y, x] = part.first;
        let mut compute = |lane: usize, channels: usize, plane: usize| {
            let first = (part.channel + lane) * multiplier;
            let tile = Tile {
                weights: self.weights.get(first * kernel.words()..).unwrap_or_default(),
                records: self.records.get(first * RECORD_WORDS..).unwrap_or_default(),
                words: words.get(lane * self.layout.plane()..).unwrap_or_default(),
                plane,
                column: usize::from(width.stride) * pairs,
                kernel,
                kernel_column: self.layout.kernel_column(width),
                channels,
                rows: part.rows,
                columns: part.columns,
                row_pitch: phases * out_w * out_c,
                column_pitch: out_c,
                stage: &self.params.stage,
            };
            let out = out_image.get_mut((y * out_w + x) * out_c + first..).unwrap_or_default();
            I::tap_pairs::<ADVANCE>(&tile, out);
        };
        if multiplier == 1 {
            compute(part.lanes.start, part.lanes.len(), self.layout.plane());
        } else {
            part.lanes.clone().for_each(|lane| compute(lane, multiplier, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::depthwise_conv2d::tests::layer;
    use crate::kernels::testing::{OneNode, definitions, windows};
    use crate::packing::tap_pairs;
    use crate::quant::ChannelQuant;

    fn node(layer: &crate::kernels::testing::Layer, [rows, columns]: [u16; 2]) -> OneNode {
        let mut node = OneNode::new(OpCode::DepthwiseConv2d).packing(Packing::TapPairs);
        let [_, out_h, out_w, out_c] = layer.output;
        let [_, kh, kw, _] = layer.weights.shape;
        let of_channel = |o: usize| layer.weights.data[o..].iter().step_by(out_c);
        let channels: Vec<ChannelQuant> = (0..out_c).map(|o| layer.fold(o, of_channel(o))).collect();
        let weights: Vec<i8> = (0..out_c).flat_map(of_channel).copied().collect();
        assert!(tap_pairs::holds(&weights, kh * kw, &channels));
        let kernel = Columns::of([kh, kw]).unwrap();
        let (mut words, mut records) = (vec![0; out_c * kernel.words()], vec![0; out_c * RECORD_WORDS]);
        tap_pairs::encode(&weights, [kh, kw], &channels, &mut words, &mut records);
        let params = Params {
            weights: node.constants(&words),
            channels: node.constants(&records),
            window: layer.window,
            rows,
            columns,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let layout = Layout::new(&params, layer.input.shape[3], [out_h, out_w]).unwrap();
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(layout.scratch_len())
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
            multiplier in 1usize..4,
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
            (length, channels) in (1usize..50, 1usize..9),
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
