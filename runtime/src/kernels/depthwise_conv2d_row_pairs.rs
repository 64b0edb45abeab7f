//! 3x3 depthwise convolution, int8, on row pairs ([`crate::packing::row_pairs`]), at stride 1 or 2.
//!
//! Four channels of a band of rows are laid out as planes of vertical pairs in scratch, padding included; each channel's
//! weights then stay in registers for the whole band. Layouts of input and output and the arithmetic are
//! [`depthwise_conv2d`](super::depthwise_conv2d)'s with one output per input channel.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa, Planes, RowBlocks};
use crate::kernels::call::whole;
use crate::kernels::{Axis, Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::packing::nibbles;
use crate::packing::row_pairs::{INPUT_BITS, RECORD_WORDS, WEIGHT_WORDS, expand};
use crate::quant::OutputStage;

/// Channels that are laid out together.
const LANES: usize = 4;

/// Parameters in the file, 36 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the packed weights in the constant section.
    pub weights: u32,
    /// Offset of the records.
    pub channels: u32,
    /// 3x3, dilation 1, one stride of 1 or 2 for both axes.
    pub window: Window,
    /// Output rows that are computed from one layout in scratch: even at stride 1, at least 1.
    pub band: u32,
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
        let Axis { stride, .. } = window.height;
        [window.height, window.width]
            .iter()
            .all(|axis| axis.kernel == 3 && axis.dilation == 1 && axis.stride == stride && stride <= 2)
    }

    fn stride(&self) -> usize {
        self.window.height.stride.into()
    }

    /// Row pairs in a band, and words in one of them, for an input of `width` and outputs of `[rows, columns]`.
    fn layout(&self, width: usize, [rows, columns]: [usize; 2]) -> [usize; 2] {
        let rows = rows.min(self.band as usize);
        let row_pairs = if self.stride() == 1 { rows.div_ceil(2) } else { rows } + 1;
        let needed = columns.saturating_sub(1) * self.stride() + 3;
        [row_pairs, needed.max(width + usize::from(self.window.width.pad)) * LANES]
    }
}

/// Bytes of scratch for an input of `width` and outputs of `[rows, columns]`, four channels at a time; a multiple of it lets
/// as many groups of four go together.
pub fn scratch_len(params: &Params, width: usize, output: [usize; 2]) -> usize {
    let [row_pairs, words] = params.layout(width, output);
    row_pairs.saturating_mul(words).saturating_mul(size_of::<u32>())
}

/// Bytes of scratch beside that for int4 weights of so many channels.
pub fn expanded_len(channels: usize) -> usize {
    channels.saturating_mul(WEIGHT_WORDS * size_of::<u32>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<false>();

/// The entry for weights that are packed in the file, or for `INT4` weights, which are packed into scratch first.
pub(super) const fn operator<const INT4: bool>() -> Operator {
    let packing = if INT4 { Packing::NibbleRowPairs } else { Packing::RowPairs };
    Operator { code: OpCode::DepthwiseConv2d, packing, check: check::<INT4>, run: run::<INT4> }
}

fn check<const INT4: bool>(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    let band_fits = params.band > 0 && (params.stride() == 2 || params.band.is_multiple_of(2));
    require(Params::takes(&params.window) && band_fits, NodeError::Params)?;
    let shape = |tensor: Option<&crate::format::TensorRecord>| tensor.and_then(|t| t.shape.nhwc());
    let [n, h, w, c] = shape(node.input(0)).ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = shape(node.output(0)).ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(n == out_n && c == out_c, NodeError::Shape)?;
    // The windows reach the end of the rows: what is laid out is no more than what is computed with.
    require(w < out_w * params.stride() + 3, NodeError::Shape)?;
    let expanded = if INT4 { expanded_len(c) } else { 0 };
    node.check_unary::<i8, i8>(scratch_len(params, w, [out_h, out_w]).saturating_add(expanded))?;
    if INT4 {
        nibbles(node, params, c).ok_or(NodeError::Constants)?;
    } else {
        words(node, params, c).ok_or(NodeError::Constants)?;
    }
    records(node, params, c).ok_or(NodeError::Constants)?;
    Ok(node.output(0).map_or(0, |output| output.shape.elements() as u64) * 9)
}

fn words<'m>(node: &Node<'m>, params: &Params, channels: usize) -> Option<&'m [u32]> {
    node.constants(params.weights, channels.checked_mul(WEIGHT_WORDS)?)
}

