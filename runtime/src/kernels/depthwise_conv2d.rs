//! 2-D convolution of each channel on its own, int8.
//!
//! `out[n,y,x,o] = stage(multiplier[o] x (bias[o] + sum over (i,j) of w[i,j,o] x in[n, y_i, x_j, o / m]))` with
//! `y_i = y x stride - pad + i x dilation` and input values of padding equal to the input zero point. The depth
//! multiplier `m` is the number of output channels over that of input channels.
//!
//! Layouts: input and output NHWC, weights `[kernel height, kernel width, output channels]`. Sums are 32-bit and wrap.
//! The input zero point is folded into the bias ([`ChannelQuant`]), so padding is multiplied like any other value.
//!
//! Channels are taken in blocks, whose sums stay on the stack while the window's positions are added up. With a depth
//! multiplier above 1, each block's input values are first repeated to stand beside their weights.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::packing::nibbles;
use crate::quant::{ChannelQuant, OutputStage};

/// Output channels per block.
const BLOCK: usize = 32;

/// Parameters in the file, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the weights, `[kernel height, kernel width, output channels]`, in the constant section.
    pub weights: u32,
    /// Offset of one [`ChannelQuant`] per output channel.
    pub channels: u32,
    /// Kernel size, stride, dilation and padding.
    pub window: Window,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Input zero point: the value of padding.
    pub input_zero_point: i8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// Bytes of scratch for int4 weights of so many output channels.
pub fn expanded_len(params: &Params, channels: usize) -> usize {
    params.window.area().saturating_mul(channels)
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<false>();

/// The entry for int8 weights, or for `INT4` weights, which become int8 in scratch first.
pub(super) const fn operator<const INT4: bool>() -> Operator {
    let packing = if INT4 { Packing::Nibbles } else { Packing::Plain };
    Operator { code: OpCode::DepthwiseConv2d, packing, check: check::<INT4>, run: run::<INT4> }
}

fn check<const INT4: bool>(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    let out_shape = node.output(0).and_then(|t| t.shape.nhwc()).ok_or(NodeError::Shape)?;
    let expanded = if INT4 { expanded_len(params, out_shape[3]) } else { 0 };
    let (input, output) = node.check_unary::<i8, i8>(expanded)?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(out_c.is_multiple_of(c) && n == out_n, NodeError::Shape)?;
    let area = params.window.area();
    let weights = area.checked_mul(out_c).ok_or(NodeError::Constants)?;
    if INT4 {
        node.constants::<u8>(params.weights, nibbles::bytes(weights)).ok_or(NodeError::Constants)?;
    } else {
        node.constants::<i8>(params.weights, weights).ok_or(NodeError::Constants)?;
    }
    node.constants::<ChannelQuant>(params.channels, out_c).ok_or(NodeError::Constants)?;
    Ok(output.shape.elements() as u64 * area as u64)
}

fn run<const INT4: bool>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let Some([.., out_c]) = output.shape.nhwc() else { return };
    let count = params.window.area() * out_c;
    let weights = if INT4 {
        let Some(nibbles) = node.constants::<u8>(params.weights, nibbles::bytes(count)) else { return };
        let Some(Ok(weights)) = scratch.get_mut(..count).map(<[i8]>::mut_from_bytes) else { return };
        nibbles::expand(nibbles, 0, weights);
        &*weights
    } else {
        let Some(weights) = node.constants::<i8>(params.weights, count) else { return };
        weights
    };
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, out_c) else { return };
    depthwise_conv2d::<Active>(params, weights, channels, input, output);
}

/// The kernel. Shapes, weights and channels are as `check` demands; otherwise the output is left unfinished.
pub fn depthwise_conv2d<I: Isa>(
    params: &Params,
    weights: &[i8],
    channels: &[ChannelQuant],
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, out_c])) = (input.shape.nhwc(), output.shape.nhwc())
    else {
        return;
    };
    let images = input.data.chunks_exact((h * w * c).max(1));
    let (out_row_len, out_c) = ((out_w * out_c).max(1), out_c.max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_row_len).max(1))) {
        let kernel = Kernel { params, weights, channels, image, size: [h, w, c] };
        for (y, out_row) in out_image.chunks_exact_mut(out_row_len).enumerate() {
            for (x, out_pixel) in out_row.chunks_exact_mut(out_c).enumerate() {
                kernel.pixel::<I>([y, x], out_pixel);
            }
        }
    }
}

/// What all output pixels of one image are computed from.
struct Kernel<'a> {
    params: &'a Params,
    weights: &'a [i8],
    channels: &'a [ChannelQuant],
    image: &'a [i8],
    size: [usize; 3],
}

