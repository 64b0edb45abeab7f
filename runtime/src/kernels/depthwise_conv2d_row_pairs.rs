//! 3x3 depthwise convolution, int8, on row pairs ([`crate::packing::row_pairs`]), at stride 1 or 2.
//!
//! Four channels of a band of rows are laid out as planes of vertical pairs in scratch, padding included; each channel's
//! weights then stay in registers for the whole band. Layouts of input and output and the arithmetic are
//! [`depthwise_conv2d`](super::depthwise_conv2d)'s with one output per input channel.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa, Plane};
use crate::kernels::{Axis, Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::packing::row_pairs::{RECORD_WORDS, WEIGHT_WORDS};
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

/// Bytes of scratch for an input of `width` and outputs of `[rows, columns]`.
pub fn scratch_len(params: &Params, width: usize, output: [usize; 2]) -> usize {
    let [row_pairs, words] = params.layout(width, output);
    row_pairs.saturating_mul(words).saturating_mul(size_of::<u32>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator =
    Operator { code: OpCode::DepthwiseConv2d, packing: Packing::RowPairs, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
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
    node.check_unary::<i8, i8>(scratch_len(params, w, [out_h, out_w]))?;
    constants(node, params, c).ok_or(NodeError::Constants)?;
    Ok(node.output(0).map_or(0, |output| output.shape.elements() as u64) * 9)
}

fn constants<'m>(node: &Node<'m>, params: &Params, channels: usize) -> Option<(&'m [u32], &'m [i32])> {
    let weights = node.constants(params.weights, channels.checked_mul(WEIGHT_WORDS)?)?;
    let records = node.constants(params.channels, channels.checked_mul(RECORD_WORDS)?)?;
    Some((weights, records))
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let Some([.., c]) = input.shape.nhwc() else { return };
    let Some((weights, records)) = constants(&node, params, c) else { return };
    let whole = scratch.len() / size_of::<u32>() * size_of::<u32>();
    let Some(Ok(scratch)) = scratch.get_mut(..whole).map(<[u32]>::mut_from_bytes) else { return };
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
    let Some(words) = scratch.get_mut(..row_pairs * row_words) else { return };
    // What is left of the image and right of it stays; the rest is written for each band.
    words.fill(pair(params.input_zero_point));
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_w * c).max(1))) {
        for channel in (0..c).step_by(LANES) {
            // The last channels are laid out together with some before them.
            let lanes = LANES.min(c);
            let laid_out = channel.min(c - lanes);
            let source = Source { image, size: [h, w, c], channel: laid_out, lanes, params };
            for first in (0..out_h).step_by((params.band as usize).max(1)) {
                let rows = (params.band as usize).min(out_h - first);
                source.lay_out::<I>(first * params.stride(), row_words, words);
                for own in channel..laid_out + lanes {
                    let part = |n: usize| own * n..(own + 1) * n;
                    let plane = Plane {
                        weights: weights.get(part(WEIGHT_WORDS)).unwrap_or_default(),
                        record: records.get(part(RECORD_WORDS)).unwrap_or_default(),
                        words: words.get(own - laid_out..).unwrap_or_default(),
                        row_words,
                        stride: params.stride(),
                        rows,
                        columns: out_w,
                        column_pitch: c,
                        row_pitch: out_w * c,
                        stage: &params.stage,
                    };
                    let out = out_image.get_mut(first * out_w * c + own..).unwrap_or_default();
                    I::row_pairs(&plane, out);
                }
            }
        }
    }
    let OutputStage { min, max, .. } = params.stage;
    if (min, max) != (i8::MIN, i8::MAX) {
        for value in output.data {
            *value = (*value).max(min).min(max);
        }
    }
}

/// A value above itself.
fn pair(value: i8) -> u32 {
    let half = u32::from(i16::from(value) as u16);
    half | half << 16
}

/// Some channels of an image.
struct Source<'a> {
    image: &'a [i8],
    size: [usize; 3],
    channel: usize,
    lanes: usize,
    params: &'a Params,
}

impl Source<'_> {
    /// Writes row pairs from row `first` of the padded image on, as many as `words` holds.
    fn lay_out<I: Isa>(&self, first: usize, row_words: usize, words: &mut [u32]) {
        let [_, w, c] = self.size;
        let left = usize::from(self.params.window.width.pad) * LANES;
        for (t, row) in words.chunks_exact_mut(row_words.max(1)).enumerate() {
            let Some(columns) = row.get_mut(left..left + w * LANES) else { return };
            let rows = [first + 2 * t, first + 2 * t + 1].map(|padded| self.row(padded));
            I::pair_rows(rows, self.lanes, c, self.params.input_zero_point, columns);
        }
    }

    /// The channels of a row of the padded image, from the first pixel on; `None` for a row of padding.
    fn row(&self, padded: usize) -> Option<&[i8]> {
        let [h, w, c] = self.size;
        let y = padded.checked_sub(self.params.window.height.pad.into()).filter(|&y| y < h)?;
        self.image.get(y * w * c + self.channel..(y + 1) * w * c)
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
    use crate::kernels::testing::{Layer, OneNode, definitions};
    use crate::packing::row_pairs;
    use crate::quant::ChannelQuant;

    /// A 3x3 window at `stride` with this padding above and on the left.
    fn window(stride: u16, [top, left]: [u16; 2]) -> Window {
        let axis = |pad| Axis { kernel: 3, stride, dilation: 1, pad };
        Window { height: axis(top), width: axis(left) }
    }

    fn node(layer: &Layer, band: u32) -> OneNode {
        let mut node = OneNode::new(OpCode::DepthwiseConv2d).packing(Packing::RowPairs);
        let ([_, _, w, c], [_, out_h, out_w, _]) = (layer.input.shape, layer.output);
        let of_channel = |o: usize| layer.weights.data[o..].iter().step_by(c);
        let channels: Vec<ChannelQuant> = (0..c).map(|o| layer.fold(o, of_channel(o))).collect();
        let weights: Vec<i8> = (0..c).flat_map(of_channel).copied().collect();
        assert!(row_pairs::holds(&weights, &channels));
        let (mut words, mut records) = (vec![0; c * WEIGHT_WORDS], vec![0; c * RECORD_WORDS]);
        row_pairs::encode(&weights, &channels, &mut words, &mut records);
        let params = Params {
            weights: node.constants(&words),
            channels: node.constants(&records),
            window: layer.window,
            band,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, w, [out_h, out_w]))
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
            let layer = layer(window(stride, padding), image.into(), 1, seed);
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
