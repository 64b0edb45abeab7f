//! Windows: the attributes that convolutions and pools share, for one and two dimensions.

use crate::import::onnx::operator::Operator;
use crate::ir::{Fault, Hw, Padding, Shape, TensorId};

/// Where a window goes. One dimension is a width, with a height of 1.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) filter: Hw,
    pub(super) stride: Hw,
    pub(super) dilation: Hw,
    pub(super) padding: Padding,
    pub(super) automatic: Automatic,
}

/// Padding that follows from the sizes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Automatic {
    /// The padding is stated.
    No,
    /// `ceil(input / stride)` outputs, an odd element at the end.
    SameUpper,
    /// `ceil(input / stride)` outputs, an odd element at the beginning.
    SameLower,
}

/// An image of one or two dimensions, seen as one of two.
pub(super) struct Image {
    pub(super) tensor: TensorId,
    pub(super) size: Hw,
    /// Whether it has one dimension in the file.
    pub(super) flat: bool,
}

impl Image {
    /// The image at slot 0.
    pub(super) fn read(operator: &mut Operator<'_>) -> Option<Image> {
        let tensor = operator.input(0, "input")?;
        let shape = operator.shape(tensor);
        match *shape {
            [_, _, height, width] => Some(Image { tensor, size: Hw::new(height, width), flat: false }),
            [batch, channels, width] => {
                let tensor = operator.reshape(tensor, [batch, channels, 1, width])?;
                Some(Image { tensor, size: Hw::new(1, width), flat: true })
            }
            _ => {
                let expected = "3 (batch, channels, length) or 4 (batch, channels, height, width)";
                operator.fault(Fault::Rank { role: "input", shape, expected });
                None
            }
        }
    }

    /// A result NHWC in the form that the file has it.
    pub(super) fn restore(&self, operator: &mut Operator<'_>, result: TensorId) -> Option<TensorId> {
        let result = operator.nchw(result)?;
        match *operator.shape(result) {
            [batch, channels, 1, width] if self.flat => operator.reshape(result, [batch, channels, width]),
            _ => Some(result),
        }
    }
}

impl Window {
    /// The attributes `strides`, `dilations`, `pads` and `auto_pad`. Automatic padding is still [`Padding::NONE`].
    pub(super) fn read(operator: &mut Operator<'_>, filter: Hw, flat: bool) -> Option<Window> {
        let stride = pair(operator, "strides", flat);
        let dilation = pair(operator, "dilations", flat);
        let padding = padding(operator, flat);
        let automatic = match operator.text("auto_pad", "NOTSET")? {
            "NOTSET" | "" => Automatic::No,
            "VALID" => Automatic::No,
            "SAME_UPPER" => Automatic::SameUpper,
            "SAME_LOWER" => Automatic::SameLower,
            other => {
                let other = other.to_string();
                return operator.invalid(
                    "auto_pad",
                    other,
                    "must be NOTSET, VALID, SAME_UPPER or SAME_LOWER",
                );
            }
        };
        let valid = operator.text("auto_pad", "NOTSET")? != "NOTSET";
        let padding = if valid { Padding::NONE } else { padding? };
        Some(Window { filter, stride: stride?, dilation: dilation?, padding, automatic })
    }

    /// The window with the padding that an input of a size has.
    pub(super) fn padded(mut self, input: Hw) -> Window {
        if self.automatic != Automatic::No {
            let Padding { top, bottom, left, right } =
                Padding::same(input, self.filter, self.stride, self.dilation);
            self.padding = match self.automatic {
                Automatic::SameLower => Padding { top: bottom, bottom: top, left: right, right: left },
                _ => Padding { top, bottom, left, right },
            };
        }
        self
    }
}

/// Height and width from an attribute that has one number per dimension, 1 or more, and that is 1 where it is absent.
pub(super) fn pair(operator: &mut Operator<'_>, name: &'static str, flat: bool) -> Option<Hw> {
    let values = operator.integers(name)?.map(<[i64]>::to_vec);
    let Some(values) = values.filter(|values| !values.is_empty()) else { return Some(Hw::square(1)) };
    let size =
        |value: i64| usize::try_from(value).ok().filter(|size| (1..=Shape::MAX_ELEMENTS).contains(size));
    let pair = match (flat, values.as_slice()) {
        (true, &[width]) => size(width).map(|width| Hw::new(1, width)),
        (false, &[height, width]) => {
            size(height).zip(size(width)).map(|(height, width)| Hw::new(height, width))
        }
        _ => None,
    };
    match pair {
        None => operator.invalid(
            name,
            format!("{values:?}"),
            format!("must be {} of 1 or more", if flat { "one number" } else { "two numbers" }),
        ),
        pair => pair,
    }
}

fn padding(operator: &mut Operator<'_>, flat: bool) -> Option<Padding> {
    let values = operator.integers("pads")?.map(<[i64]>::to_vec);
    let Some(values) = values.filter(|values| !values.is_empty()) else { return Some(Padding::NONE) };
    let size = |value: i64| usize::try_from(value).ok().filter(|&size| size <= Shape::MAX_ELEMENTS);
    let sizes = values.iter().map(|&value| size(value)).collect::<Option<Vec<_>>>();
    match (flat, sizes.as_deref()) {
        (true, Some(&[left, right])) => Some(Padding { top: 0, bottom: 0, left, right }),
        (false, Some(&[top, left, bottom, right])) => Some(Padding { top, bottom, left, right }),
        _ => operator.invalid(
            "pads",
            format!("{values:?}"),
            format!("must be {} of 0 or more", if flat { "two numbers" } else { "four numbers" }),
        ),
    }
}
