//! 2-D convolution, grouped or not, int8.
//!
//! `out[n,y,x,o] = stage(multiplier[o] x (bias[o] + sum over (i,j,c) of w[o,i,j,c] x in[n, y_i, x_j, g + c]))` with
//! `y_i = y x stride - pad + i x dilation` and input values of padding equal to the input zero point. Output channel `o`
//! belongs to group `o / (O / groups)`, whose input channels start at `g`.
//!
//! Layouts: input and output NHWC, weights OHWI with `I = C / groups`. Sums are 32-bit and wrap. The input zero point is
//! folded into the bias ([`ChannelQuant`]), so padding is multiplied like any other value.
//!
//! Every output pixel's patch is gathered into scratch once and multiplied with four output channels at a time; 1x1
//! windows read the input in place.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa};
use crate::kernels::patch::Patches;
use crate::kernels::plain_weights::{Bytes, PlainWeights};
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::quant::{ChannelQuant, OutputStage};

/// Parameters in the file, 36 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the weights, OHWI, in the constant section.
    pub weights: u32,
    /// Offset of one [`ChannelQuant`] per output channel.
    pub channels: u32,
    /// Kernel size, stride, dilation and padding.
    pub window: Window,
    /// Groups; divides the numbers of input and of output channels.
    pub groups: u32,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Input zero point: the value of padding.
    pub input_zero_point: i8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// Bytes of scratch: one gathered patch, or nothing for a pointwise convolution without groups.
pub fn scratch_len(params: &Params, input_channels: usize) -> usize {
    if params.window.is_pointwise() && params.groups == 1 {
        0
    } else {
        params.window.area().saturating_mul(input_channels / (params.groups as usize).max(1))
    }
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<Bytes>();

/// The entry of a way to store weights.
pub(super) const fn operator<W: PlainWeights>() -> Operator {
    Operator { code: OpCode::Conv2d, packing: W::CODE, check: check::<W>, run: run::<W> }
}

fn check<W: PlainWeights>(node: &Node<'_>) -> Result<u64, NodeError> {
    let ([c, out_c], outputs) = check_operands(node, scratch_len)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    let groups = params.groups as usize;
    let fits = groups > 0 && c.is_multiple_of(groups) && out_c.is_multiple_of(groups);
    require(fits, NodeError::Shape)?;
    let patch = params.window.area().checked_mul(c / groups).ok_or(NodeError::Shape)?;
    let weights = patch.checked_mul(out_c).ok_or(NodeError::Constants)?;
    node.constants::<W::Unit>(params.weights, W::units(weights)).ok_or(NodeError::Constants)?;
    node.constants::<ChannelQuant>(params.channels, out_c).ok_or(NodeError::Constants)?;
    Ok(outputs * patch as u64)
}

/// What all packings check of parameters, operands and scratch, whose least length depends on the number of input channels.
/// Gives the numbers of input and output channels, and of outputs.
pub(super) fn check_operands(
    node: &Node<'_>,
    scratch_len: impl FnOnce(&Params, usize) -> usize,
) -> Result<([usize; 2], u64), NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    let input_shape = node.input(0).and_then(|t| t.shape.nhwc()).ok_or(NodeError::Shape)?;
    let (input, output) = node.check_unary::<i8, i8>(scratch_len(params, input_shape[3]))?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(n == out_n, NodeError::Shape)?;
    Ok(([c, out_c], output.shape.elements() as u64))
}

fn run<W: PlainWeights>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let weights = params.window.area() * (c / (params.groups as usize).max(1)) * out_c;
    let Some(weights) = node.constants::<W::Unit>(params.weights, W::units(weights)) else { return };
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, out_c) else { return };
    let Ok(scratch) = <[i8]>::mut_from_bytes(scratch) else { return };
    conv2d::<Active, W>(params, weights, channels, input, output, scratch);
}

/// The kernel. Shapes, weights, channels and scratch are as `check` demands; otherwise the output is left unfinished.
fn conv2d<I: Isa, W: PlainWeights>(
    params: &Params,
    weights: &[W::Unit],
    channels: &[ChannelQuant],
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    scratch: &mut [i8],
) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, out_c])) = (input.shape.nhwc(), output.shape.nhwc())
    else {
        return;
    };
    let groups = (params.groups as usize).max(1);
    if params.window.is_pointwise() && groups == 1 {
        let pixels = input.data.chunks_exact(c.max(1));
        for (pixel, out) in pixels.zip(output.data.chunks_exact_mut(out_c.max(1))) {
            W::times_channels::<I>(weights, 0, pixel, channels, &params.stage, out);
        }
        return;
    }
    let (group_in, group_out) = (c / groups, (out_c / groups).max(1));
    let patch_len = params.window.area() * group_in;
    let Some(patch) = scratch.get_mut(..patch_len) else { return };
    let (out_c, out_row_len) = (out_c.max(1), (out_w * out_c).max(1));
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_row_len).max(1))) {
        for (y, out_row) in out_image.chunks_exact_mut(out_row_len).enumerate() {
            for (x, out_pixel) in out_row.chunks_exact_mut(out_c).enumerate() {
                let groups = out_pixel.chunks_exact_mut(group_out).zip(channels.chunks_exact(group_out));
                for (group, (out, channels)) in groups.enumerate() {
                    let patches = Patches {
                        image,
                        size: [h, w, c],
                        first_channel: group * group_in,
                        channels: group_in,
                        padding: params.input_zero_point,
                    };
                    patches.gather(&params.window, [y, x], patch);
                    let start = group * group_out * patch_len;
                    W::times_channels::<I>(weights, start, patch, channels, &params.stage, out);
                }
            }
        }
    }
}

