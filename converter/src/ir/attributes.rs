//! Attributes of the operators, one struct per operator or family.
//!
//! Everything is resolved: paddings are explicit, axes count from 0, slices are within the input.

use serde::{Deserialize, Serialize};

use crate::ir::{DType, Hw, Shape};

/// A clamp fused into the operator that writes the tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Activation {
    /// No clamp.
    #[default]
    None,
    /// At least 0.
    Relu,
    /// Within 0 and 6.
    Relu6,
    /// Within -1 and 1.
    ReluN1To1,
}

impl Activation {
    /// The bounds in real numbers.
    pub fn bounds(self) -> (f32, f32) {
        match self {
            Activation::None => (f32::NEG_INFINITY, f32::INFINITY),
            Activation::Relu => (0.0, f32::INFINITY),
            Activation::Relu6 => (0.0, 6.0),
            Activation::ReluN1To1 => (-1.0, 1.0),
        }
    }
}

/// Rows and columns added around an image, holding the real number 0 (the zero point, where quantized).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[usize; 4]", into = "[usize; 4]")]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns on the left.
    pub left: usize,
    /// Columns on the right.
    pub right: usize,
}

impl Padding {
    /// No padding, which TensorFlow calls `VALID`.
    pub const NONE: Padding = Padding { top: 0, bottom: 0, left: 0, right: 0 };

    /// The padding that TensorFlow calls `SAME`: just enough for `ceil(input / stride)` outputs, an odd row or column
    /// at the end.
    ///
    /// Strides must not be 0, sizes must not exceed [`Shape::MAX_ELEMENTS`].
    pub fn same(input: Hw, filter: Hw, stride: Hw, dilation: Hw) -> Padding {
        let total = |input: usize, filter: usize, stride: usize, dilation: usize| {
            let covered = (input.div_ceil(stride).saturating_sub(1)).saturating_mul(stride);
            let window = filter.saturating_sub(1).saturating_mul(dilation).saturating_add(1);
            covered.saturating_add(window).saturating_sub(input)
        };
        let rows = total(input.height, filter.height, stride.height, dilation.height);
        let columns = total(input.width, filter.width, stride.width, dilation.width);
        Padding { top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2 }
    }
}

impl From<[usize; 4]> for Padding {
    fn from([top, bottom, left, right]: [usize; 4]) -> Self {
        Padding { top, bottom, left, right }
    }
}

impl From<Padding> for [usize; 4] {
    fn from(padding: Padding) -> Self {
        [padding.top, padding.bottom, padding.left, padding.right]
    }
}

/// Whether the textual form leaves an attribute out.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Bounds in the textual form, where numbers are finite: infinities are the strings `"inf"` and `"-inf"`.
mod bound {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A number or a string.
    pub(super) fn serialize<S: Serializer>(bound: &f32, serializer: S) -> Result<S::Ok, S::Error> {
        if bound.is_finite() {
            bound.serialize(serializer)
        } else {
            serializer.serialize_str(&bound.to_string())
        }
    }

    /// From a number or a string.
    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<f32, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Bound {
            Finite(f32),
            Named(String),
        }
        match Bound::deserialize(deserializer)? {
            Bound::Finite(bound) => Ok(bound),
            Bound::Named(name) => name.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// 2-D convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Steps of the window.
    pub stride: Hw,
    /// Distance between neighbouring taps.
    pub dilation: Hw,
    /// Padding of the input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// Channels are split into so many parts, each with its own filters: filter shape `[O, H, W, C / groups]`.
    pub groups: usize,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// 2-D convolution of each channel for itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepthwiseConv2d {
    /// Steps of the window.
    pub stride: Hw,
    /// Distance between neighbouring taps.
    pub dilation: Hw,
    /// Padding of the input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// Outputs per input channel; output channel `c * multiplier + m` belongs to input channel `c`.
    pub multiplier: usize,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// 2-D transposed convolution: each input element adds the filter, scaled, to a window of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransposeConv2d {
    /// Steps of the window in the output.
    pub stride: Hw,
    /// What is cut off the full result: window `i` starts at `i * stride - padding.top` (or `left`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// Height and width of the output; rows that no window reaches hold the bias.
    pub output: Hw,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// Matrix product with a filter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FullyConnected {
    /// `true`: the filter applies to the last axis and the others stay. `false`: the input is seen as a matrix with
    /// as many columns as the filter, and the output has rank 2.
    pub keep_dims: bool,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// Average or maximum over windows. Padding does not count as a maximum, nor as an element of an average unless
/// `count_padding` says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool2d {
    /// Size of the window.
    pub filter: Hw,
    /// Steps of the window.
    pub stride: Hw,
    /// Padding of the input; every window reaches into the input.
    #[serde(default, skip_serializing_if = "is_default")]
    pub padding: Padding,
    /// Averages are sums divided by the size of the window, padding being 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count_padding: bool,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// Broadcasting arithmetic on two tensors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Arithmetic {
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// `x` if `x >= 0`, else `alpha * x`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeakyRelu {
    /// Slope below 0.
    pub alpha: f32,
}

/// `x` if `x >= 0`, else `alpha * (exp(x) - 1)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Elu {
    /// The negated limit at minus infinity.
    pub alpha: f32,
}

