//! Transposed 2-D convolution, int8.
//!
//! Every input pixel is multiplied with the whole kernel and added to the output at `y x stride - pad + i`, or, seen from
//! the output: `out[n,y,x,o] = stage(multiplier[o] x (bias[o] + sum over (i,j,c) of w[o,i,j,c] x in[n, y_i, x_j, c]))`
//! over the kernel positions `i` with `y + pad - i` a multiple `y_i` of the stride, likewise `j`; inputs outside the image
//! are equal to the input zero point.
//!
//! The output positions of one *phase*, `(y + pad) mod stride` and `(x + pad) mod stride`, all use the same kernel
//! positions, on neighbouring input pixels: each phase is an ordinary convolution of stride 1. Weights and channel
//! records are therefore stored phase by phase, `stride height x stride width` of them in row-major order. No product
//! with the zeros between spread pixels is computed.
//!
//! Layouts: input and output NHWC; the weights of a phase OHWI, of its kernel positions only, in the order of
//! [`phase_positions`]. Sums are 32-bit and wrap. The input zero point is folded into the bias ([`ChannelQuant`]), which is
//! why there is one per phase: with the sum of that phase's weights.

use core::num::NonZeroUsize;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa};
use crate::kernels::patch::Patches;
use crate::kernels::plain_weights::{Bytes, PlainWeights};
use crate::kernels::{Axis, Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};
use crate::quant::{ChannelQuant, OutputStage};

/// Parameters in the file, 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Params {
    /// Offset of the weights, phase by phase, each OHWI, in the constant section.
    pub weights: u32,
    /// Offset of one [`ChannelQuant`] per phase and output channel, the channel innermost.
    pub channels: u32,
    /// Kernel size, stride and padding: output positions cut off before the first. Dilation 1.
    pub window: Window,
    /// Output zero point and clamp.
    pub stage: OutputStage,
    /// Input zero point: the value of padding.
    pub input_zero_point: i8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// Kernel positions that phase `phase` of an axis uses, in the order in which its weights are stored: the descending one,
/// which meets ascending input positions. None if the kernel is shorter than the stride and the phase lies between.
pub fn phase_positions(axis: &Axis, phase: usize) -> impl Iterator<Item = usize> {
    (phase..usize::from(axis.kernel)).step_by(usize::from(axis.stride).max(1)).rev()
}

/// Bytes of scratch: the gathered patch of the phase with most kernel positions.
pub fn scratch_len(params: &Params, input_channels: usize) -> usize {
    let Window { height, width } = params.window;
    let [most_y, most_x] = [height, width].map(|axis| Phases::new(&axis).len(0));
    (most_y * most_x).saturating_mul(input_channels)
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<Bytes>();

/// The entry of a way to store weights.
pub(super) const fn operator<W: PlainWeights>() -> Operator {
    Operator { code: OpCode::TransposeConv2d, packing: W::CODE, check: check::<W>, run: run::<W> }
}

fn check<W: PlainWeights>(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    let input_shape = node.input(0).and_then(|t| t.shape.nhwc()).ok_or(NodeError::Shape)?;
    let (input, output) = node.check_unary::<i8, i8>(scratch_len(params, input_shape[3]))?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    let Window { height, width } = params.window;
    height.check_transposed(h, out_h)?;
    width.check_transposed(w, out_w)?;
    require(n == out_n, NodeError::Shape)?;
    let depth = params.window.area().checked_mul(c).ok_or(NodeError::Constants)?;
    let weights = depth.checked_mul(out_c).ok_or(NodeError::Constants)?;
    node.constants::<W::Unit>(params.weights, W::units(weights)).ok_or(NodeError::Constants)?;
    let phases = usize::from(height.stride) * usize::from(width.stride);
    let records = phases.checked_mul(out_c).ok_or(NodeError::Constants)?;
    node.constants::<ChannelQuant>(params.channels, records).ok_or(NodeError::Constants)?;
    let positions =
        Phases::new(&height).positions(&height, out_h) * Phases::new(&width).positions(&width, out_w);
    let products = positions.saturating_mul(n as u64 * c as u64).saturating_mul(out_c as u64);
    Ok(products.saturating_add(output.shape.elements() as u64))
}

fn run<W: PlainWeights>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let Window { height, width } = params.window;
    let weights = params.window.area() * c * out_c;
    let Some(weights) = node.constants::<W::Unit>(params.weights, W::units(weights)) else { return };
    let records = usize::from(height.stride) * usize::from(width.stride) * out_c;
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, records) else { return };
    let Ok(scratch) = <[i8]>::mut_from_bytes(scratch) else { return };
    transpose_conv2d::<Active, W>(params, weights, channels, input, output, scratch);
}

