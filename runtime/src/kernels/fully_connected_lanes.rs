//! Fully connected layer, int8, on byte-pair lanes ([`crate::packing::lanes`]), eight outputs at a time.
//!
//! The inputs of a row are widened to 16 bits into scratch once. Parameters, layouts of input and output and the
//! arithmetic are [`fully_connected`](super::fully_connected)'s.

use zerocopy::FromBytes;

use crate::format::{Node, OpCode};
use crate::isa::{Active, Isa};
use crate::kernels::fully_connected::{Params, check_operands};
use crate::kernels::lane_layer::{BytePairs, LaneLayer, LanePacking};
use crate::kernels::{Call, NodeError, Operator, Unary, require};
use crate::packing::lanes;

/// Channels per group.
pub const GROUP: usize = 8;

/// Bytes of scratch: a row of inputs as 16-bit values, padded to an even number.
pub fn scratch_len(params: &Params) -> usize {
    lanes::pairs(params.depth as usize).saturating_mul(2 * size_of::<i16>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = operator::<BytePairs>();

/// The entry of a packing.
pub(super) const fn operator<P: LanePacking>() -> Operator {
    Operator { code: OpCode::FullyConnected, packing: P::CODE, check: check::<P>, run: run::<P> }
}

fn check<P: LanePacking>(node: &Node<'_>) -> Result<u64, NodeError> {
    let [rows, outputs] = check_operands(node, scratch_len)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    require(node.record().scratch_len.is_multiple_of(2), NodeError::Scratch)?;
    layer::<P>(node, params, outputs).ok_or(NodeError::Constants)?;
    Ok(rows as u64 * outputs as u64 * u64::from(params.depth))
}

fn run<P: LanePacking>(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(output) = node.output(0) else { return };
    let Some(layer) = layer::<P>(node, params, output.shape.last()) else { return };
    let Some(Unary { input, output, scratch }) = call.unary_inline::<i8, i8>() else { return };
    let Ok(scratch) = <[i16]>::mut_from_bytes(scratch) else { return };
    fully_connected_lanes::<Active, P>(&layer, params.depth as usize, input.data, output.data, scratch);
}

#[inline(always)]
fn layer<'m, P: LanePacking>(
    node: &Node<'m>,
    params: &'m Params,
    outputs: usize,
) -> Option<LaneLayer<'m, P>> {
    let sizes = [outputs, params.depth as usize];
    LaneLayer::new(node, [params.weights, params.channels], &params.stage, sizes, GROUP)
}

/// The kernel: rows of `depth` inputs to rows of outputs.
#[inline(always)]
fn fully_connected_lanes<I: Isa, P: LanePacking>(
    layer: &LaneLayer<'_, P>,
    depth: usize,
    mut input: &[i8],
    mut output: &mut [i8],
    scratch: &mut [i16],
) {
    while let (Some((row, inputs)), Some((out, rest))) =
        (input.split_at_checked(depth), output.split_at_mut_checked(layer.channels()))
    {
        if row.is_empty() {
            return;
        }
        layer.run_row::<I>(row, scratch, out);
        (input, output) = (inputs, rest);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::fully_connected::tests::layer;
    use crate::kernels::lane_layer::tests::constants;
    use crate::kernels::testing::{Layer, OneNode, definitions};

    fn node(layer: &Layer) -> OneNode {
        packed::<BytePairs>(layer)
    }

    pub(in crate::kernels) fn packed<P: LanePacking>(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::FullyConnected).packing(P::CODE);
        let [_, _, rows, depth] = layer.input.shape;
        let [weights, channels] = constants::<P>(&mut node, layer, depth, GROUP);
        let params = Params { weights, channels, depth: depth as u32, stage: layer.stage };
        let node = node.params(&params).input(&[rows, depth], &layer.input.data);
        node.output::<i8>(&[rows, layer.output[3]]).scratch(scratch_len(&params))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(2, 7, 11, 0).for_lanes()).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..70, outputs in 1usize..30, seed: u64) {
            let layer = layer(rows, depth, outputs, seed).for_lanes();
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn short_scratch_is_refused() {
        let layer = layer(1, 3, 2, 0).for_lanes();
        assert_eq!(node(&layer).check(), Ok(6));
        assert_eq!(node(&layer).scratch(7).check(), Err(NodeError::Scratch));
    }
}