/// One vector of inputs times every row of weights, requantized into `output`.
pub(super) fn pixel_times_channels<I: Isa>(
    input: &[i8],
    weights: &[i8],
    channels: &[ChannelQuant],
    stage: &OutputStage,
    output: &mut [i8],
) {
    let n = input.len().max(1);
    let mut fours = output.chunks_exact_mut(4);
    let mut rows = weights.chunks_exact(n.saturating_mul(4));
    let mut quants = channels.chunks_exact(4);
    for ((out, rows), quants) in (&mut fours).zip(&mut rows).zip(&mut quants) {
        I::requantize(&I::dot4_i8(rows, input), quants, stage, out);
    }
    let done = channels.len() / 4 * 4;
    let rest = channels.get(done..).unwrap_or_default();
    let rows = weights.get(done * n..).unwrap_or_default().chunks_exact(n);
    for ((out, row), quant) in fours.into_remainder().iter_mut().zip(rows).zip(rest) {
        let sum = I::dot_i8(row, input);
        I::requantize(&[sum], core::slice::from_ref(quant), stage, core::slice::from_mut(out));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Axis;
    use crate::kernels::plain_weights::tests::StoredWeights;
    use crate::kernels::testing::{Layer, OneNode, definitions, windowed, windows};

    /// A layer on `[n, h, w]`, with this many groups and, in each group, input and output channels.
    pub(in crate::kernels) fn layer(
        window: Window,
        [n, h, w]: [usize; 3],
        groups: usize,
        [group_in, group_out]: [usize; 2],
        seed: u64,
    ) -> Layer {
        let [kh, kw] = [window.height, window.width].map(|axis| usize::from(axis.kernel));
        let [out_h, out_w] = windowed(&window, [h, w]);
        let out_c = groups * group_out;
        let (input, output) = ([n, h, w, groups * group_in], [n, out_h, out_w, out_c]);
        Layer::random(seed, window, input, [out_c, kh, kw, group_in], output)
    }

    fn node(layer: &Layer) -> OneNode {
        stored::<Bytes>(layer)
    }

    pub(in crate::kernels) fn stored<W: StoredWeights>(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::Conv2d).packing(W::CODE);
        let weights = W::constants(&mut node, &layer.weights.data);
        let params = params(layer, [weights, node.constants(&layer.folded())]);
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, layer.input.shape[3]))
    }

    /// The parameters of a layer whose weights and channels are at these offsets.
    pub(in crate::kernels) fn params(layer: &Layer, [weights, channels]: [u32; 2]) -> Params {
        Params {
            weights,
            channels,
            window: layer.window,
            groups: (layer.input.shape[3] / layer.weights.shape[3]) as u32,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        }
    }

    const AXIS: Axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };

    /// A window whose axes have nothing in common but their padding.
    pub(in crate::kernels) const UNEVEN: Window =
        Window { height: Axis { kernel: 2, stride: 2, dilation: 2, pad: 1 }, width: AXIS };

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(UNEVEN, [2, 4, 3], 2, [3, 5], 0)).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            groups in 1usize..4,
            group in (1usize..6, 1usize..7),
            seed: u64,
        ) {
            let layer = layer(window, image.into(), groups, group.into(), seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }

        #[test]
        fn pointwise_equals_the_definition(
            image in (1usize..3, 1usize..5, 1usize..5),
            groups in 1usize..3,
            group in (1usize..40, 1usize..10),
            seed: u64,
        ) {
            let layer = layer(Window::UNIT, image.into(), groups, group.into(), seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let check = |height| node(&layer(Window { height, width: AXIS }, [1, 5, 5], 1, [2, 3], 0)).check();
        assert_eq!(check(AXIS), Ok(6 * 6 * 3 * 18));
        assert_eq!(check(Axis { pad: 3, ..AXIS }), Err(NodeError::Params));
        assert_eq!(check(Axis { dilation: 0, pad: 0, ..AXIS }), Err(NodeError::Params));
        assert_eq!(check(Axis { kernel: 32_767, dilation: 2, ..AXIS }), Err(NodeError::Params));
    }

    #[test]
    fn record_is_36_bytes() {
        assert_eq!(size_of::<Params>(), 36);
    }
}
