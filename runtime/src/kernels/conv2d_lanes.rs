//! 2-D convolution, int8, on byte-pair lanes ([`crate::packing::lanes`]): the values of [`conv2d`](super::conv2d) at twice its
//! speed on cores with dual 16-bit multiply-accumulates.
//!
//! Two output pixels at a time, one below the other: the input columns under a strip of windows of both rows are widened to
//! 16 bits into scratch (`WideColumns`), interleaved pair by pair, and multiplied with four output
//! channels at a time, so that every weight that is loaded and unpacked serves two pixels. The last row of an odd number
//! goes alone. A strip is as long as the scratch allows.
//!
//! Parameters, layouts of input and output and the arithmetic are [`conv2d`](super::conv2d)'s. Groups must be 1. The weights
//! of an output channel are stored column by column, each of `kernel height x channels` values padded to an even number
//! with a zero weight.

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa, Strip};
use crate::kernels::call::whole;
use crate::kernels::conv2d::{Params, check_operands};
use crate::kernels::lane_layer::{BytePairs, LaneLayer, LanePacking};
use crate::kernels::wide_columns::WideColumns;
use crate::kernels::{Call, NodeError, Operator, Tensor, TensorMut, Unary, Window, require};

/// Channels per group.
pub const GROUP: usize = 4;

/// Values in a packed patch: kernel columns padded to an even length.
pub fn patch_len(window: &Window, input_channels: usize) -> usize {
    let column = WideColumns::column_pairs(window, input_channels).saturating_mul(2);
    usize::from(window.width.kernel).saturating_mul(column)
}

/// Bytes of scratch for strips of `outputs` windows: their columns for two pixels. Any strip is at least one window long.
pub fn scratch_len(params: &Params, input_channels: usize, outputs: usize) -> usize {
    let column =
        WideColumns::column_pairs(&params.window, input_channels).saturating_mul(4 * size_of::<i16>());
    WideColumns::columns(&params.window, outputs).saturating_mul(column)
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<BytePairs>();

/// The entry of a packing.
pub(super) const fn operator<P: LanePacking>() -> Operator {
    Operator { code: OpCode::Conv2d, packing: P::CODE, check: check::<P>, run: run::<P> }
}

fn check<P: LanePacking>(node: &Node<'_>) -> Result<u64, NodeError> {
    let ([c, out_c], outputs) = check_operands(node, |params, c| scratch_len(params, c, 1))?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(params.groups == 1, NodeError::Params)?;
    layer::<P>(node, params, out_c, c).ok_or(NodeError::Constants)?;
    Ok(outputs * patch_len(&params.window, c) as u64)
}

fn run<P: LanePacking>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let [Some([.., c]), Some([.., out_c])] = [input.shape.nhwc(), output.shape.nhwc()] else { return };
    let Some(layer) = layer::<P>(node, params, out_c, c) else { return };
    let Some(scratch) = whole::<i16>(scratch) else { return };
    conv2d_lanes::<Active, P>(params, &layer, input, output, scratch);
}

fn layer<'m, P: LanePacking>(
    node: &Node<'m>,
    params: &'m Params,
    out_c: usize,
    c: usize,
) -> Option<LaneLayer<'m, P>> {
    let inputs = patch_len(&params.window, c);
    LaneLayer::new(node, [params.weights, params.channels], &params.stage, [out_c, inputs], GROUP)
}

/// The kernel. Shapes, layer and scratch are as `check` demands; otherwise the output is left unfinished.
fn conv2d_lanes<I: Isa, P: LanePacking>(
    params: &Params,
    layer: &LaneLayer<'_, P>,
    input: Tensor<'_, i8>,
    output: TensorMut<'_, i8>,
    scratch: &mut [i16],
) {
    let (Some([n, h, w, c]), Some([_, out_h, out_w, out_c])) = (input.shape.nhwc(), output.shape.nhwc())
    else {
        return;
    };
    if params.window.is_pointwise() {
        // Which pixels make a pair does not matter: two rows of half of all, and one that may be left.
        let half = n * h * w / 2;
        let (inputs, last_input) = input.data.split_at_checked(2 * half * c).unwrap_or_default();
        let (outputs, last_output) = output.data.split_at_mut_checked(2 * half * out_c).unwrap_or_default();
        image::<I, P>(params, layer, inputs, [2, half, c], outputs, half, scratch);
        return image::<I, P>(params, layer, last_input, [1, 1, c], last_output, 1, scratch);
    }
    let images = input.data.chunks_exact((h * w * c).max(1));
    for (input, out) in images.zip(output.data.chunks_exact_mut((out_h * out_w * out_c).max(1))) {
        image::<I, P>(params, layer, input, [h, w, c], out, out_w, scratch);
    }
}

