//! Conv2d.

use secateur::format::{Node, Packing};
use secateur::kernels::conv2d::Params;
use secateur::kernels::conv2d_lanes;

use super::{Geometry, Terms, clamped, lane_groups, shifted, sign_blocks};

pub(super) fn terms(node: &Node<'_>) -> Option<Terms> {
    let params = node.params::<Params>()?;
    let geometry = Geometry::new(node, params.window)?;
    match node.packing()? {
        Packing::Lanes | Packing::NibbleLanes => lanes(node, params, &geometry),
        Packing::Signs => signs(node, params, &geometry),
        Packing::Xnor => xnor(node, &geometry),
        Packing::Plain | Packing::Nibbles => plain(node, params, &geometry),
        _ => None,
    }
}

/// Two pixels, one below the other, in strips as long as the scratch allows, with groups of four output channels.
fn lanes(node: &Node<'_>, params: &Params, geometry: &Geometry) -> Option<Terms> {
    let Geometry { images, input: [h, w, c], output: [out_h, out_w, out_c], window } = *geometry;
    let (kernel, width) = (geometry.kernel_height(), geometry.kernel_width());
    let pointwise = window.is_pointwise();
    let step = if width == 1 { 1 } else { usize::from(window.width.stride) };
    let column_pairs = (kernel * c).div_ceil(2);
    // Columns of two interleaved pixels that the scratch holds, and the outputs that they serve.
    let columns = node.record().scratch_len as usize / (column_pairs * 8).max(1);
    let alone = width > 1 && window.width.dilation > 1;
    let strip = if alone { 1 } else { columns.saturating_sub(width) / step.max(1) + 1 };
    let [row_pairs, odd_rows, length] = if pointwise {
        [1, images * h * w % 2, images * h * w / 2]
    } else {
        [images * (out_h / 2), images * (out_h % 2), out_w]
    };
    let strips = length.div_ceil(strip.max(1));
    let odd_length = if pointwise { 1 } else { out_w };
    let odd_strips = if pointwise { 1 } else { strips };
    let (pairs, singles) = (row_pairs * length, odd_rows * odd_length);
    let all_strips = row_pairs * strips + odd_rows * odd_strips;
    // Columns that are widened for each row of a window, all rows taken together.
    let rows_inside = if pointwise { 2 * row_pairs + odd_rows } else { images * geometry.rows_inside() };
    let row_columns = if pointwise { length } else { (out_w - strips) * step + strips * width };
    let widened = rows_inside * if pointwise && row_pairs == 0 { 1 } else { row_columns };
    let rows_outside = (geometry.output_rows() * kernel).saturating_sub(rows_inside);
    let filled = if pointwise { 0 } else { images * geometry.partial_row_pairs() * row_columns };
    let (narrow, wide) = if c < 4 { (widened, 0) } else { (0, widened) };
    let [groups, fours, twos] = lane_groups(node, out_c, conv2d_lanes::GROUP);
    let (groups, calls) = (groups + fours, usize::from(groups > 0) + fours + twos);
    let patch = conv2d_lanes::patch_len(&window, c) / 2;
    let outputs = geometry.outputs();
    let variant = match c {
        1 => "of one channel",
        3 => "of three channels",
        _ if c % 4 != 0 => "of odd channels",
        _ if pointwise => "of pixels",
        _ => "",
    };
    Terms::new(
        node,
        variant,
        &[
            ("row pairs", row_pairs + odd_rows),
            ("strips", all_strips),
            ("strip calls", all_strips * calls),
            ("strip rows", rows_inside * strips),
            ("narrow columns", narrow),
            ("wide columns", wide),
            ("widened values", widened * c),
            ("padded columns", rows_outside * row_columns),
            ("filled columns", filled),
            ("filled pairs", filled * column_pairs),
            ("fours of pairs", pairs * groups),
            ("products of fours of pairs", pairs * groups * patch),
            ("twos of pairs", pairs * twos),
            ("products of twos of pairs", pairs * twos * patch),
            ("fours of singles", singles * groups),
            ("products of fours of singles", singles * groups * patch),
            ("twos of singles", singles * twos),
            ("products of twos of singles", singles * twos * patch),
            ("clamped outputs", clamped(&params.stage, outputs)),
            ("shifted outputs", shifted(&params.stage, outputs)),
        ],
    )
}

/// Pixel by pixel, four output channels at once; patches are gathered row by row unless the window is a pixel.
fn plain(node: &Node<'_>, params: &Params, geometry: &Geometry) -> Option<Terms> {
    let groups = (params.groups as usize).max(1);
    let (pixels, channels) = (geometry.pixels() * groups, geometry.output[2] / groups);
    let patch = geometry.kernel_height() * geometry.kernel_width() * (geometry.input[2] / groups);
    let pointwise = params.window.is_pointwise() && groups == 1;
    let inside = geometry.images * groups * geometry.rows_inside() * geometry.columns_inside();
    let outputs = geometry.outputs();
    Terms::new(
        node,
        if pointwise { "of pixels" } else { "" },
        &[
            ("rows", geometry.output_rows()),
            ("pixels", pixels),
            ("patch rows", pixels * geometry.kernel_height()),
            ("patch positions", pixels * geometry.kernel_height() * geometry.kernel_width()),
            ("positions inside", inside),
            ("patch values", pixels * patch),
            ("fours", pixels * (channels / 4)),
            ("products of fours", pixels * (channels / 4) * patch),
            ("ones", pixels * (channels % 4)),
            ("products of ones", pixels * (channels % 4) * patch),
            ("outputs", outputs),
        ],
    )
}

/// Blocks of pixels; for each pair of channels the bits are expanded once per block.
fn signs(node: &Node<'_>, params: &Params, geometry: &Geometry) -> Option<Terms> {
    let pointwise = params.window.is_pointwise();
    let inputs = geometry.kernel_height() * geometry.kernel_width() * geometry.input[2];
    let mut words = node.record().scratch_len as usize / 4;
    if !pointwise {
        words = words.saturating_sub(inputs.div_ceil(4));
    }
    let blocks = sign_blocks(geometry.pixels(), inputs, geometry.output[2], words);
    let gathered = if pointwise { 0 } else { geometry.pixels() };
    let counts = blocks.into_iter().chain([
        ("patch rows", gathered * geometry.kernel_height()),
        ("patch positions", gathered * geometry.kernel_height() * geometry.kernel_width()),
        ("patch values", gathered * inputs),
        ("clamped outputs", clamped(&params.stage, geometry.outputs())),
    ]);
    Terms::new(node, if pointwise { "of pixels" } else { "" }, &counts.collect::<Vec<_>>())
}

/// Pixel by pixel: a patch, its bits, then every channel.
fn xnor(node: &Node<'_>, geometry: &Geometry) -> Option<Terms> {
    let (pixels, channels) = (geometry.pixels(), geometry.output[2]);
    let positions = pixels * geometry.kernel_height() * geometry.kernel_width();
    let patch = geometry.kernel_height() * geometry.kernel_width() * geometry.input[2];
    Terms::new(
        node,
        "",
        &[
            ("rows", geometry.output_rows()),
            ("pixels", pixels),
            ("patch rows", pixels * geometry.kernel_height()),
            ("patch positions", positions),
            ("patch values", pixels * patch),
            ("products", geometry.outputs() * (patch / 32)),
            ("rests", if patch.is_multiple_of(32) { 0 } else { pixels * channels }),
            ("outputs", geometry.outputs()),
        ],
    )
}
