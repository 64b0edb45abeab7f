//! 2-D convolution, weights of -1 and +1 as signs ([`crate::packing::signs`]): a bit per weight.
//!
//! Parameters, layouts and the arithmetic are [`conv2d`](super::conv2d)'s. Groups must be 1. Patches are gathered into scratch
//! unless the window is a pixel, block by block of pixels.

use zerocopy::{FromBytes, IntoBytes};

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::call::whole;
use crate::kernels::conv2d::{Params, check_operands};
use crate::kernels::patch::Patches;
use crate::kernels::sign_layer::{SignLayer, block_words};
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, require};
use crate::packing::signs;

/// Bytes of scratch for blocks of so many pixels, at least 1.
pub fn scratch_len(params: &Params, input_channels: usize, pixels: usize) -> usize {
    let inputs = params.window.area().saturating_mul(input_channels);
    let patch = if params.window.is_pointwise() { 0 } else { signs::quads(inputs) };
    patch.saturating_add(block_words(inputs, pixels)).saturating_mul(size_of::<u32>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Conv2d, packing: Packing::Signs, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let ([c, out_c], outputs) = check_operands(node, |params, c| scratch_len(params, c, 1))?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.groups == 1, NodeError::Params)?;
    layer(node, params, out_c, c).ok_or(NodeError::Constants)?;
    Ok(outputs * params.window.area() as u64 * c as u64)
}

fn layer<'m>(node: &Node<'m>, params: &'m Params, out_c: usize, c: usize) -> Option<SignLayer<'m>> {
    let inputs = params.window.area().checked_mul(c)?;
    SignLayer::new(node, [params.weights, params.channels], &params.stage, [out_c, inputs])
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let Some(layer) = layer(node, params, out_c, c) else { return };
    let Some(scratch) = whole::<u32>(scratch) else { return };
    conv2d_signs::<Active>(params, &layer, input, output, scratch);
}

/// The kernel. Shapes, layer and scratch are as `check` demands; otherwise the output is left unfinished.
fn conv2d_signs<I: Isa>(
    params: &Params,
    layer: &SignLayer<'_>,
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    scratch: &mut [u32],
) {
    let (Some([n, h, w, c]), Some([_, out_h, out_w, _])) = (input.shape.nhwc(), output.shape.nhwc()) else {
        return;
    };
    if params.window.is_pointwise() {
        let lay_out = |pixel: usize, step: usize, words: &mut [u32]| {
            I::lay_out_signs(input.data.get(pixel * c..(pixel + 1) * c).unwrap_or_default(), step, words);
        };
        return layer.run::<I>(n * h * w, lay_out, scratch, output.data);
    }
    let inputs = params.window.area() * c;
    let Some((patch, scratch)) = scratch.split_at_mut_checked(signs::quads(inputs)) else { return };
    let Ok(patch) = <[i8]>::mut_from_bytes(patch.as_mut_bytes()) else { return };
    let Some(patch) = patch.get_mut(..inputs) else { return };
    let (image_len, pixels) = (h * w * c, out_h * out_w);
    let lay_out = |pixel: usize, step: usize, words: &mut [u32]| {
        let (image, pixel) = (pixel / pixels.max(1), pixel % pixels.max(1));
        let image = input.data.get(image * image_len..(image + 1) * image_len).unwrap_or_default();
        let padding = params.input_zero_point;
        let patches = Patches { image, size: [h, w, c], first_channel: 0, channels: c, padding };
        patches.gather(&params.window, [pixel / out_w.max(1), pixel % out_w.max(1)], patch);
        I::lay_out_signs(patch, step, words);
    };
    layer.run::<I>(n * pixels, lay_out, scratch, output.data);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Window;
    use crate::kernels::conv2d::tests::{UNEVEN, layer, params};
    use crate::kernels::sign_layer::tests::constants;
    use crate::kernels::testing::{Layer, OneNode, definitions, windows};

    fn node(layer: &Layer, block: usize) -> OneNode {
        let mut node = OneNode::new(OpCode::Conv2d).packing(Packing::Signs);
        let params = params(layer, constants(&mut node, layer));
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, layer.input.shape[3], block))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(UNEVEN, [2, 4, 3], 1, [3, 7], 0).with_signs(), 5).assert_mutants_stay_within_bounds();
        node(&layer(Window::UNIT, [2, 4, 3], 1, [3, 7], 0).with_signs(), 5)
            .assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            channels in (1usize..6, 1usize..9),
            block in 1usize..14,
            seed: u64,
        ) {
            let layer = layer(window, image.into(), 1, channels.into(), seed).with_signs();
            prop_assert_eq!(node(&layer, block).run::<i8>(), definitions::conv2d(&layer));
        }

        #[test]
        fn pointwise_equals_the_definition(
            image in (1usize..3, 1usize..6, 1usize..6),
            channels in (1usize..40, 1usize..9),
            block in 1usize..14,
            seed: u64,
        ) {
            let layer = layer(Window::UNIT, image.into(), 1, channels.into(), seed).with_signs();
            prop_assert_eq!(node(&layer, block).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