/// `min(max(x, low), high)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Clip {
    /// The least result; may be minus infinity.
    #[serde(with = "bound")]
    pub low: f32,
    /// The greatest result, not below `low`; may be infinity.
    #[serde(with = "bound")]
    pub high: f32,
}

/// `min(max(alpha * x + beta, 0), 1)`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HardSigmoid {
    /// Slope.
    pub alpha: f32,
    /// Value at 0.
    pub beta: f32,
}

/// `x * (1 + erf(x / sqrt(2))) / 2`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gelu {
    /// `x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) / 2` instead.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tanh: bool,
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift` for each channel, the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNormalization {
    /// Added to the variance, not negative.
    pub epsilon: f32,
}

/// `exp(beta * x)`, normalized to the sum 1 along the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    /// Factor before the exponential.
    pub beta: f32,
}

/// The same elements in the same order under another shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reshape {
    /// The output's shape, every dimension known.
    pub shape: Shape,
}

/// Axes of 1, and axes that are missing at the front, repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BroadcastTo {
    /// The output's shape.
    pub shape: Shape,
}

/// The whole tensor repeated along its axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tile {
    /// How often, per axis, 1 or more.
    pub repeats: Vec<usize>,
}

/// Slices of a tensor along an axis, chosen by a tensor of indices, whose axes take the place of the axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gather {
    /// The axis.
    pub axis: usize,
}

/// Another element type; real numbers are cut towards 0 where integers are wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cast {
    /// The output's type.
    pub to: DType,
}

/// Elements added around a tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pad {
    /// Elements added before, per axis.
    pub before: Vec<usize>,
    /// Elements added after, per axis.
    pub after: Vec<usize>,
    /// The real number to pad with; where quantized, `round(value / scale) + zero_point` is stored.
    pub value: f32,
}

/// Reduction over axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reduce {
    /// Ascending, each once, at least one.
    pub axes: Vec<usize>,
    /// Whether a reduced axis stays with dimension 1.
    pub keep_dims: bool,
}

/// Tensors joined along an axis that they already have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concatenation {
    /// The axis.
    pub axis: usize,
    /// Fused clamp.
    #[serde(default, skip_serializing_if = "is_default")]
    pub activation: Activation,
}

/// Axes in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transpose {
    /// Axis `i` of the output is axis `permutation[i]` of the input.
    pub permutation: Vec<usize>,
}

/// Part of a tensor at regular steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StridedSlice {
    /// What is taken along each axis of the input.
    pub axes: Vec<SliceAxis>,
    /// The output's shape: the counts, where axes of 1 may be left out or added.
    pub shape: Shape,
}

/// What a [`StridedSlice`] takes along one axis: elements `begin + i * stride` for `i` in `0..count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SliceAxis {
    /// First element.
    pub begin: usize,
    /// Number of elements.
    pub count: usize,
    /// Step, not 0; negative to go backwards.
    pub stride: isize,
}

/// A tensor cut along an axis into several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The axis.
    pub axis: usize,
    /// Dimension of each output along the axis.
    pub sizes: Vec<usize>,
}

/// Tensors of one shape joined along a new axis, or the reverse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// The axis in the tensor of higher rank.
    pub axis: usize,
}

/// Index of an extreme element along an axis, the first of equals; the axis is dropped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArgExtreme {
    /// The axis.
    pub axis: usize,
}

/// Change of height and width by interpolation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resize {
    /// Height and width of the output.
    pub size: Hw,
    /// The corner elements' centres keep their places.
    pub align_corners: bool,
    /// Coordinates refer to element centres, not to their upper left corners.
    pub half_pixel_centers: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_row_at_the_end() {
        let same = |input, filter, stride, dilation| {
            let padding = Padding::same(
                Hw::square(input),
                Hw::square(filter),
                Hw::square(stride),
                Hw::square(dilation),
            );
            (padding.top, padding.bottom)
        };
        assert_eq!(same(28, 3, 1, 1), (1, 1));
        assert_eq!(same(28, 3, 2, 1), (0, 1));
        assert_eq!(same(49, 10, 2, 1), (4, 5));
        assert_eq!(same(8, 1, 2, 1), (0, 0));
        assert_eq!(same(10, 3, 1, 2), (2, 2));
    }

    #[test]
    fn same_padding_takes_any_size() {
        let huge = Hw::square(usize::MAX);
        let _ = Padding::same(huge, huge, Hw::square(1), huge);
    }
}
