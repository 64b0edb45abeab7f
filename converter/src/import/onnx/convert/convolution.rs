//! Convolutions.

use super::geometry::{Automatic, Image, Window, pair};
use crate::import::nchw;
use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{
    Concatenation, Conv2d, DepthwiseConv2d, SliceAxis, Split, StridedSlice, TransposeConv2d,
};
use crate::ir::{Activation, Fault, Hw, Op, Padding, Shape, TensorId};

pub(super) fn conv(operator: &mut Operator<'_>) -> Option<Values> {
    let image = Image::read(operator)?;
    let (bias, groups) = (bias(operator), groups(operator));
    let Filter { tensor, shape: [outputs, depth, ..], size } = Filter::read(operator, image.flat)?;
    let window = Window::read(operator, size, image.flat)?.padded(image.size);
    let (bias, groups) = (bias?, groups?);
    let Window { stride, dilation, padding, .. } = window;
    let activation = Activation::None;
    let channels = operator.shape(image.tensor)[1];
    let depthwise = groups > 1 && groups == channels && depth == 1;
    let op = match outputs.checked_rem(channels) {
        Some(0) if depthwise => {
            let multiplier = outputs / channels;
            Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation })
        }
        _ => Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation }),
    };
    let order = if matches!(op, Op::DepthwiseConv2d(_)) { nchw::FIRST_TO_LAST } else { nchw::TO_NHWC };
    let input = operator.nhwc(image.tensor)?;
    let filter = operator.transpose(tensor, &order)?;
    let result = operator.emit_all(op, &[Some(input), Some(filter), bias])?;
    image.restore(operator, *result.first()?).and_then(one)
}

/// Groups are convolved one by one.
pub(super) fn conv_transpose(operator: &mut Operator<'_>) -> Option<Values> {
    let image = Image::read(operator)?;
    let (bias, groups) = (bias(operator), groups(operator));
    let Filter { tensor, shape: [channels, outputs, ..], size } = Filter::read(operator, image.flat)?;
    let window = Window::read(operator, size, image.flat)?;
    let (bias, groups) = (bias?, groups?);
    if window.dilation != Hw::square(1) {
        return operator.unsupported("dilations", window.dilation, "only 1: use a larger kernel with zeros");
    }
    let (padding, output) = transposed_extent(operator, &image, &window)?;
    let attributes = TransposeConv2d { stride: window.stride, padding, output, activation: Activation::None };
    let found = operator.shape(image.tensor)[1];
    if found != channels || groups == 0 || !channels.is_multiple_of(groups) {
        let expected =
            format!("must divide the {found} input channels, and the weights must have {found} too");
        return operator.invalid("group", groups, expected);
    }
    let input = operator.nhwc(image.tensor)?;
    let filter = operator.transpose(tensor, &nchw::FIRST_TO_LAST)?;
    if groups == 1 {
        let result =
            operator.emit_all(Op::TransposeConv2d(attributes), &[Some(input), Some(filter), bias])?;
        return image.restore(operator, *result.first()?).and_then(one);
    }
    let part = channels / groups;
    let parts = operator.emit_all(Op::Split(Split { axis: 3, sizes: vec![part; groups] }), &[Some(input)])?;
    let mut results = Vec::with_capacity(groups);
    for (group, input) in parts.into_iter().enumerate() {
        let filter = slice(operator, filter, 3, group * part, part)?;
        let bias = match bias {
            Some(bias) => Some(slice(operator, bias, 0, group * outputs, outputs)?),
            None => None,
        };
        let op = Op::TransposeConv2d(attributes.clone());
        results.push(*operator.emit_all(op, &[Some(input), Some(filter), bias])?.first()?);
    }
    let join = Concatenation { axis: 3, activation: Activation::None };
    let result = operator.emit(Op::Concatenation(join), &results)?;
    image.restore(operator, result).and_then(one)
}

