//! Maxima and averages over windows of images and, as images of height 1, of sequences.

use super::super::layer::Layer;
use super::super::network::ValueId;
use super::convolution::{for_rank, image_size, symmetric};
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::{Activation, Pool2d, Reduce};
use crate::ir::{Hw, Op, Padding, Shape};

const RANKS: &str = "4 (batch, channels, height, width) or 3 (batch, channels, length)";

pub(super) fn max_pool(layer: &mut Layer<'_>) -> Option<ValueId> {
    if layer.attributes.integers("dilation").unwrap_or_default().iter().any(|&dilation| dilation != 1) {
        let advice = "only 1 is, in a pool";
        let value = "more than 1".into();
        return layer.fail(ArchitectureFault::Unsupported { attribute: "dilation", value, advice });
    }
    let (input, rank, windows) = windows(layer)?;
    apply(layer, input, rank, Op::MaxPool2d(windows.pool(false)))
}

pub(super) fn avg_pool(layer: &mut Layer<'_>) -> Option<ValueId> {
    let (input, rank, windows) = windows(layer)?;
    let count =
        layer.attributes.flag("count_include_pad").unwrap_or(true) && windows.declared != Hw::square(0);
    if let Some(divisor) = layer.attributes.count("divisor_override") {
        let (value, advice) = (divisor.to_string(), "multiply the result by a number instead");
        return layer.fail(ArchitectureFault::Unsupported { attribute: "divisor_override", value, advice });
    }
    let overhangs =
        windows.padding.bottom > windows.declared.height || windows.padding.right > windows.declared.width;
    if count && overhangs {
        // What a window reaches beyond the padding is not counted in PyTorch, what it covers of the padding is.
        let advice = "together with count_include_pad where the last window overhangs; set either to false";
        return layer.fail(ArchitectureFault::Unsupported {
            attribute: "ceil_mode",
            value: "true".into(),
            advice,
        });
    }
    apply(layer, input, rank, Op::AveragePool2d(windows.pool(count)))
}

fn apply(layer: &mut Layer<'_>, input: ValueId, rank: usize, op: Op) -> Option<ValueId> {
    let tensor = layer.channels_last(input)?;
    let result = layer.node(op, &[Some(tensor)])?;
    Some(layer.network.channels_last_value(result, rank))
}

struct Windows {
    filter: Hw,
    stride: Hw,
    /// The padding of each side that the layer declares.
    declared: Hw,
    /// The padding that windows reach into.
    padding: Padding,
}

impl Windows {
    fn pool(&self, count_padding: bool) -> Pool2d {
        let Windows { filter, stride, padding, .. } = *self;
        Pool2d { filter, stride, padding, count_padding, activation: Activation::None }
    }
}

/// The input, its rank and its windows.
fn windows(layer: &mut Layer<'_>) -> Option<(ValueId, usize, Windows)> {
    let (input, shape) = layer.input_of_rank(&[3, 4], RANKS)?;
    let rank = shape.rank();
    let Some(filter) = layer.attributes.size("kernel_size") else {
        let expected = "the window, such as 2 or [2, 2],";
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "kernel_size", expected });
    };
    let filter = for_rank(filter, rank, 1);
    let stride = layer.attributes.size("stride").map_or(filter, |stride| for_rank(stride, rank, 1));
    let declared = for_rank(layer.attributes.size("padding").unwrap_or(Hw::square(0)), rank, 0);
    let mut padding = symmetric(declared);
    if layer.attributes.flag("ceil_mode").unwrap_or(false) {
        let size = image_size(&shape);
        padding.bottom = end_padding(size.height, filter.height, stride.height, declared.height);
        padding.right = end_padding(size.width, filter.width, stride.width, declared.width);
    }
    Some((input, rank, Windows { filter, stride, declared, padding }))
}

/// The padding at the end that lets the last window in that `ceil_mode` adds: one that begins within the input or the
/// padding before it.
fn end_padding(size: usize, filter: usize, stride: usize, padding: usize) -> usize {
    let Some(covered) = (size + 2 * padding).checked_sub(filter).filter(|_| stride > 0) else {
        return padding;
    };
    let mut last = covered.div_ceil(stride) * stride;
    if last >= size + padding {
        last -= stride;
    }
    (last + filter).saturating_sub(size + padding).max(padding)
}

pub(super) fn adaptive_avg_pool(layer: &mut Layer<'_>) -> Option<ValueId> {
    adaptive(layer, Op::Mean, Op::AveragePool2d)
}

pub(super) fn adaptive_max_pool(layer: &mut Layer<'_>) -> Option<ValueId> {
    adaptive(layer, Op::ReduceMax, Op::MaxPool2d)
}

/// Windows such that the output has the given size: all of the input for 1, else equal parts.
fn adaptive(layer: &mut Layer<'_>, whole: fn(Reduce) -> Op, parts: fn(Pool2d) -> Op) -> Option<ValueId> {
    let (input, shape) = layer.input_of_rank(&[3, 4], RANKS)?;
    let rank = shape.rank();
    let Some(output) = layer.attributes.size("output_size") else {
        let expected = "the output's size, such as 1,";
        return layer.fail(ArchitectureFault::MissingAttribute { attribute: "output_size", expected });
    };
    let (output, size) = (for_rank(output, rank, 1), image_size(&shape));
    if output == Hw::square(1) {
        return apply(layer, input, rank, whole(Reduce { axes: vec![1, 2], keep_dims: true }));
    }
    if output.height == 0
        || output.width == 0
        || size.height % output.height != 0
        || size.width % output.width != 0
    {
        return not_equal_parts(layer, output, &shape);
    }
    let filter = Hw::new(size.height / output.height, size.width / output.width);
    let windows = Windows { filter, stride: filter, declared: Hw::square(0), padding: Padding::NONE };
    apply(layer, input, rank, parts(windows.pool(false)))
}

fn not_equal_parts(layer: &mut Layer<'_>, output: Hw, shape: &Shape) -> Option<ValueId> {
    let expected = format!("1, or sizes that divide those of the input {shape},");
    layer.fail(ArchitectureFault::Attribute { attribute: "output_size", value: output.to_string(), expected })
}

#[cfg(test)]
mod tests {
    use super::end_padding;

    #[test]
    fn the_last_window_of_ceil_mode_begins_within_the_input() {
        assert_eq!(end_padding(5, 2, 2, 0), 1);
        assert_eq!(end_padding(4, 2, 2, 0), 0);
        // A window at 4 would begin in the padding after the input.
        assert_eq!(end_padding(3, 2, 2, 1), 1);
        assert_eq!(end_padding(1, 1, 3, 0), 0);
        assert_eq!(end_padding(2, 9, 1, 0), 0);
        assert_eq!(end_padding(5, 2, 0, 0), 0);
    }
}