/// One image, in strips of two output rows, or one at the end.
#[inline(never)]
fn image<I: Isa, P: LanePacking>(
    params: &Params,
    layer: &LaneLayer<'_, P>,
    image: &[i8],
    size: [usize; 3],
    output: &mut [i8],
    out_w: usize,
    scratch: &mut [i16],
) {
    let window = &params.window;
    let source = WideColumns { window, size, padding: params.input_zero_point };
    let (column, channels) = (WideColumns::column_pairs(window, size[2]), layer.channels());
    let row = (out_w * channels).max(1);
    for (pair, rows) in output.chunks_mut((2 * row).max(1)).enumerate() {
        let pixels = rows.len() / row;
        let most = WideColumns::outputs(window, scratch.len() / (column * 2 * pixels).max(1)).max(1);
        let mut x = 0;
        while x < out_w {
            let count = most.min(out_w - x);
            source.gather::<I>(image, [2 * pair, x], [count, pixels], scratch);
            let step = WideColumns::step(window) * column;
            let strip = Strip { pixels, pairs: layer.pairs(), count, step, advance: channels, pitch: row };
            layer.run::<I>(&strip, scratch, rows.get_mut(x * channels..).unwrap_or_default());
            x += count;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::conv2d::tests::{UNEVEN, layer, params};
    use crate::kernels::lane_layer::tests::constants;
    use crate::kernels::testing::{Layer, OneNode, definitions, windows};

    /// The layer, its weights of each channel column by column.
    fn by_column(layer: &Layer) -> Layer {
        let [out_c, kh, kw, c] = layer.weights.shape;
        let from = |o, j, i| &layer.weights.data[((o * kh + i) * kw + j) * c..][..c];
        let columns = (0..out_c).flat_map(|o| (0..kw).map(move |j| (o, j)));
        let data = columns.flat_map(|(o, j)| (0..kh).flat_map(move |i| from(o, j, i))).copied().collect();
        Layer { weights: definitions::Array { shape: [out_c, kw, kh, c], data }, ..layer.clone() }
    }

    fn node(layer: &Layer, strip: usize) -> OneNode {
        packed::<BytePairs>(layer, strip)
    }

    pub(in crate::kernels) fn packed<P: LanePacking>(layer: &Layer, strip: usize) -> OneNode {
        let mut node = OneNode::new(OpCode::Conv2d).packing(P::CODE);
        let [out_c, kh, kw, c] = layer.weights.shape;
        let offsets = constants::<P>(&mut node, &by_column(layer), kh * c, GROUP);
        assert_eq!(patch_len(&layer.window, c), kw * (kh * c).next_multiple_of(2));
        let params = params(layer, offsets);
        let node = node.params(&params).input(&layer.input.shape, &layer.input.data);
        assert_eq!(out_c, layer.output[3]);
        node.output::<i8>(&layer.output).scratch(scratch_len(&params, c, strip))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(UNEVEN, [2, 4, 3], 1, [3, 7], 0).for_lanes(), 2).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            window in windows(4, 3),
            image in (1usize..3, 1usize..8, 1usize..8),
            channels in (1usize..6, 1usize..14),
            strip in 1usize..9,
            seed: u64,
        ) {
            let layer = layer(window, image.into(), 1, channels.into(), seed).for_lanes();
            prop_assert_eq!(node(&layer, strip).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn groups_and_short_scratch_are_refused() {
        let layer = layer(Window::UNIT, [1, 2, 2], 1, [4, 4], 0).for_lanes();
        assert_eq!(node(&layer, 1).check(), Ok(2 * 2 * 4 * 4));
        assert_eq!(node(&layer, 1).scratch(15).check(), Err(NodeError::Scratch));
    }
}
