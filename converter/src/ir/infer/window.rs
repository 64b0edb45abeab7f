//! Operators that slide a window over an image or resample it.

use super::{Operands, Output};
use crate::ir::attributes::{Pool2d, Resize};
use crate::ir::{DType, Fault, Hw, Padding};

pub(super) fn pool2d(attributes: &Pool2d, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    operands.require_type("input", input, &[DType::F32, DType::I8, DType::I16, DType::U8]);
    let [batch, height, width, channels] = operands.dimensions("input", input)?;
    let Pool2d { filter, padding, .. } = *attributes;
    operands.require_attribute(
        filter.height > 0 && filter.width > 0,
        "filter",
        filter,
        "must be 1x1 or more",
    )?;
    operands.require_attribute(
        padding.top.max(padding.bottom) < filter.height && padding.left.max(padding.right) < filter.width,
        "padding",
        format!("{:?}", <[usize; 4]>::from(padding)),
        format!("must be less than the window of {filter} on each side"),
    )?;
    let size =
        window_output(operands, Hw::new(height, width), filter, attributes.stride, Hw::square(1), padding)?;
    Some(Output::new(input.dtype, [batch, size.height, size.width, channels]))
}

pub(super) fn resize(attributes: &Resize, operands: &mut Operands<'_>) -> Option<Output> {
    let input = operands.input(0)?;
    let [batch, _, _, channels] = operands.dimensions("input", input)?;
    let Resize { size, align_corners, half_pixel_centers } = *attributes;
    operands.require_attribute(size.height > 0 && size.width > 0, "size", size, "must be 1x1 or more");
    operands.require_attribute(
        !(align_corners && half_pixel_centers),
        "half_pixel_centers",
        half_pixel_centers,
        "excludes align_corners",
    );
    Some(Output::new(input.dtype, [batch, size.height, size.width, channels]))
}

/// Number of places of a window in a padded image.
pub(super) fn window_output(
    operands: &mut Operands<'_>,
    input: Hw,
    filter: Hw,
    stride: Hw,
    dilation: Hw,
    padding: Padding,
) -> Option<Hw> {
    let stride_holds = operands.require_attribute(
        stride.height > 0 && stride.width > 0,
        "stride",
        stride,
        "must be 1x1 or more",
    );
    let dilation_holds = operands.require_attribute(
        dilation.height > 0 && dilation.width > 0,
        "dilation",
        dilation,
        "must be 1x1 or more",
    );
    stride_holds.and(dilation_holds)?;
    let mut places = |axis, input: usize, filter: usize, stride: usize, dilation, before, after| {
        let window = filter.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
        let padded = input.saturating_add(before).saturating_add(after);
        operands.require(window <= padded, || Fault::WindowTooLarge { axis, window, padded })?;
        Some((padded - window) / stride + 1)
    };
    let height = places(
        "height",
        input.height,
        filter.height,
        stride.height,
        dilation.height,
        padding.top,
        padding.bottom,
    );
    let width =
        places("width", input.width, filter.width, stride.width, dilation.width, padding.left, padding.right);
    Some(Hw::new(height?, width?))
}
