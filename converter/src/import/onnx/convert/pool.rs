//! Windows without weights.

use super::geometry::{Automatic, Image, Window, pair};
use crate::import::onnx::OnnxFault;
use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::Pool2d;
use crate::ir::{Activation, Hw, Op, Padding};

pub(super) fn average_pool(operator: &mut Operator<'_>) -> Option<Values> {
    let counted = operator.flag("count_include_pad", false)?;
    pool(operator, Op::AveragePool2d, counted)
}

pub(super) fn max_pool(operator: &mut Operator<'_>) -> Option<Values> {
    operator.one_output("the indices of the maxima");
    // Only the indices depend on it.
    operator.ignore(&["storage_order"]);
    pool(operator, Op::MaxPool2d, false)
}

fn pool(operator: &mut Operator<'_>, op: fn(Pool2d) -> Op, counted: bool) -> Option<Values> {
    let image = Image::read(operator)?;
    if operator.integers("kernel_shape")?.is_none() {
        operator.fault(OnnxFault::MissingAttribute { name: "kernel_shape" });
        return None;
    }
    let filter = pair(operator, "kernel_shape", image.flat)?;
    let window = Window::read(operator, filter, image.flat)?;
    let ceil = operator.flag("ceil_mode", false)? && window.automatic == Automatic::No;
    if window.dilation != Hw::square(1) {
        return operator.unsupported("dilations", window.dilation, "only 1: pool without dilation");
    }
    let stated = window.padded(image.size).padding;
    let rows = (stated.top, stated.bottom);
    let columns = (stated.left, stated.right);
    let stride = window.stride;
    let bottom = reach(image.size.height, filter.height, stride.height, rows, ceil);
    let right = reach(image.size.width, filter.width, stride.width, columns, ceil);
    let padding = Padding { bottom, right, ..stated };
    let counted = counted && stated != Padding::NONE;
    if counted && (bottom > stated.bottom || right > stated.right) {
        return operator.unsupported(
            "count_include_pad",
            1,
            "not together with ceil_mode where the last window reaches past the padding: pad with a Pad operator",
        );
    }
    let attributes = Pool2d { filter, stride, padding, count_padding: counted, activation: Activation::None };
    let input = operator.nhwc(image.tensor)?;
    let result = operator.emit(op(attributes), &[input])?;
    image.restore(operator, result).and_then(one)
}

/// How far past the end of an axis the last window reaches. With `ceil` there is one window more if it starts inside the
/// input or the padding before it.
fn reach(input: usize, filter: usize, stride: usize, (before, after): (usize, usize), ceil: bool) -> usize {
    let Some(rest) = (input + before + after).checked_sub(filter) else { return after };
    let mut windows = if ceil { rest.div_ceil(stride) + 1 } else { rest / stride + 1 };
    if ceil && (windows - 1) * stride >= input + before {
        windows -= 1;
    }
    ((windows - 1) * stride + filter).saturating_sub(input + before)
}
