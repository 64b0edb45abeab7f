//! Convolutions over images and, as images of height 1, over sequences.

use super::super::layer::Layer;
use super::super::network::{Form, ValueId};
use super::linear::channels;
use crate::import::torch::Weight;
use crate::import::torch::architecture::ArchitectureFault;
use crate::ir::attributes::{Activation, Conv2d, DepthwiseConv2d, TransposeConv2d};
use crate::ir::{Hw, Op, Padding, Shape};

const RANKS: &str = "4 (batch, channels, height, width) or 3 (batch, channels, length)";

/// Height and width of a size given for an input of a rank: sequences have no height.
pub(super) fn for_rank(size: Hw, rank: usize, without: usize) -> Hw {
    if rank == 3 { Hw::new(without, size.width) } else { size }
}

/// The taps of a filter of shape `[_, _, height, width]` or `[_, _, length]`.
fn kernel(layer: &mut Layer<'_>, weight: &Weight, rank: usize) -> Option<Hw> {
    match *weight.shape {
        [_, _, height, width] if rank == 4 => Some(Hw::new(height, width)),
        [_, _, length] if rank == 3 => Some(Hw::new(1, length)),
        _ => {
            let (name, shape) = (weight.name.clone(), weight.shape.clone());
            let expected = format!("{rank} dimensions, as the input has,");
            layer.fail(ArchitectureFault::Weight { name, shape, expected })
        }
    }
}

/// A filter whose leading axis is the output channel (`false`: the second axis is), with its channels last.
fn channels_last(weight: &Weight, kernel: Hw, outputs_first: bool) -> Form {
    let rank = weight.shape.rank();
    let (outputs, inputs) = if outputs_first { (0, 1) } else { (1, 0) };
    let permutation = [outputs].into_iter().chain(2..rank).chain([inputs]).collect();
    let to = vec![weight.shape[outputs], kernel.height, kernel.width, weight.shape[inputs]];
    Form::Permuted { from: weight.shape.to_vec(), permutation, to }
}

/// `weight` is `[out, in / groups, height, width]`, or `[out, in / groups, length]`.
pub(super) fn conv(layer: &mut Layer<'_>) -> Option<ValueId> {
    let (input, shape) = layer.input_of_rank(&[3, 4], RANKS)?;
    let rank = shape.rank();
    let weight = layer.weight("weight")?;
    let taps = kernel(layer, weight, rank)?;
    let (outputs, depth) = (weight.shape[0], weight.shape[1]);
    let stride = for_rank(layer.attributes.size("stride").unwrap_or(Hw::square(1)), rank, 1);
    let dilation = for_rank(layer.attributes.size("dilation").unwrap_or(Hw::square(1)), rank, 1);
    let padding = padding(layer, taps, stride, dilation, rank)?;
    let groups = layer.attributes.count("groups").unwrap_or(1);
    no_padding_mode(layer)?;
    layer.agree("out_channels", outputs, weight)?;
    layer.agree("in_channels", depth.saturating_mul(groups), weight)?;
    layer.agree_on_kernel(&weight.shape[2..], weight)?;
    let bias = layer.bias(outputs)?;
    let has = channels(&shape);
    if depth.checked_mul(groups) != Some(has) || !outputs.is_multiple_of(groups) {
        let advice = match has.is_multiple_of(depth) && outputs.is_multiple_of(has / depth) && has != depth {
            true => format!("; groups = {}?", has / depth),
            false => String::new(),
        };
        let (name, takes) = (weight.name.clone(), depth.saturating_mul(groups));
        let (shape, input) = (weight.shape.clone(), shape);
        return layer.fail(ArchitectureFault::Channels { name, shape, takes, groups, has, input, advice });
    }
    let activation = Activation::None;
    let (op, form) = if depth == 1 && groups > 1 {
        let permutation = [1].into_iter().chain(2..rank).chain([0]).collect();
        let to = vec![1, taps.height, taps.width, outputs];
        let multiplier = outputs / groups;
        let op = Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation });
        (op, Form::Permuted { from: weight.shape.to_vec(), permutation, to })
    } else {
        let op = Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        (op, channels_last(weight, taps, true))
    };
    let filter = layer.network.weight(weight, form);
    let tensor = layer.channels_last(input)?;
    let result = layer.node(op, &[Some(tensor), Some(filter), bias])?;
    Some(layer.network.channels_last_value(result, rank))
}