fn nibbles<'m>(node: &Node<'m>, params: &Params, channels: usize) -> Option<&'m [u8]> {
    node.constants(params.weights, nibbles::bytes(channels.checked_mul(9)?))
}

fn records<'m>(node: &Node<'m>, params: &Params, channels: usize) -> Option<&'m [i32]> {
    node.constants(params.channels, channels.checked_mul(RECORD_WORDS)?)
}

fn run<const INT4: bool>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let Some([.., c]) = input.shape.nhwc() else { return };
    let Some(scratch) = whole::<u32>(scratch) else { return };
    let Some(records) = records(node, params, c) else { return };
    let (weights, scratch) = if INT4 {
        let Some(nibbles) = nibbles(node, params, c) else { return };
        let Some((words, scratch)) = scratch.split_at_mut_checked(c * WEIGHT_WORDS) else { return };
        expand(nibbles, records, words);
        (&*words, scratch)
    } else {
        let Some(words) = words(node, params, c) else { return };
        (words, scratch)
    };
    depthwise::<Active>(params, weights, records, input, output, scratch);
}

/// The kernel. Shapes, weights, records and scratch are as `check` demands; otherwise the output is left unfinished.
fn depthwise<I: Isa>(
    params: &Params,
    weights: &[u32],
    records: &[i32],
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    scratch: &mut [u32],
) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, _])) = (input.shape.nhwc(), output.shape.nhwc()) else {
        return;
    };
    let [row_pairs, row_words] = params.layout(w, [out_h, out_w]);
    let group_words = row_pairs * row_words;
    // As many groups of channels at a time as the scratch holds.
    let together = (scratch.len() / group_words.max(1)).min(c.div_ceil(LANES)).max(1) * LANES;
    let Some(words) = scratch.get_mut(..together / LANES * group_words) else { return };
    // What is left of the image and right of it stays; the rest is written for each band.
    let left = usize::from(params.window.width.pad) * LANES;
    for row in words.chunks_exact_mut(row_words) {
        let (before, rest) = row.split_at_mut_checked(left).unwrap_or_default();
        before.fill(pair(params.input_zero_point));
        rest.get_mut(w * LANES..).unwrap_or_default().fill(pair(params.input_zero_point));
    }
    let (stride, band) = (params.stride(), (params.band as usize).max(1));
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_w * c).max(1))) {
        let mut channel = 0;
        while channel < c {
            let channels = together.min(c - channel);
            let source = Source { image, size: [h, w, c], channel, params };
            let mut first = 0;
            while first < out_h {
                source.lay_out::<I>(first * stride, [channels, row_pairs, row_words], words);
                let part = |n: usize| channel * n..(channel + channels) * n;
                let planes = Planes {
                    stride,
                    channels,
                    weights: weights.get(part(WEIGHT_WORDS)).unwrap_or_default(),
                    records: records.get(part(RECORD_WORDS)).unwrap_or_default(),
                    words,
                    group_words,
                    row_words,
                    rows: band.min(out_h - first),
                    columns: out_w,
                    column_pitch: c,
                    row_pitch: out_w * c,
                    stage: &params.stage,
                };
                let out = out_image.get_mut(first * out_w * c + channel..).unwrap_or_default();
                I::row_pairs(&planes, out);
                first += band;
            }
            channel += together;
        }
    }
    params.stage.clamp(output.data);
}

/// A value above itself, as row pairs have it.
fn pair(value: i8) -> u32 {
    let half = u32::from((i16::from(value) << INPUT_BITS) as u16);
    half | half << 16
}

/// Some channels of an image.
struct Source<'a> {
    image: &'a [i8],
    size: [usize; 3],
    channel: usize,
    params: &'a Params,
}

