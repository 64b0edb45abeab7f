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
        params.window.area() * (input_channels / (params.groups as usize).max(1))
    }
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Conv2d, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(node.record().packing == 0, NodeError::Packing)?;
    require(params.stage.is_valid() && params.reserved == [0; 3], NodeError::Params)?;
    let input_shape = node.input(0).and_then(|t| t.shape.nhwc()).ok_or(NodeError::Shape)?;
    let (input, output) = node.check_unary::<i8, i8>(scratch_len(params, input_shape[3]))?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    let groups = params.groups as usize;
    let fits = groups > 0 && c.is_multiple_of(groups) && out_c.is_multiple_of(groups) && n == out_n;
    require(fits, NodeError::Shape)?;
    let patch = params.window.area().checked_mul(c / groups).ok_or(NodeError::Shape)?;
    let weights = patch.checked_mul(out_c).ok_or(NodeError::Constants)?;
    node.constants::<i8>(params.weights, weights).ok_or(NodeError::Constants)?;
    let channels = node.constants::<ChannelQuant>(params.channels, out_c).ok_or(NodeError::Constants)?;
    require(channels.iter().all(|channel| channel.multiplier.is_valid()), NodeError::Quantization)?;
    Ok(output.shape.elements() as u64 * patch as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let weights = params.window.area() * (c / (params.groups as usize).max(1)) * out_c;
    let Some(weights) = node.constants::<i8>(params.weights, weights) else { return };
    let Some(channels) = node.constants::<ChannelQuant>(params.channels, out_c) else { return };
    let Ok(scratch) = <[i8]>::mut_from_bytes(scratch) else { return };
    conv2d::<Active>(params, weights, channels, input, output, scratch);
}

/// The kernel. Shapes, weights, channels and scratch are as `check` demands; otherwise the output is left unfinished.
pub fn conv2d<I: Isa>(
    params: &Params,
    weights: &[i8],
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
    let (group_in, group_out) = (c / groups, out_c / groups);
    let patch_len = params.window.area() * group_in;
    if params.window.is_pointwise() && groups == 1 {
        for (pixel, out) in input.data.chunks_exact(c).zip(output.data.chunks_exact_mut(out_c)) {
            pixel_times_channels::<I>(pixel, weights, channels, &params.stage, out);
        }
        return;
    }
    let Some(patch) = scratch.get_mut(..patch_len) else { return };
    let images = input.data.chunks_exact(h * w * c);
    for (image, out_image) in images.zip(output.data.chunks_exact_mut(out_h * out_w * out_c)) {
        for (at, out_pixel) in out_image.chunks_exact_mut(out_c).enumerate() {
            let (y, x) = (at / out_w, at % out_w);
            let groups = out_pixel.chunks_exact_mut(group_out).zip(channels.chunks_exact(group_out));
            for (group, (out, channels)) in groups.enumerate() {
                let source = Patch { image, size: [h, w, c], first_channel: group * group_in };
                source.gather(params, [y, x], group_in, patch);
                let weights = weights.get(group * group_out * patch_len..).unwrap_or_default();
                pixel_times_channels::<I>(patch, weights, channels, &params.stage, out);
            }
        }
    }
}

/// Where patches come from: one image `[h, w, c]` and the first channel of a group.
struct Patch<'a> {
    image: &'a [i8],
    size: [usize; 3],
    first_channel: usize,
}

impl Patch<'_> {
    /// Copies the window of output position `[y, x]` into `patch`, `channels` values per pixel, padding filled in.
    fn gather(&self, params: &Params, [y, x]: [usize; 2], channels: usize, patch: &mut [i8]) {
        let [h, w, c] = self.size;
        let Window { height, width } = params.window;
        let row_len = usize::from(width.kernel) * channels;
        for (i, row) in patch.chunks_exact_mut(row_len).enumerate() {
            let Some(in_y) = height.position(y, i, h) else {
                row.fill(params.input_zero_point);
                continue;
            };
            for (j, pixel) in row.chunks_exact_mut(channels).enumerate() {
                match width.position(x, j, w) {
                    Some(in_x) => {
                        let start = (in_y * w + in_x) * c + self.first_channel;
                        let source = self.image.get(start..start + channels).unwrap_or_default();
                        if source.len() == pixel.len() {
                            pixel.copy_from_slice(source);
                        }
                    }
                    None => pixel.fill(params.input_zero_point),
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
    let n = input.len();
    let mut fours = output.chunks_exact_mut(4);
    let mut rows = weights.chunks_exact(4 * n);
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