/// Padding and size of the output of a transposed convolution.
fn transposed_extent(operator: &mut Operator<'_>, image: &Image, window: &Window) -> Option<(Padding, Hw)> {
    let extra = operator.integers("output_padding")?.map(<[i64]>::to_vec).unwrap_or_default();
    let extra = match (extra.as_slice(), image.flat) {
        ([], _) => [0, 0],
        (&[width], true) => [0, width],
        (&[height, width], false) => [height, width],
        _ => {
            return operator.invalid(
                "output_padding",
                format!("{extra:?}"),
                "must have one number per dimension",
            );
        }
    };
    let given = operator.integers("output_shape")?.filter(|shape| !shape.is_empty()).is_some();
    let given = if given { Some(pair(operator, "output_shape", image.flat)?) } else { None };
    let axis = |input: usize,
                stride: usize,
                filter: usize,
                extra: i64,
                given: Option<usize>,
                pads: (usize, usize)| {
        let stride = i64::try_from(stride).ok()?;
        let full = stride.checked_mul(input as i64 - 1)?.checked_add(extra)?.checked_add(filter as i64)?;
        let wanted = given.map(|given| given as i64);
        let same = (window.automatic != Automatic::No).then_some(stride.checked_mul(input as i64)?);
        let (begin, end) = match wanted.or(same) {
            None => (pads.0 as i64, pads.1 as i64),
            Some(wanted) => {
                let total = (full - wanted).max(0);
                match window.automatic {
                    Automatic::SameUpper => (total / 2, total - total / 2),
                    _ => (total - total / 2, total / 2),
                }
            }
        };
        let output = wanted.or(same).unwrap_or(full - begin - end);
        let size = |value: i64| usize::try_from(value).ok();
        let output = size(output).filter(|output| (1..=Shape::MAX_ELEMENTS).contains(output))?;
        Some((size(begin)?, size(end)?, output))
    };
    let (padding, stride, filter) = (window.padding, window.stride, window.filter);
    let given_height = given.map(|given| given.height);
    let given_width = given.map(|given| given.width);
    let rows = axis(
        image.size.height,
        stride.height,
        filter.height,
        extra[0],
        given_height,
        (padding.top, padding.bottom),
    );
    let columns = axis(
        image.size.width,
        stride.width,
        filter.width,
        extra[1],
        given_width,
        (padding.left, padding.right),
    );
    let Some(((top, bottom, height), (left, right, width))) = rows.zip(columns) else {
        return operator.invalid(
            "pads",
            format!("{:?}", <[usize; 4]>::from(padding)),
            "must leave an output",
        );
    };
    Some((Padding { top, bottom, left, right }, Hw::new(height, width)))
}

/// Weights, with one dimension seen as two.
struct Filter {
    tensor: TensorId,
    shape: [usize; 4],
    size: Hw,
}

impl Filter {
    fn read(operator: &mut Operator<'_>, flat: bool) -> Option<Filter> {
        let tensor = operator.input(1, "weights")?;
        let tensor = operator.fixed(tensor, "weights")?;
        let shape = operator.shape(tensor);
        let (tensor, dimensions) = match (&*shape, flat) {
            (&[first, second, width], true) => {
                let dimensions = [first, second, 1, width];
                (operator.reshape(tensor, dimensions)?, dimensions)
            }
            (&[first, second, height, width], false) => (tensor, [first, second, height, width]),
            _ => {
                let expected = if flat { "3" } else { "4" };
                operator.fault(Fault::Rank { role: "weights", shape, expected });
                return None;
            }
        };
        let size = Hw::new(dimensions[2], dimensions[3]);
        let stated = operator.integers("kernel_shape")?.is_some_and(|shape| !shape.is_empty());
        if stated {
            let stated = pair(operator, "kernel_shape", flat)?;
            if stated != size {
                return operator.invalid("kernel_shape", stated, format!("the weights have {size}"));
            }
        }
        Some(Filter { tensor, shape: dimensions, size })
    }
}

fn bias(operator: &mut Operator<'_>) -> Option<Option<TensorId>> {
    match operator.optional(2)? {
        None => Some(None),
        Some(bias) => operator.fixed(bias, "bias").map(Some),
    }
}

fn groups(operator: &mut Operator<'_>) -> Option<usize> {
    let value = operator.integer("group", 1)?;
    match usize::try_from(value).ok().filter(|groups| (1..=1 << 16).contains(groups)) {
        None => operator.invalid("group", value, "must be 1 or more"),
        groups => groups,
    }
}

/// Part of a tensor along an axis.
fn slice(
    operator: &mut Operator<'_>,
    id: TensorId,
    axis: usize,
    begin: usize,
    count: usize,
) -> Option<TensorId> {
    let shape = operator.shape(id);
    let whole = shape.iter().map(|&size| SliceAxis { begin: 0, count: size, stride: 1 });
    let mut axes: Vec<SliceAxis> = whole.collect();
    *axes.get_mut(axis)? = SliceAxis { begin, count, stride: 1 };
    let shape = axes.iter().map(|axis| axis.count).collect();
    operator.emit(Op::StridedSlice(StridedSlice { axes, shape }), &[id])
}
