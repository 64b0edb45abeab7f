//! What the cost of a node is made of: counts that follow from shapes, window and packing.
//!
//! Nodes whose costs are sums of the same terms form a class. A term that does not matter gets the coefficient 0 in the
//! fit, so there may be more of them than a kernel's present form needs.

mod convolution;
mod depthwise;
mod elementwise;
mod fully_connected;
mod geometry;
mod layout;
mod pool;

use secateur::format::{Node, OpCode, Packing};
use secateur::packing::signs;
use secateur::quant::OutputStage;

use geometry::Geometry;

/// The terms of one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Class: operator, packing, variant.
    pub class: String,
    /// Name and count of each term.
    pub values: Vec<(&'static str, f64)>,
}

impl Terms {
    /// Terms of a class, each count with its name. Every class has a term `once`.
    fn new(node: &Node<'_>, variant: &str, counts: &[(&'static str, usize)]) -> Option<Self> {
        let mut class = node.op()?.name().to_owned();
        for part in [node.packing()?.name(), variant] {
            if !part.is_empty() {
                class = format!("{class} {}", part.to_ascii_lowercase());
            }
        }
        let counts = counts.iter().map(|&(name, count)| (name, count as f64));
        Some(Self { class, values: [("once", 1.0)].into_iter().chain(counts).collect() })
    }
}

/// The terms of a node that `check` accepts; `None` for an operator whose cost nothing is known of.
pub fn of(node: &Node<'_>) -> Option<Terms> {
    match node.op()? {
        OpCode::Conv2d => convolution::terms(node),
        OpCode::DepthwiseConv2d => depthwise::terms(node),
        OpCode::FullyConnected => fully_connected::terms(node),
        OpCode::DynamicFullyConnected => fully_connected::dynamic_terms(node),
        OpCode::AveragePool2d | OpCode::MaxPool2d => pool::terms(node),
        OpCode::Add | OpCode::Sub | OpCode::Mul | OpCode::Maximum | OpCode::Minimum => {
            elementwise::terms(node)
        }
        OpCode::Mean => layout::mean_terms(node),
        OpCode::Concatenation | OpCode::Pad | OpCode::StridedSlice | OpCode::Copy | OpCode::Transpose => {
            layout::terms(node)
        }
        OpCode::TransposeConv2d => None,
        _ => rows(node),
    }
}

/// An operator that takes its output, or its input where that is larger, row by row.
fn rows(node: &Node<'_>) -> Option<Terms> {
    let (input, output) = (&node.input(0)?.shape, &node.output(0)?.shape);
    let (output_rows, _) = output.rows();
    let (input_rows, _) = input.rows();
    let inputs = input.elements();
    Terms::new(
        node,
        "",
        &[
            ("operands", node.inputs().len()),
            ("inputs", inputs),
            ("input rows", input_rows),
            ("outputs", output.elements()),
            ("output rows", output_rows),
        ],
    )
}

/// Groups that lanes are taken in: whole ones of the largest size, then of 4 and of 2 channels.
fn lane_groups(node: &Node<'_>, channels: usize, largest: usize) -> [usize; 3] {
    let rest = channels % largest;
    if node.packing() == Some(Packing::NibbleLanes) {
        return [channels / largest, rest.div_ceil(4), 0];
    }
    let fours = rest / 4 + usize::from(rest % 4 == 3);
    let twos = usize::from(matches!(rest % 4, 1 | 2));
    [channels / largest, fours, twos]
}

/// Terms of a layer on signs: blocks of pixels as large as so many words of scratch hold, pairs of channels in each.
fn sign_blocks(pixels: usize, inputs: usize, channels: usize, words: usize) -> [(&'static str, usize); 9] {
    let quads = signs::quads(inputs);
    let most = (words / quads.max(1)).saturating_sub(2).max(1);
    let most = if most < 4 { most } else { most / 4 * 4 };
    let blocks = pixels.div_ceil(most);
    let whole = pixels / most;
    let last = pixels % most;
    let (fours, ones) = (whole * (most / 4) + last / 4, whole * (most % 4) + last % 4);
    let pairs = channels.div_ceil(2);
    [
        ("blocks", blocks),
        ("pixels", pixels),
        ("laid out words", pixels * quads),
        ("pairs", blocks * pairs),
        ("masks", blocks * pairs * 2 * quads),
        ("pairs of fours", pairs * fours),
        ("products of fours", pairs * fours * quads),
        ("pairs of singles", pairs * ones),
        ("products of singles", pairs * ones * quads),
    ]
}

/// Outputs that are clamped by a step of their own.
fn clamped(stage: &OutputStage, outputs: usize) -> usize {
    if (stage.min, stage.max) == (i8::MIN, i8::MAX) { 0 } else { outputs }
}

/// Outputs whose clamp at -128 is not the end of a zero point of -128: those take an instruction more.
fn shifted(stage: &OutputStage, outputs: usize) -> usize {
    if stage.zero_point == i8::MIN { 0 } else { outputs }
}
