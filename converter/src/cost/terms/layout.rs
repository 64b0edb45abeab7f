//! Operators that move values, and reductions.

use secateur::format::{Node, OpCode, Shape};
use secateur::kernels::{concatenation, mean};

use super::Terms;

/// Concatenation, Pad, StridedSlice, Copy, Transpose: pieces of neighbouring values.
pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    let (input, output) = (&node.input(0)?.shape, &node.output(0)?.shape);
    let pieces = match node.op()? {
        OpCode::Concatenation => {
            let axis = node.params::<concatenation::Params>()?.axis as usize;
            output.dims().iter().take(axis).map(|&dim| dim as usize).product::<usize>() * node.inputs().len()
        }
        OpCode::Transpose => output.rows().0,
        _ => pieces(input, output),
    };
    let innermost = input.dims().last().copied().unwrap_or(1) as usize;
    Terms::new(
        node,
        "",
        &[
            ("pieces", pieces),
            ("input rows", input.elements() / innermost.max(1)),
            ("inputs", input.elements()),
            ("outputs", output.elements()),
        ],
    )
}

/// Pieces of the smaller tensor that lie whole in the larger one.
fn pieces(input: &Shape, output: &Shape) -> usize {
    let small = if input.elements() < output.elements() { input } else { output };
    let mut run = 1;
    for (&a, &b) in input.dims().iter().zip(output.dims()).rev() {
        run *= a.min(b) as usize;
        if a != b {
            break;
        }
    }
    small.elements() / run.max(1)
}

/// Mean over the innermost dimensions, or over outer ones, which sums up blocks of channels.
pub(super) fn mean_terms(node: &Node<'_>) -> Option<Terms> {
    /// Channels whose sums a kernel keeps.
    const BLOCK: usize = 32;
    let params = node.params::<mean::Params>()?;
    let (input, output) = (&node.input(0)?.shape, &node.output(0)?.shape);
    let (inputs, outputs) = (input.elements(), output.elements());
    let averaged = |dim: usize| params.dims >> dim & 1 != 0;
    let dims = (0..input.rank()).rev().filter(|&dim| input.dims()[dim] > 1);
    let kept = dims.take_while(|&dim| !averaged(dim));
    let inner = kept.map(|dim| input.dims()[dim] as usize).product::<usize>().max(1);
    if inner == 1 {
        return Terms::new(node, "of runs", &[("inputs", inputs), ("outputs", outputs)]);
    }
    let (outer, positions) = (outputs / inner, inputs / outputs.max(1));
    let blocks = outer * inner.div_ceil(BLOCK);
    let (fours, rests) = (outer * (inner / 4), outer * usize::from(inner % 4 > 0));
    Terms::new(
        node,
        "",
        &[
            ("blocks", blocks),
            ("position blocks", blocks * positions),
            ("fours of blocks", fours),
            ("fours", fours * positions),
            ("rests", rests * positions),
            ("rest values", outer * (inner % 4) * positions),
            ("inputs", inputs),
            ("outputs", outputs),
        ],
    )
}
