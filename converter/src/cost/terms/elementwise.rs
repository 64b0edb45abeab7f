//! Operators on two tensors.

use secateur::format::Node;

use super::Terms;

/// Elements that are taken at once.
const BLOCK: usize = 64;

pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    let output = node.output(0)?;
    let outputs = output.shape.elements();
    let inputs = [node.input(0)?, node.input(1)?];
    let place = output.range();
    let in_place = inputs
        .iter()
        .any(|input| input.in_arena() && input.range().start < place.end && place.start < input.range().end);
    // Neighbouring dimensions along which an operand repeats or does not are one.
    let repeats = |dim: usize| inputs.map(|input| input.shape.extended()[dim] == 1);
    let dims = output.shape.extended();
    let mut innermost = None;
    let mut run = 1;
    for dim in (0..dims.len()).rev().filter(|&dim| dims[dim] > 1) {
        if *innermost.get_or_insert(repeats(dim)) != repeats(dim) {
            break;
        }
        run *= dims[dim];
    }
    let run = run.max(1);
    let runs = outputs / run;
    let variant = match (innermost.unwrap_or_default(), runs, in_place) {
        ([false, false], 1, false) => "",
        ([false, false], 1, true) => "in place",
        ([false, false], _, _) => "with repetition",
        _ => "with one value",
    };
    Terms::new(
        node,
        variant,
        &[
            ("runs", runs),
            ("blocks", runs * run.div_ceil(BLOCK)),
            ("fours", runs * (run / 4)),
            ("outputs", outputs),
        ],
    )
}
