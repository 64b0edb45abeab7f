//! Fully connected layer, weights of -1 and +1 on inputs of -1 and +1 ([`crate::packing::xnor`]): a bit per weight, and 32
//! products in a few instructions.
//!
//! Parameters, layouts of input and output and the arithmetic are [`fully_connected`](super::fully_connected)'s for inputs of
//! -1, 0 and +1; others count as what their lowest bit and their sign say.

use zerocopy::FromBytes;

use crate::format::{Node, OpCode, Packing};
use crate::isa::Active;
use crate::kernels::fully_connected::{Params, check_operands};
use crate::kernels::xnor_rows::{XnorRows, bits_len};
use crate::kernels::{Call, NodeError, Operator, Unary};
use crate::packing::xnor::Bits;

/// Bytes of scratch: the bits of a row.
pub fn scratch_len(params: &Params) -> usize {
    bits_len(params.depth as usize)
}

/// Entry for a kernel set.
pub static OPERATOR: Operator = Operator { code: OpCode::FullyConnected, packing: Packing::Xnor, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let [rows, outputs] = check_operands(node, scratch_len)?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    layer(node, params, outputs).ok_or(NodeError::Constants)?;
    Ok(rows as u64 * outputs as u64 * u64::from(params.depth))
}

fn layer<'m>(node: &Node<'m>, params: &'m Params, outputs: usize) -> Option<XnorRows<'m>> {
    let sizes = [outputs, params.depth as usize];
    XnorRows::new(node, [params.weights, params.channels], &params.stage, sizes)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let (depth, (_, outputs)) = (params.depth as usize, output.shape.rows());
    let Some(layer) = layer(node, params, outputs) else { return };
    let Some(Ok(bits)) = scratch.get_mut(..scratch_len(params)).map(<[Bits]>::mut_from_bytes) else { return };
    let rows = input.data.chunks_exact(depth.max(1));
    for (row, out) in rows.zip(output.data.chunks_exact_mut(outputs.max(1))) {
        layer.run::<Active>(row, bits, out);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::fully_connected::tests::layer;
    use crate::kernels::testing::{Layer, OneNode, definitions};
    use crate::kernels::xnor_rows::tests::constants;

    fn node(layer: &Layer) -> OneNode {
        let mut node = OneNode::new(OpCode::FullyConnected).packing(Packing::Xnor);
        let [_, _, rows, depth] = layer.input.shape;
        let [weights, channels] = constants(&mut node, layer);
        let params = Params { weights, channels, depth: depth as u32, stage: layer.stage };
        let node = node.params(&params).input(&[rows, depth], &layer.input.data);
        node.output::<i8>(&[rows, layer.output[3]]).scratch(scratch_len(&params))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(2, 37, 5, 0).with_signs().with_binary_inputs()).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(rows in 1usize..4, depth in 1usize..170, outputs in 1usize..14, seed: u64) {
            let layer = layer(rows, depth, outputs, seed).with_signs().with_binary_inputs();
            prop_assert_eq!(node(&layer).run::<i8>(), definitions::conv2d(&layer));
        }
    }
}
