//! DepthwiseConv2d.

use secateur::format::{Node, Packing};
use secateur::kernels::{
    depthwise_conv2d, depthwise_conv2d_row_pairs as row_pairs, depthwise_conv2d_tap_pairs as tap_pairs,
};

use super::{Geometry, Terms, clamped, shifted};

/// Channels that are laid out together.
const LANES: usize = 4;
/// Channels whose sums the plain kernel keeps.
const BLOCK: usize = 32;

pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    match node.packing()? {
        Packing::RowPairs | Packing::NibbleRowPairs => on_row_pairs(node),
        Packing::TapPairs | Packing::NibbleTapPairs => on_tap_pairs(node),
        Packing::Plain | Packing::Nibbles => plain(node),
        _ => None,
    }
}

/// Bands of rows of four channels are laid out, then each channel runs over its band.
fn on_row_pairs(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<row_pairs::Params>()?;
    let geometry = Geometry::new(node, params.window)?;
    let Geometry { images, input: [_, w, c], output: [out_h, out_w, _], window } = geometry;
    let band = (params.band as usize).max(1);
    let quads = images * c.div_ceil(LANES);
    let bands = out_h.div_ceil(band);
    let stride = usize::from(window.height.stride);
    let rows_of = |rows: usize| if stride == 1 { rows.div_ceil(2) } else { rows };
    // Row pairs of one channel: those that are computed, those that are laid out.
    let computed: usize = (0..bands).map(|i| rows_of(band.min(out_h - i * band))).sum();
    let laid_out = bands * (rows_of(band.min(out_h)) + 1);
    let row_words = (out_w.saturating_sub(1) * stride + 3).max(w + usize::from(window.width.pad));
    let channels = images * c;
    let outputs = geometry.outputs();
    // Quads that the scratch holds go together.
    let quad_bytes = (rows_of(band.min(out_h)) + 1) * row_words * LANES * size_of::<u32>();
    let expanded =
        if node.packing() == Some(Packing::NibbleRowPairs) { row_pairs::expanded_len(c) } else { 0 };
    let layout_bytes = (node.record().scratch_len as usize).saturating_sub(expanded);
    let together = (layout_bytes / quad_bytes.max(1)).max(1);
    let layouts = images * c.div_ceil(LANES).div_ceil(together);
    let (filled, rest) = (images * (c / LANES), images * (c % LANES));
    Terms::new(
        node,
        if stride == 1 { "at stride 1" } else { "at stride 2" },
        &[
            ("scratch words", layout_bytes / 4),
            ("expanded channels", if expanded > 0 { c } else { 0 }),
            ("layouts", layouts * bands),
            ("rows of layouts", layouts * laid_out),
            ("quads", quads),
            ("bands of quads", quads * bands),
            ("rows of quads", quads * laid_out),
            ("values of quads", filled * laid_out * w),
            ("values of rests", rest * laid_out * w),
            ("padding of quads", quads * laid_out * (row_words - w.min(row_words))),
            ("bands of channels", channels * bands),
            ("rows of channels", channels * computed),
            ("steps", channels * computed * out_w),
            ("outputs", outputs),
            ("clamped outputs", clamped(&params.stage, outputs)),
            ("shifted outputs", shifted(&params.stage, outputs)),
        ],
    )
}

/// Tiles of the output: their input is laid out for some channels, then each channel runs over it, four rows at once.
fn on_tap_pairs(node: &Node<'_>) -> Option<Terms> {
    /// Output rows at once.
    const ROWS: usize = 4;
    let params = node.params::<tap_pairs::Params>()?;
    let geometry = Geometry::new(node, params.window)?;
    let Geometry { images, input: [_, _, c], output: [out_h, out_w, out_c], window } = geometry;
    let layout = tap_pairs::Layout::new(params, c, [out_h, out_w])?;
    let tiles = images * layout.tiles([out_h, out_w]);
    let laid_out = tiles * c.div_ceil(layout.lanes.max(1));
    let columns = laid_out * layout.inputs;
    let quads = layout.lanes.div_ceil(LANES);
    // Output rows of a phase, in bands; each band in blocks.
    let dilation = usize::from(window.height.dilation);
    let rows = out_h.div_ceil(dilation);
    let (whole, rest) = (rows / layout.rows.max(1), rows % layout.rows.max(1));
    let blocks = dilation * (whole * layout.rows.div_ceil(ROWS) + rest.div_ceil(ROWS));
    let blocks = images * blocks * out_w * out_c;
    let outputs = geometry.outputs();
    let stride = if window.height.stride == 1 { "at stride 1" } else { "at stride 2" };
    let sharing = if c == out_c { "" } else { ", with a multiplier" };
    let lanes = if layout.lanes == 1 { ", channel by channel" } else { "" };
    let nibbles = node.packing() == Some(Packing::NibbleTapPairs);
    Terms::new(
        node,
        &format!("{stride}{sharing}{lanes}"),
        &[
            ("expanded words", if nibbles { layout.kernel.words() * out_c } else { 0 }),
            ("tiles", tiles),
            ("layouts", laid_out),
            ("columns laid out", columns * quads),
            ("pairs laid out", columns * quads * layout.pairs),
            ("channels of tiles", tiles * out_c),
            ("columns of tiles", tiles * out_c * layout.columns),
            ("blocks", blocks),
            ("kernel columns", blocks * layout.kernel.count),
            ("products", blocks * layout.kernel.words()),
            ("outputs", outputs),
            ("clamped outputs", clamped(&params.stage, outputs)),
            ("shifted outputs", shifted(&params.stage, outputs)),
        ],
    )
}

/// Position by position under the window, blocks of channels at once.
fn plain(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<depthwise_conv2d::Params>()?;
    let geometry = Geometry::new(node, params.window)?;
    let [_, _, out_c] = geometry.output;
    let repeats = out_c != geometry.input[2];
    let pixels = geometry.pixels();
    let taps = geometry.kernel_height() * geometry.kernel_width();
    let blocks = out_c.div_ceil(BLOCK);
    let inside = geometry.images * geometry.rows_inside() * geometry.columns_inside();
    Terms::new(
        node,
        if repeats { "with a multiplier" } else { "" },
        &[
            ("expanded weights", if node.packing() == Some(Packing::Nibbles) { taps * out_c } else { 0 }),
            ("rows", geometry.output_rows()),
            ("pixels", pixels),
            ("blocks", pixels * blocks),
            ("kernel rows", pixels * blocks * geometry.kernel_height()),
            ("taps", pixels * blocks * taps),
            ("taps inside", inside * blocks),
            ("repeated values", if repeats { inside * geometry.input[2] } else { 0 }),
            ("products", pixels * taps * out_c),
            ("rest products", pixels * taps * (out_c % 4)),
            ("products inside", inside * out_c),
            ("outputs", geometry.outputs()),
        ],
    )
}
