//! FullyConnected.

use secateur::format::{Node, Packing};
use secateur::kernels::dynamic_fully_connected;
use secateur::kernels::fully_connected::Params;

use super::{Terms, clamped, lane_groups, shifted, sign_blocks};

pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<Params>()?;
    let (rows, outputs) = node.output(0)?.shape.rows();
    let depth = params.depth as usize;
    let pairs = depth.div_ceil(2);
    match node.packing()? {
        Packing::Lanes | Packing::NibbleLanes => {
            let [eights, fours, twos] = lane_groups(node, outputs, 8);
            let calls = usize::from(eights > 0) + fours + twos;
            Terms::new(
                node,
                "",
                &[
                    ("rows", rows),
                    ("widened pairs", rows * pairs),
                    ("calls", rows * calls),
                    ("eights", rows * eights),
                    ("products of eights", rows * eights * pairs),
                    ("fours", rows * fours),
                    ("products of fours", rows * fours * pairs),
                    ("twos", rows * twos),
                    ("products of twos", rows * twos * pairs),
                    ("clamped outputs", clamped(&params.stage, rows * outputs)),
                    ("shifted outputs", shifted(&params.stage, rows * outputs)),
                ],
            )
        }
        Packing::Plain | Packing::Nibbles => Terms::new(
            node,
            "",
            &[
                ("rows", rows),
                ("fours", rows * (outputs / 4)),
                ("products of fours", rows * (outputs / 4) * depth),
                ("ones", rows * (outputs % 4)),
                ("products of ones", rows * (outputs % 4) * depth),
                ("outputs", rows * outputs),
            ],
        ),
        Packing::Signs => {
            let words = node.record().scratch_len as usize / 4;
            let mut counts = sign_blocks(rows, depth, outputs, words).to_vec();
            counts.push(("clamped outputs", clamped(&params.stage, rows * outputs)));
            Terms::new(node, "", &counts)
        }
        Packing::Xnor => Terms::new(
            node,
            "",
            &[
                ("rows", rows),
                ("inputs", rows * depth),
                ("products", rows * outputs * (depth / 32)),
                ("rests", if depth.is_multiple_of(32) { 0 } else { rows * outputs }),
                ("outputs", rows * outputs),
            ],
        ),
        _ => None,
    }
}

/// Real numbers: the range of all inputs, then row by row.
pub(super) fn dynamic_terms(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<dynamic_fully_connected::Params>()?;
    let (rows, outputs) = node.output(0)?.shape.rows();
    let depth = params.depth as usize;
    Terms::new(
        node,
        "",
        &[
            ("rows", rows),
            ("inputs", rows * depth),
            ("fours", rows * (outputs / 4)),
            ("products of fours", rows * (outputs / 4) * depth),
            ("ones", rows * (outputs % 4)),
            ("products of ones", rows * (outputs % 4) * depth),
            ("outputs", rows * outputs),
        ],
    )
}