impl Source<'_> {
    /// Writes the row pairs of `channels` channels from row `first` of the padded image on.
    fn lay_out<I: Isa>(&self, first: usize, [channels, row_pairs, row_words]: [usize; 3], words: &mut [u32]) {
        let [h, w, c] = self.size;
        let left = usize::from(self.params.window.width.pad) * LANES;
        let one = RowBlocks {
            columns: w,
            channels: LANES,
            pitch: c,
            padding: self.params.input_zero_point,
            count: 1,
            step: 0,
            words: 0,
        };
        let groups = RowBlocks { count: channels / LANES, step: LANES, words: row_pairs * row_words, ..one };
        let mut t = 0;
        while t < row_pairs {
            let rows = [first + 2 * t, first + 2 * t + 1].map(|padded| self.row(padded));
            let target = words.get_mut(t * row_words + left..).unwrap_or_default();
            let mut done = 1;
            if channels == LANES && rows.iter().all(Option::is_some) {
                // All pairs of rows from here to the end of the image.
                let top = usize::from(self.params.window.height.pad);
                done = ((h + top).saturating_sub(first + 2 * t) / 2).min(row_pairs - t).max(1);
                let down = RowBlocks { count: done, step: 2 * w * c, words: row_words, ..one };
                I::pair_rows(rows, &down, target);
            } else {
                I::pair_rows(rows, &groups, target);
                let rest = RowBlocks { channels: channels % LANES, ..one };
                let at = groups.count * groups.words;
                if rest.channels > 0 {
                    let start = groups.count * LANES;
                    let rows = rows.map(|row| row.map(|row| row.get(start..).unwrap_or_default()));
                    I::pair_rows(rows, &rest, target.get_mut(at..).unwrap_or_default());
                }
            }
            t += done;
        }
    }

    /// The image from the channels of a row of the padded image on; `None` for a row of padding.
    fn row(&self, padded: usize) -> Option<&[i8]> {
        let [h, w, c] = self.size;
        let y = padded.checked_sub(self.params.window.height.pad.into()).filter(|&y| y < h)?;
        self.image.get(y * w * c + self.channel..)
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
    use crate::kernels::testing::{Layer, OneNode, definitions};
    use crate::packing::row_pairs;
    use crate::quant::ChannelQuant;

    /// A 3x3 window at `stride` with this padding above and on the left.
    pub(in crate::kernels) fn window(stride: u16, [top, left]: [u16; 2]) -> Window {
        let axis = |pad| Axis { kernel: 3, stride, dilation: 1, pad };
        Window { height: axis(top), width: axis(left) }
    }

    fn node(layer: &Layer, band: u32) -> OneNode {
        packed::<false>(layer, band)
    }

    pub(in crate::kernels) fn packed<const INT4: bool>(layer: &Layer, band: u32) -> OneNode {
        let mut node = OneNode::new(OpCode::DepthwiseConv2d).packing(operator::<INT4>().packing);
        let ([_, _, w, c], [_, out_h, out_w, _]) = (layer.input.shape, layer.output);
        let of_channel = |o: usize| layer.weights.data[o..].iter().step_by(c);
        let channels: Vec<ChannelQuant> = (0..c).map(|o| layer.fold(o, of_channel(o))).collect();
        let weights: Vec<i8> = (0..c).flat_map(of_channel).copied().collect();
        assert!(row_pairs::holds(&weights, &channels));
        let (mut words, mut records) = (vec![0; c * WEIGHT_WORDS], vec![0; c * RECORD_WORDS]);
        let level = layer.stage.zero_point == i8::MIN;
        row_pairs::encode(&weights, &channels, level, &mut words, &mut records);
        let mut bytes = vec![0; nibbles::bytes(weights.len())];
        nibbles::encode(&weights, &mut bytes);
        let params = Params {
            weights: if INT4 { node.constants(&bytes) } else { node.constants(&words) },
            channels: node.constants(&records),
            window: layer.window,
            band,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        let expanded = if INT4 { expanded_len(c) } else { 0 };
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, w, [out_h, out_w]) + expanded)
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(window(1, [1, 1]), [2, 5, 4, 6], 1, 0), 2).assert_mutants_stay_within_bounds();
        node(&layer(window(2, [1, 0]), [1, 5, 7, 5], 1, 0), 1).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            stride in 1u16..=2,
            padding in [0u16..3, 0u16..3],
            image in (1usize..3, 1usize..9, 1usize..9, 1usize..10),
            band in 1u32..5,
            seed: u64,
        ) {
            let band = if stride == 1 { 2 * band } else { band };
            let mut layer = layer(window(stride, padding), image.into(), 1, seed);
            if seed.is_multiple_of(2) {
                // The zero point of levelled channels.
                layer.stage.zero_point = i8::MIN;
            }
            prop_assert_eq!(node(&layer, band).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let same = layer(window(1, [1, 1]), [1, 4, 4, 3], 1, 0);
        assert_eq!(node(&same, 2).check(), Ok(5 * 5 * 3 * 9));
        assert_eq!(node(&same, 3).check(), Err(NodeError::Params));
        assert_eq!(node(&same, 0).check(), Err(NodeError::Params));
        assert_eq!(node(&same, 4).scratch(15).check(), Err(NodeError::Scratch));
        let narrow = Layer { output: [1, 4, 1, 3], ..same };
        assert_eq!(node(&narrow, 2).check(), Err(NodeError::Shape));
    }
}