impl Kernel<'_> {
    /// Computes output position `[y, x]`.
    fn pixel<I: Isa>(&self, [y, x]: [usize; 2], output: &mut [i8]) {
        let [h, w, c] = self.size;
        let Window { height, width } = self.params.window;
        let padding = [self.params.input_zero_point; BLOCK];
        let out_c = output.len();
        let multiplier = out_c / c.max(1);
        let blocks = output.chunks_mut(BLOCK).zip(self.channels.chunks(BLOCK));
        for (first, (out, quants)) in (0..).step_by(BLOCK).zip(blocks) {
            let mut sums = [0i32; BLOCK];
            let mut repeated = [0i8; BLOCK];
            let Some(sums) = sums.get_mut(..out.len()) else { return };
            let mut rows = self.weights.chunks_exact(out_c.max(1));
            for i in 0..usize::from(height.kernel) {
                let in_row = height.position(y, i, h).map(|in_y| in_y * w);
                for (j, row) in rows.by_ref().take(usize::from(width.kernel)).enumerate() {
                    let at = in_row.and_then(|start| Some(start + width.position(x, j, w)?));
                    let pixel = at.and_then(|at| self.image.get(at * c..(at + 1) * c));
                    let values = match pixel {
                        None => &padding[..],
                        Some(pixel) if multiplier == 1 => pixel.get(first..).unwrap_or_default(),
                        Some(pixel) => {
                            repeat(pixel, first, multiplier, &mut repeated);
                            &repeated[..]
                        }
                    };
                    I::multiply_add_i8(sums, row.get(first..).unwrap_or_default(), values);
                }
            }
            I::requantize(sums, quants, &self.params.stage, out);
        }
    }
}

/// Fills `block` with the input values of output channels `first..`, each channel of `pixel` repeated `multiplier` times.
fn repeat(pixel: &[i8], first: usize, multiplier: usize, block: &mut [i8]) {
    let multiplier = multiplier.max(1);
    let mut left = multiplier - first % multiplier;
    let mut rest = block;
    for &value in pixel.get(first / multiplier..).unwrap_or_default() {
        let len = left.min(rest.len());
        let (run, after) = core::mem::take(&mut rest).split_at_mut(len);
        run.fill(value);
        if after.is_empty() {
            return;
        }
        rest = after;
        left = multiplier;
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Axis;
    use crate::kernels::testing::{Layer, OneNode, definitions, windowed, windows};

    /// A layer on `[n, h, w, c]` with this depth multiplier.
    pub(in crate::kernels) fn layer(
        window: Window,
        input: [usize; 4],
        multiplier: usize,
        seed: u64,
    ) -> Layer {
        let [n, h, w, c] = input;
        let [kh, kw] = [window.height, window.width].map(|axis| usize::from(axis.kernel));
        let [out_h, out_w] = windowed(&window, [h, w]);
        let out_c = c * multiplier;
        Layer::random(seed, window, input, [1, kh, kw, out_c], [n, out_h, out_w, out_c])
    }

    fn node(layer: &Layer) -> OneNode {
        stored::<false>(layer)
    }

    pub(in crate::kernels) fn stored<const INT4: bool>(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::DepthwiseConv2d).packing(operator::<INT4>().packing);
        let (weights, out_c) = (&layer.weights.data, layer.output[3]);
        let channels: Vec<_> =
            (0..out_c).map(|o| layer.fold(o, weights[o..].iter().step_by(out_c))).collect();
        let mut bytes = vec![0; nibbles::bytes(weights.len())];
        nibbles::encode(weights, &mut bytes);
        let params = Params {
            weights: if INT4 { node.constants(&bytes) } else { node.constants(weights) },
            channels: node.constants(&channels),
            window: layer.window,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        let expanded = if INT4 { expanded_len(&params, out_c) } else { 0 };
        node.output::<i8>(&layer.output).scratch(expanded)
    }

    const AXIS: Axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };
    const WINDOW: Window = Window { height: AXIS, width: AXIS };

    #[test]
    fn mutants_stay_within_bounds() {
        let window = Window { width: Axis { kernel: 2, stride: 2, dilation: 2, pad: 1 }, ..WINDOW };
        node(&layer(window, [2, 3, 4, 3], 2, 0)).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8, 1usize..8),
            multiplier in 1usize..4,
            seed: u64,
        ) {
            let layer = layer(window, image.into(), multiplier, seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }

        #[test]
        fn many_channels_equal_the_definition(channels in 1usize..100, multiplier in 1usize..12, seed: u64) {
            let layer = layer(WINDOW, [1, 2, 2, channels], multiplier, seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::depthwise_conv2d(&layer));
        }
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let check = |height| node(&layer(Window { height, ..WINDOW }, [1, 4, 4, 2], 1, 0)).check();
        assert_eq!(check(AXIS), Ok(5 * 5 * 2 * 9));
        assert_eq!(check(Axis { pad: 3, ..AXIS }), Err(NodeError::Params));
        assert_eq!(check(Axis { dilation: 0, pad: 0, ..AXIS }), Err(NodeError::Params));
    }

    #[test]
    fn record_is_32_bytes() {
        assert_eq!(size_of::<Params>(), 32);
    }
}
