//! AveragePool2d, MaxPool2d.

use secateur::format::Node;
use secateur::kernels::pool2d::Params;

use super::{Geometry, Terms};

/// Channels whose sums a kernel keeps.
const BLOCK: usize = 32;

pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<Params>()?;
    let geometry = Geometry::new(node, params.window)?;
    let channels = geometry.output[2];
    let inside = geometry.images * geometry.rows_inside() * geometry.columns_inside();
    let pixels = geometry.pixels();
    // Rows of a window that lie apart: those that reach from edge to edge are one.
    let (width, [rows, columns, _]) = (geometry.input[1], geometry.output);
    let whole = (0..columns).filter(|&x| params.window.width.overlap(x, width).len() == width).count();
    let runs = geometry.images * (whole * rows + (columns - whole) * geometry.rows_inside());
    let (fours, rests) = (channels / 4, usize::from(channels % 4 > 0));
    Terms::new(
        node,
        "",
        &[
            ("rows", geometry.output_rows()),
            ("pixels", pixels),
            ("blocks", pixels * channels.div_ceil(BLOCK)),
            ("runs", runs * channels.div_ceil(BLOCK)),
            ("fours of runs", runs * fours),
            ("rests of runs", runs * rests),
            ("position blocks", inside * channels.div_ceil(BLOCK)),
            ("fours", inside * fours),
            ("rests", inside * rests),
            ("rest values", inside * (channels % 4)),
            ("values", inside * channels),
            ("outputs", pixels * channels),
        ],
    )
}