/// `weight` is `[in, out, height, width]`, or `[in, out, length]`.
pub(super) fn conv_transpose(layer: &mut Layer<'_>) -> Option<ValueId> {
    let (input, shape) = layer.input_of_rank(&[3, 4], RANKS)?;
    let rank = shape.rank();
    let weight = layer.weight("weight")?;
    let taps = kernel(layer, weight, rank)?;
    let (inputs, outputs) = (weight.shape[0], weight.shape[1]);
    let stride = for_rank(layer.attributes.size("stride").unwrap_or(Hw::square(1)), rank, 1);
    let padding = for_rank(layer.attributes.size("padding").unwrap_or(Hw::square(0)), rank, 0);
    let extra = for_rank(layer.attributes.size("output_padding").unwrap_or(Hw::square(0)), rank, 0);
    for (attribute, neutral) in [("dilation", 1), ("groups", 1)] {
        let value = layer.attributes.integers(attribute).unwrap_or_default();
        if value.iter().any(|&value| value != neutral) {
            let (value, advice) = (format!("{value:?}"), "only 1 is, in a transposed convolution");
            return layer.fail(ArchitectureFault::Unsupported { attribute, value, advice });
        }
    }
    no_padding_mode(layer)?;
    layer.agree("in_channels", inputs, weight)?;
    layer.agree("out_channels", outputs, weight)?;
    layer.agree_on_kernel(&weight.shape[2..], weight)?;
    let bias = layer.bias(outputs)?;
    let has = channels(&shape);
    if inputs != has {
        let (name, shape, input) = (weight.name.clone(), weight.shape.clone(), shape);
        let (takes, groups, advice) = (inputs, 1, String::new());
        return layer.fail(ArchitectureFault::Channels { name, shape, takes, groups, has, input, advice });
    }
    let image = image_size(&shape);
    let extent = |size: usize, stride: usize, taps: usize, padding: usize, extra: usize| {
        let full = (size - 1).saturating_mul(stride).saturating_add(taps).saturating_add(extra);
        full.saturating_sub(2 * padding)
    };
    let output = Hw::new(
        extent(image.height, stride.height, taps.height, padding.height, extra.height),
        extent(image.width, stride.width, taps.width, padding.width, extra.width),
    );
    let padding = symmetric(padding);
    let filter = layer.network.weight(weight, channels_last(weight, taps, false));
    let tensor = layer.channels_last(input)?;
    let op = Op::TransposeConv2d(TransposeConv2d { stride, padding, output, activation: Activation::None });
    let result = layer.node(op, &[Some(tensor), Some(filter), bias])?;
    Some(layer.network.channels_last_value(result, rank))
}

/// Height and width of a value of rank 3 or 4 in PyTorch's order.
pub(super) fn image_size(shape: &Shape) -> Hw {
    match **shape {
        [_, _, height, width] => Hw::new(height, width),
        [_, _, length] => Hw::new(1, length),
        _ => Hw::square(1),
    }
}

/// The same padding on both sides of each axis.
pub(super) fn symmetric(padding: Hw) -> Padding {
    let Hw { height, width } = padding;
    Padding { top: height, bottom: height, left: width, right: width }
}

/// The padding of a convolution: numbers, `"same"` or `"valid"`.
fn padding(layer: &mut Layer<'_>, taps: Hw, stride: Hw, dilation: Hw, rank: usize) -> Option<Padding> {
    let text = match layer.attributes.size_or_text("padding") {
        None => return Some(Padding::NONE),
        Some(Ok(padding)) => return Some(symmetric(for_rank(padding, rank, 0))),
        Some(Err(text)) => text,
    };
    match text.as_str() {
        "valid" => Some(Padding::NONE),
        "same" if stride == Hw::square(1) => {
            let rows = dilation.height.saturating_mul(taps.height.saturating_sub(1));
            let columns = dilation.width.saturating_mul(taps.width.saturating_sub(1));
            let (top, left) = (rows / 2, columns / 2);
            Some(Padding { top, bottom: rows - top, left, right: columns - left })
        }
        "same" => {
            let advice = "PyTorch allows it with stride 1 only; give numbers, or put a pad before it";
            layer.fail(ArchitectureFault::Unsupported {
                attribute: "padding",
                value: "'same'".into(),
                advice,
            })
        }
        _ => {
            let (value, expected) = (format!("'{text}'"), "numbers, 'same' or 'valid'".into());
            layer.fail(ArchitectureFault::Attribute { attribute: "padding", value, expected })
        }
    }
}

fn no_padding_mode(layer: &mut Layer<'_>) -> Option<()> {
    match layer.attributes.text("padding_mode") {
        Some(value) if value != "zeros" => {
            let advice = "only zeros are";
            layer.fail(ArchitectureFault::Unsupported { attribute: "padding_mode", value, advice })
        }
        _ => Some(()),
    }
}
