//! 2-D convolution, weights of -1 and +1 on inputs of -1 and +1 ([`crate::packing::xnor`]): a bit per weight, and 32 products
//! in a few instructions.
//!
//! Parameters, layouts and the arithmetic are [`conv2d`](super::conv2d)'s for inputs of -1, 0 and +1; others count as what
//! their lowest bit and their sign say. Groups must be 1 and the input zero point 0, so that padding adds nothing. Every
//! pixel's patch is gathered into scratch, then its bits.

use zerocopy::FromBytes;

use crate::format::{Node, OpCode, Packing};
use crate::isa::Active;
use crate::kernels::conv2d::{Params, check_operands};
use crate::kernels::patch::Patches;
use crate::kernels::xnor_rows::{XnorRows, bits_len};
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, require};
use crate::packing::xnor::Bits;

/// Bytes of scratch: the bits of a patch, and the patch itself.
pub fn scratch_len(params: &Params, input_channels: usize) -> usize {
    let inputs = params.window.area().saturating_mul(input_channels);
    bits_len(inputs).saturating_add(inputs)
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::Conv2d, packing: Packing::Xnor, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let ([c, out_c], outputs) = check_operands(node, scratch_len)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.groups == 1 && params.input_zero_point == 0, NodeError::Params)?;
    layer(node, params, out_c, c).ok_or(NodeError::Constants)?;
    Ok(outputs * params.window.area() as u64 * c as u64)
}

fn layer<'m>(node: &Node<'m>, params: &'m Params, out_c: usize, c: usize) -> Option<XnorRows<'m>> {
    let inputs = params.window.area().checked_mul(c)?;
    XnorRows::new(node, [params.weights, params.channels], &params.stage, [out_c, inputs])
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let Some(layer) = layer(node, params, out_c, c) else { return };
    let inputs = params.window.area() * c;
    let Some((bits, patch)) = scratch.split_at_mut_checked(bits_len(inputs)) else { return };
    let Ok(bits) = <[Bits]>::mut_from_bytes(bits) else { return };
    let Some(Ok(patch)) = patch.get_mut(..inputs).map(<[i8]>::mut_from_bytes) else { return };
    conv2d_xnor(params, &layer, input, output, bits, patch);
}

/// The kernel. Shapes, layer and scratch are as `check` demands; otherwise the output is left unfinished.
fn conv2d_xnor(
    params: &Params,
    layer: &XnorRows<'_>,
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    bits: &mut [Bits],
    patch: &mut [i8],
) {
    let (Some([_, h, w, c]), Some([_, out_h, out_w, out_c])) = (input.shape.nhwc(), output.shape.nhwc())
    else {
        return;
    };
    let (out_c, out_row_len) = (out_c.max(1), (out_w * out_c).max(1));
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (image, out_image) in images.zip(output.data.chunks_exact_mut((out_h * out_row_len).max(1))) {
        let patches = Patches { image, size: [h, w, c], first_channel: 0, channels: c, padding: 0 };
        for (y, out_row) in out_image.chunks_exact_mut(out_row_len).enumerate() {
            for (x, out_pixel) in out_row.chunks_exact_mut(out_c).enumerate() {
                patches.gather(&params.window, [y, x], patch);
                layer.run::<Active>(patch, bits, out_pixel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::Window;
    use crate::kernels::conv2d::tests::{UNEVEN, layer, params};
    use crate::kernels::testing::{Layer, OneNode, definitions, windows};
    use crate::kernels::xnor_rows::tests::constants;

    fn node(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::Conv2d).packing(Packing::Xnor);
        let params = params(layer, constants(&mut node, layer));
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, layer.input.shape[3]))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        let layer = layer(UNEVEN, [2, 4, 3], 1, [3, 7], 0).with_signs().with_binary_inputs();
        node(&layer).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            channels in (1usize..20, 1usize..9),
            seed: u64,
        ) {
            let layer = layer(window, image.into(), 1, channels.into(), seed).with_signs().with_binary_inputs();
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn padding_that_is_not_zero_is_refused() {
        let layer = layer(Window::UNIT, [1, 2, 2], 1, [3, 2], 0).with_signs().with_binary_inputs();
        assert_eq!(node(&layer).check(), Ok(24));
        assert_eq!(node(&Layer { zero_point: 1, ..layer }).check(), Err(NodeError::Params));
    }
}