/// The kernel. Shapes, weights, channels and scratch are as `check` demands; otherwise the output is left unfinished.
fn transpose_conv2d<I: Isa, W: PlainWeights>(
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
    let Window { height, width } = params.window;
    let phases = [Phases::new(&height), Phases::new(&width)];
    let kernel = Kernel::<W> { phases, weights, channels, stage: &params.stage };
    let (out_c, out_row_len) = (out_c.max(1), (out_w * out_c).max(1));
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_row_len).max(1))) {
        let padding = params.input_zero_point;
        let patches = Patches { image, size: [h, w, c], first_channel: 0, channels: c, padding };
        for (y, out_row) in out_image.chunks_exact_mut(out_row_len).enumerate() {
            for (x, out_pixel) in out_row.chunks_exact_mut(out_c).enumerate() {
                let padded = [y + usize::from(height.pad), x + usize::from(width.pad)];
                kernel.pixel::<I>(&patches, padded, scratch, out_pixel);
            }
        }
    }
}

/// What all output pixels are computed with.
struct Kernel<'a, W: PlainWeights> {
    phases: [Phases; 2],
    weights: &'a [W::Unit],
    channels: &'a [ChannelQuant],
    stage: &'a OutputStage,
}

impl<W: PlainWeights> Kernel<'_, W> {
    /// Computes output position `[y, x]`, counted from the start of the padding.
    fn pixel<I: Isa>(
        &self,
        patches: &Patches<'_>,
        [y, x]: [usize; 2],
        scratch: &mut [i8],
        output: &mut [i8],
    ) {
        let [height, width] = &self.phases;
        let ((base_y, phase_y), (base_x, phase_x)) = (height.split(y), width.split(x));
        let (rows, columns) = (height.len(phase_y), width.len(phase_x));
        let (c, out_c) = (patches.channels, output.len());
        let before = height.before(phase_y) * width.kernel + rows * width.before(phase_x);
        let record = (phase_y * width.stride.get() + phase_x) * out_c;
        let channels = self.channels.get(record..record + out_c).unwrap_or_default();
        let Some(patch) = scratch.get_mut(..rows * columns * c) else { return };
        if patch.is_empty() {
            for (out, channel) in output.chunks_mut(1).zip(channels.chunks(1)) {
                I::requantize(&[0], channel, self.stage, out);
            }
            return;
        }
        let window = Window { height: neighbours(rows), width: neighbours(columns) };
        patches.gather(&window, [base_y, base_x], patch);
        let start = before * c * out_c;
        W::times_channels::<I>(self.weights, start, patch, channels, self.stage, output);
    }
}

/// The window of `len` neighbouring positions that ends at the position that it is for.
fn neighbours(len: usize) -> Axis {
    Axis { kernel: len as u16, pad: (len as u16).saturating_sub(1), ..Axis::UNIT }
}

/// How the kernel positions of one axis are divided among its phases: `each` to every phase, one more to the first `extra`.
#[derive(Clone, Copy)]
struct Phases {
    kernel: usize,
    stride: NonZeroUsize,
    each: usize,
    extra: usize,
}

impl Phases {
    fn new(axis: &Axis) -> Self {
        let kernel = usize::from(axis.kernel);
        let stride = NonZeroUsize::new(axis.stride.into()).unwrap_or(NonZeroUsize::MIN);
        Self { kernel, stride, each: kernel / stride, extra: kernel % stride }
    }

    /// Kernel positions of phase `phase`.
    fn len(&self, phase: usize) -> usize {
        self.each + usize::from(phase < self.extra)
    }

    /// Kernel positions of all phases before `phase`.
    fn before(&self, phase: usize) -> usize {
        self.each * phase + self.extra.min(phase)
    }

    /// Input position and phase of output position `padded`, counted from the start of the padding.
    fn split(&self, padded: usize) -> (usize, usize) {
        (padded / self.stride, padded % self.stride)
    }

