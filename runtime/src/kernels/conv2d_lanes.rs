//! 2-D convolution, int8, on byte-pair lanes ([`crate::packing::lanes`]): [`conv2d`]'s values at twice its speed on cores
//! with dual 16-bit multiply-accumulates.
//!
//! Two output pixels at a time: their patches are gathered and widened to 16 bits into scratch, interleaved pair by pair,
//! and multiplied with four output channels at a time, so that every weight that is loaded and unpacked serves two
//! pixels. The last pixel of an odd number goes alone.
//!
//! Parameters, layouts of input and output and the arithmetic are [`conv2d`]'s. Groups must be 1. A patch is stored row by
//! row, each kernel row of `kernel width x channels` values padded to an even number with zero weights.
//!
//! [`conv2d`]: crate::kernels::conv2d

use zerocopy::FromBytes;

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::conv2d::Params;
use crate::kernels::lane_layer::LaneLayer;
use crate::kernels::wide_patch::WidePatches;
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};

/// Channels per group.
pub const GROUP: usize = 4;

/// Values in a packed patch: kernel rows padded to an even length.
pub fn patch_len(window: &Window, input_channels: usize) -> usize {
    let row = usize::from(window.width.kernel).saturating_mul(input_channels);
    usize::from(window.height.kernel).saturating_mul(row.saturating_add(row % 2))
}

/// Bytes of scratch: two patches of 16-bit values.
pub fn scratch_len(params: &Params, input_channels: usize) -> usize {
    patch_len(&params.window, input_channels).saturating_mul(2 * size_of::<i16>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Conv2d, packing: Packing::Lanes, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.stage.is_valid() && params.reserved == [0; 3] && params.groups == 1, NodeError::Params)?;
    let input_shape = node.input(0).and_then(|t| t.shape.nhwc()).ok_or(NodeError::Shape)?;
    let (input, output) = node.check_unary::<i8, i8>(scratch_len(params, input_shape[3]))?;
    let [n, h, w, c] = input.shape.nhwc().ok_or(NodeError::Shape)?;
    let [out_n, out_h, out_w, out_c] = output.shape.nhwc().ok_or(NodeError::Shape)?;
    params.window.check([h, w], [out_h, out_w])?;
    require(n == out_n, NodeError::Shape)?;
    layer(node, params, out_c, c).ok_or(NodeError::Constants)?;
    Ok(output.shape.elements() as u64 * patch_len(&params.window, c) as u64)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let Some(layer) = layer(&node, params, out_c, c) else { return };
    let Some(scratch) = scratch.get_mut(..scratch_len(params, c)) else { return };
    let Ok(scratch) = <[i16]>::mut_from_bytes(scratch) else { return };
    conv2d_lanes::<Active>(params, &layer, input, output, scratch);
}

fn layer<'m>(node: &Node<'m>, params: &'m Params, out_c: usize, c: usize) -> Option<LaneLayer<'m>> {
    let inputs = patch_len(&params.window, c);
    LaneLayer::new(node, [params.weights, params.channels], &params.stage, [out_c, inputs], GROUP)
}

/// The kernel. Shapes, layer and scratch are as `check` demands; otherwise the output is left unfinished.
fn conv2d_lanes<I: Isa>(
    params: &Params,
    layer: &LaneLayer<'_>,
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    scratch: &mut [i16],
) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, out_c])) = (input.shape.nhwc(), output.shape.nhwc())
    else {
        return;
    };
    let patches = WidePatches { window: &params.window, size: [h, w, c], padding: params.input_zero_point };
    let mut position = Position { image: 0, y: 0, x: 0 };
    let mut next = || {
        let start = position.image * h * w * c;
        let image = input.data.get(start..start + h * w * c).unwrap_or_default();
        let at = [position.y, position.x];
        position.advance(out_h, out_w);
        (image, at)
    };
    let mut pairs = output.data.chunks_exact_mut((2 * out_c).max(1));
    for out in &mut pairs {
        for pixel in 0..2 {
            let (image, at) = next();
            patches.gather::<I, 2>(image, at, scratch.get_mut(2 * pixel..).unwrap_or_default());
        }
        let (first, second) = out.split_at_mut(out_c);
        layer.run::<I, GROUP, 2>(scratch, [first, second]);
    }
    let last = pairs.into_remainder();
    if !last.is_empty() {
        let half = scratch.len() / 2;
        let scratch = scratch.get_mut(..half).unwrap_or_default();
        let (image, at) = next();
        patches.gather::<I, 1>(image, at, scratch);
        layer.run::<I, GROUP, 1>(scratch, [last]);
    }
}

/// An output position, and the image that it belongs to.
struct Position {
    image: usize,
    y: usize,
    x: usize,
}

impl Position {
    /// The next position in row-major order.
    fn advance(&mut self, height: usize, width: usize) {
        self.x += 1;
        if self.x == width {
            self.x = 0;
            self.y += 1;
            if self.y == height {
                self.y = 0;
                self.image += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Axis;
    use crate::kernels::conv2d::tests::layer;
    use crate::kernels::lane_layer::tests::constants;
    use crate::kernels::testing::{Layer, OneNode, definitions, windows};

    fn node(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::Conv2d).packing(Packing::Lanes);
        let [out_c, kh, kw, c] = layer.weights.shape;
        let [weights, channels] = constants(&mut node, layer, kw * c, GROUP);
        assert_eq!(patch_len(&layer.window, c), kh * (kw * c).next_multiple_of(2));
        let params = Params {
            weights,
            channels,
            window: layer.window,
            groups: 1,
            stage: layer.stage,
            input_zero_point: layer.zero_point,
            reserved: [0; 3],
        };
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        assert_eq!(out_c, layer.output[3]);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, c))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let axis = Axis { kernel: 3, stride: 1, dilation: 1, pad: 1 };
        let window = Window { height: Axis { kernel: 2, stride: 2, dilation: 2, pad: 1 }, width: axis };
        node(&layer(window, [2, 4, 3], 1, [3, 7], 0).for_lanes()).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            channels in (1usize..6, 1usize..14),
            seed: u64,
        ) {
            let layer = layer(window, image.into(), 1, channels.into(), seed).for_lanes();
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn groups_and_short_scratch_are_refused() {
        let layer = layer(Window::UNIT, [1, 2, 2], 1, [4, 4], 0).for_lanes();
        assert_eq!(node(&layer).check(), Ok(2 * 2 * 4 * 4));
        assert_eq!(node(&layer).scratch(15).check(), Err(NodeError::Scratch));
    }
}
