//! Operators with a filter and a bias.

use super::window::window_output;
use super::{Operands, Output};
use crate::ir::attributes::{Conv2d, DepthwiseConv2d, FullyConnected, TransposeConv2d};
use crate::ir::{DType, Hw, Tensor};

pub(super) fn conv2d(attributes: &Conv2d, operands: &mut Operands<'_>) -> Option<Output> {
    let Layer { input, image, taps, .. } = Layer::new(operands)?;
    let ([batch, _, _, channels], [outputs, _, _, depth]) = (image, taps);
    check_bias(operands, outputs);
    let groups = attributes.groups;
    operands.require_attribute(
        groups > 0 && depth.checked_mul(groups) == Some(channels) && outputs.is_multiple_of(groups),
        "groups",
        groups,
        format!(
            "must divide the {outputs} output channels and be the {channels} input channels / {depth} filter channels"
        ),
    );
    let size = window_output(
        operands,
        middle(image),
        middle(taps),
        attributes.stride,
        attributes.dilation,
        attributes.padding,
    )?;
    Some(Output::new(input.dtype, [batch, size.height, size.width, outputs]))
}

pub(super) fn depthwise_conv2d(attributes: &DepthwiseConv2d, operands: &mut Operands<'_>) -> Option<Output> {
    let Layer { input, filter, image, taps } = Layer::new(operands)?;
    let ([batch, _, _, channels], [_, _, _, outputs]) = (image, taps);
    check_bias(operands, outputs);
    operands.require_dimension("filter", filter, 0, 1, "depthwise filters are 1HWC");
    let multiplier = attributes.multiplier;
    operands.require_attribute(
        channels.checked_mul(multiplier) == Some(outputs),
        "multiplier",
        multiplier,
        format!("must be the {outputs} filter channels / {channels} input channels"),
    );
    let size = window_output(
        operands,
        middle(image),
        middle(taps),
        attributes.stride,
        attributes.dilation,
        attributes.padding,
    )?;
    Some(Output::new(input.dtype, [batch, size.height, size.width, outputs]))
}

pub(super) fn transpose_conv2d(attributes: &TransposeConv2d, operands: &mut Operands<'_>) -> Option<Output> {
    let Layer { input, filter, image: [batch, _, _, channels], taps: [outputs, ..] } = Layer::new(operands)?;
    check_bias(operands, outputs);
    operands.require_dimension("filter", filter, 3, channels, "channels of the input");
    let TransposeConv2d { stride, output, .. } = *attributes;
    operands.require_attribute(
        stride.height > 0 && stride.width > 0,
        "stride",
        stride,
        "must be 1x1 or more",
    );
    operands.require_attribute(
        output.height > 0 && output.width > 0,
        "output",
        output,
        "must be 1x1 or more",
    );
    Some(Output::new(input.dtype, [batch, output.height, output.width, outputs]))
}

/// The operands of a convolution, both of rank 4, of types that go together.
struct Layer<'a> {
    input: &'a Tensor,
    filter: &'a Tensor,
    image: [usize; 4],
    taps: [usize; 4],
}

impl<'a> Layer<'a> {
    fn new(operands: &mut Operands<'a>) -> Option<Self> {
        let (input, filter) = (operands.input(0)?, operands.input(1)?);
        check_types(operands, input, filter, Dynamic::Refused);
        let image = operands.dimensions("input", input);
        let taps = operands.dimensions("filter", filter);
        Some(Self { input, filter, image: image?, taps: taps? })
    }
}

/// Height and width of an image or a filter.
fn middle([_, height, width, _]: [usize; 4]) -> Hw {
    Hw::new(height, width)
}

pub(super) fn fully_connected(attributes: &FullyConnected, operands: &mut Operands<'_>) -> Option<Output> {
    let (input, filter) = (operands.input(0)?, operands.input(1)?);
    check_types(operands, input, filter, Dynamic::Allowed);
    let [outputs, columns] = operands.dimensions("filter", filter)?;
    check_bias(operands, outputs);
    if attributes.keep_dims {
        let last = input.shape.rank().saturating_sub(1);
        operands.require_dimension("input", input, last, columns, "columns of the filter")?;
        let kept = input.shape.iter().copied().take(last);
        return Some(Output::new(input.dtype, kept.chain([outputs]).collect::<Vec<_>>()));
    }
    let elements = input.shape.elements()?;
    operands.require(columns > 0 && elements.is_multiple_of(columns), || crate::ir::Fault::Shapes {
        first: input.shape.clone(),
        second: filter.shape.clone(),
        expected: "the input's elements must be a multiple of the filter's columns",
    })?;
    Some(Output::new(input.dtype, [elements / columns, outputs]))
}

/// Whether an input of real numbers may meet a filter of integers: it is then quantized at run time.
#[derive(Clone, Copy, PartialEq)]
enum Dynamic {
    Allowed,
    Refused,
}

fn check_types(operands: &mut Operands<'_>, input: &Tensor, filter: &Tensor, dynamic: Dynamic) {
    operands.require_type("input", input, &[DType::F32, DType::I8, DType::I16, DType::U8]);
    const INTEGERS: [DType; 3] = [DType::I8, DType::I4, DType::B1];
    let (filters, biases): (&[_], &[_]) = match input.dtype {
        DType::F32 if dynamic == Dynamic::Allowed => {
            (&[DType::F32, DType::I8, DType::I4, DType::B1], &[DType::F32])
        }
        DType::F32 => (&[DType::F32], &[DType::F32]),
        DType::U8 => (&[DType::U8], &[DType::I32]),
        DType::I16 => (&[DType::I8], &[DType::I64, DType::I32]),
        _ => (&INTEGERS, &[DType::I32]),
    };
    operands.require_type("filter", filter, filters);
    if let Some(bias) = operands.input(2) {
        operands.require_type("bias", bias, biases);
    }
}

fn check_bias(operands: &mut Operands<'_>, outputs: usize) {
    let Some(bias) = operands.input(2) else { return };
    if operands.dimensions::<1>("bias", bias).is_some() {
        operands.require_dimension("bias", bias, 0, outputs, "output channels");
    }
}