    /// Kernel positions of all output positions in `0..output_len` together.
    fn positions(&self, axis: &Axis, output_len: usize) -> u64 {
        let up_to = |padded: usize| {
            let (whole, phase) = self.split(padded);
            whole as u64 * self.kernel as u64 + self.before(phase) as u64
        };
        up_to(usize::from(axis.pad) + output_len) - up_to(usize::from(axis.pad))
    }
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::kernels::plain_weights::tests::StoredWeights;
    use crate::kernels::testing::{Layer, OneNode, definitions};

    /// OHWI weights phase by phase, and the folded channels of each phase.
    fn pack(layer: &Layer) -> (Vec<i8>, Vec<ChannelQuant>) {
        let Window { height, width } = layer.window;
        let [out_c, kh, kw, c] = layer.weights.shape;
        let (mut packed, mut channels) = (vec![], vec![]);
        for phase_y in 0..usize::from(height.stride) {
            for phase_x in 0..usize::from(width.stride) {
                for o in 0..out_c {
                    let start = packed.len();
                    for i in phase_positions(&height, phase_y) {
                        for j in phase_positions(&width, phase_x) {
                            packed.extend(&layer.weights.data[((o * kh + i) * kw + j) * c..][..c]);
                        }
                    }
                    channels.push(layer.fold(o, &packed[start..]));
                }
            }
        }
        assert_eq!(packed.len(), layer.weights.data.len());
        (packed, channels)
    }

    pub(in crate::kernels) fn layer(
        window: Window,
        input: [usize; 4],
        [out_h, out_w, out_c]: [usize; 3],
        seed: u64,
    ) -> Layer {
        let [kh, kw] = [window.height, window.width].map(|axis| usize::from(axis.kernel));
        Layer::random(seed, window, input, [out_c, kh, kw, input[3]], [input[0], out_h, out_w, out_c])
    }

    fn node(layer: &Layer) -> OneNode {
        stored::<Bytes>(layer)
    }

    pub(in crate::kernels) fn stored<W: StoredWeights>(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::TransposeConv2d).packing(W::CODE);
        let (weights, channels) = pack(layer);
        let params = Params {
            weights: W::constants(&mut node, &weights),
            channels: node.constants(&channels),
            window: layer.window,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, layer.input.shape[3]))
    }

    const AXIS: Axis = Axis { kernel: 3, stride: 2, dilation: 1, pad: 1 };

    #[test]
    fn mutants_stay_within_bounds() {
        let window = Window { height: AXIS, width: Axis { kernel: 2, stride: 3, ..AXIS } };
        node(&layer(window, [2, 2, 3, 4], [4, 5, 3], 0)).assert_mutants_stay_within_bounds();
    }

    pub(in crate::kernels) fn any_axis() -> impl Strategy<Value = Axis> {
        (1..6u16, 1..5u16, 0..4u16).prop_map(|(kernel, stride, pad)| Axis {
            kernel,
            stride,
            dilation: 1,
            pad,
        })
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            (height, width) in (any_axis(), any_axis()),
            image in (1usize..3, 1usize..6, 1usize..6, 1usize..7),
            output in (1usize..16, 1usize..16, 1usize..8),
            seed: u64,
        ) {
            let layer = layer(Window { height, width }, image.into(), output.into(), seed);
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::transpose_conv2d(&layer));
        }

        #[test]
        fn work_counts_the_kernel_positions_of_every_output(axis in any_axis(), output_len in 1usize..40) {
            let phases = Phases::new(&axis);
            let phase = |output| (output + usize::from(axis.pad)) % usize::from(axis.stride);
            let counted: usize = (0..output_len).map(|o| phase_positions(&axis, phase(o)).count()).sum();
            prop_assert_eq!(phases.positions(&axis, output_len), counted as u64);
        }
    }

    #[test]
    fn nodes_that_do_not_fit_are_refused() {
        let check = |height| node(&layer(Window { height, width: AXIS }, [1, 2, 2, 1], [3, 3, 1], 0)).check();
        assert_eq!(check(AXIS), Ok(16 + 9));
        assert_eq!(check(Axis { dilation: 2, ..AXIS }), Err(NodeError::Params));
        assert_eq!(check(Axis { pad: 1 << 15, ..AXIS }), Err(NodeError::Params));
    }

    #[test]
    fn record_is_32_bytes() {
        assert_eq!(size_of::<Params>(), 32);
    }
}
