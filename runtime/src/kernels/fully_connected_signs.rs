//! Fully connected layer, weights of -1 and +1 as signs ([`crate::packing::signs`]): a bit per weight.
//!
//! Parameters, layouts of input and output and the arithmetic are [`fully_connected`](super::fully_connected)'s.

use crate::format::{Node, OpCode, Packing};
use crate::isa::{Active, Isa};
use crate::kernels::call::whole;
use crate::kernels::fully_connected::{Params, check_operands};
use crate::kernels::sign_layer::{SignLayer, block_words};
use crate::kernels::{Call, NodeError, Operator, Unary};

/// Bytes of scratch for blocks of so many rows, at least 1.
pub fn scratch_len(params: &Params, rows: usize) -> usize {
    block_words(params.depth as usize, rows).saturating_mul(size_of::<u32>())
}

/// Entry for a kernel set.
pub static OPERATOR: Operator =
    Operator { code: OpCode::FullyConnected, packing: Packing::Signs, check, run };

fn check(node: &Node<'_>) -> Result<u64, NodeError> {
    let [rows, outputs] = check_operands(node, |params| scratch_len(params, 1))?;
    let params = node.params::<Params>().ok_or(NodeError::Params)?;
    layer(node, params, outputs).ok_or(NodeError::Constants)?;
    Ok(rows as u64 * outputs as u64 * u64::from(params.depth))
}

fn layer<'m>(node: &Node<'m>, params: &'m Params, outputs: usize) -> Option<SignLayer<'m>> {
    let sizes = [outputs, params.depth as usize];
    SignLayer::new(node, [params.weights, params.channels], &params.stage, sizes)
}

fn run(call: &mut Call<'_, '_>) {
    let node = call.node;
    let Some(params) = node.params::<Params>() else { return };
    let Some(Unary { input, output, scratch }) = call.unary::<i8, i8>() else { return };
    let (depth, (rows, outputs)) = (params.depth as usize, output.shape.rows());
    let Some(layer) = layer(node, params, outputs) else { return };
    let Some(scratch) = whole::<u32>(scratch) else { return };
    let lay_out = |row: usize, step: usize, words: &mut [u32]| {
        let row = input.data.get(row * depth..(row + 1) * depth).unwrap_or_default();
        Active::lay_out_signs(row, step, words);
    };
    layer.run::<Active>(rows, lay_out, scratch, output.data);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::fully_connected::tests::layer;
    use crate::kernels::sign_layer::tests::constants;
    use crate::kernels::testing::{Layer, OneNode, definitions};

    fn node(layer: &Layer, block: usize) -> OneNode {
        let mut node = OneNode::new(OpCode::FullyConnected).packing(Packing::Signs);
        let [_, _, rows, depth] = layer.input.shape;
        let [weights, channels] = constants(&mut node, layer);
        let params = Params { weights, channels, depth: depth as u32, stage: layer.stage };
        let node = node.params(&params).input(&[rows, depth], &layer.input.data);
        node.output::<i8>(&[rows, layer.output[3]]).scratch(scratch_len(&params, block))
    }

    #[test]
    fn mutants_stay_within_bounds() {
        node(&layer(5, 7, 11, 0).with_signs(), 4).assert_mutants_stay_within_bounds();
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            rows in 1usize..12,
            depth in 1usize..70,
            outputs in 1usize..10,
            block in 1usize..12,
            seed: u64,
        ) {
            let layer = layer(rows, depth, outputs, seed).with_signs();
            prop_assert_eq!(node(&layer, block).run::<i8>(), definitions::conv2d(&layer));
        }
    }

    #[test]
    fn short_scratch_is_refused() {
        let layer = layer(1, 5, 2, 0).with_signs();
        assert_eq!(node(&layer, 1).check(), Ok(10));
        assert_eq!(node(&layer, 1).scratch(23).check(), Err(NodeError::Scratch));
    }
}
