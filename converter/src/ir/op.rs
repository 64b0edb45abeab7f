//! The operators.

use serde::{Deserialize, Serialize};
use strum::{EnumCount, IntoStaticStr};

use crate::ir::attributes::*;

/// What a node computes. The table of a variant's inputs is [`Op::inputs`]; each has one output unless it says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, EnumCount, IntoStaticStr)]
pub enum Op {
    /// Input NHWC, filter OHWI, bias `[O]`.
    Conv2d(Conv2d),
    /// Input NHWC, filter `[1, H, W, C * multiplier]`, bias `[C * multiplier]`.
    DepthwiseConv2d(DepthwiseConv2d),
    /// Input NHWC, filter OHWI, bias `[O]`.
    TransposeConv2d(TransposeConv2d),
    /// Input of any rank, filter `[O, I]`, bias `[O]`.
    FullyConnected(FullyConnected),
    /// Average over windows of an NHWC input.
    AveragePool2d(Pool2d),
    /// Maximum over windows of an NHWC input.
    MaxPool2d(Pool2d),
    /// `first + second`, broadcasting.
    Add(Arithmetic),
    /// `first - second`, broadcasting.
    Sub(Arithmetic),
    /// `first * second`, broadcasting.
    Mul(Arithmetic),
    /// `first / second`, broadcasting.
    Div(Arithmetic),
    /// The greater of two, broadcasting.
    Maximum,
    /// The lesser of two, broadcasting.
    Minimum,
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `min(max(x, -1), 1)`
    ReluN1To1,
    /// A slope below 0.
    LeakyRelu(LeakyRelu),
    /// `x * min(max(x + 3, 0), 6) / 6`
    HardSwish,
    /// `1 / (1 + exp(-x))`
    Logistic,
    /// Hyperbolic tangent.
    Tanh,
    /// `e^x`
    Exp,
    /// Natural logarithm.
    Log,
    /// Square root.
    Sqrt,
    /// `1 / x`
    Reciprocal,
    /// `-x`
    Neg,
    /// Absolute value.
    Abs,
    /// 1 if `x >= 0`, else -1: what binary layers take.
    Sign,
    /// Gauss error function.
    Erf,
    /// `x` times the normal distribution function.
    Gelu(Gelu),
    /// A line cut off at 0 and 1.
    HardSigmoid(HardSigmoid),
    /// A clamp to any bounds.
    Clip(Clip),
    /// A slope below 0 from a tensor that broadcasts.
    PRelu,
    /// Scale and shift of each channel from statistics of the training data.
    BatchNormalization(BatchNormalization),
    /// An exponential below 0.
    Elu(Elu),
    /// Exponentials normalized along the last axis.
    Softmax(Softmax),
    /// Logarithm of the exponentials normalized along the last axis.
    LogSoftmax,
    /// The same elements under another shape: also squeezes, added dimensions and flattening.
    Reshape(Reshape),
    /// Elements added around.
    Pad(Pad),
    /// Axes of 1 repeated.
    BroadcastTo(BroadcastTo),
    /// The tensor repeated along axes.
    Tile(Tile),
    /// Slices chosen by indices, i32 or i64.
    Gather(Gather),
    /// Another element type.
    Cast(Cast),
    /// Mean over axes.
    Mean(Reduce),
    /// Sum over axes.
    Sum(Reduce),
    /// Maximum over axes.
    ReduceMax(Reduce),
    /// Minimum over axes.
    ReduceMin(Reduce),
    /// Product over axes.
    ReduceProd(Reduce),
    /// Any number of inputs joined along an axis.
    Concatenation(Concatenation),
    /// Axes in another order.
    Transpose(Transpose),
    /// Part of the input.
    StridedSlice(StridedSlice),
    /// Several outputs: the input cut along an axis.
    Split(Split),
    /// Any number of inputs joined along a new axis.
    Pack(Stack),
    /// Several outputs: the input cut along an axis, which is dropped.
    Unpack(Stack),
    /// Real numbers, or integers of another scale, to the output's type, scale and zero point.
    Quantize,
    /// Integers to real numbers.
    Dequantize,
    /// Index of the greatest element along an axis, i32 or i64.
    ArgMax(ArgExtreme),
    /// Index of the least element along an axis, i32 or i64.
    ArgMin(ArgExtreme),
    /// Height and width changed by taking the nearest element.
    ResizeNearest(Resize),
    /// Height and width changed by linear interpolation on both axes.
    ResizeBilinear(Resize),
}

/// The inputs an operator takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// These roles in this order; the last `optional` of them may be absent.
    Roles {
        /// Names of the inputs.
        roles: &'static [&'static str],
        /// How many at the end may be left out.
        optional: usize,
    },
    /// One or more, all alike.
    AnyNumber,
}

impl Op {
    /// The variant's name, `Conv2d`.
    pub fn name(&self) -> &'static str {
        self.into()
    }

    /// The inputs the operator takes.
    pub fn inputs(&self) -> Inputs {
        let (roles, optional): (&[_], _) = match self {
            Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => {
                (&["input", "filter", "bias"], 1)
            }
            Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Maximum | Op::Minimum => {
                (&["first", "second"], 0)
            }
            Op::PRelu => (&["input", "slope"], 0),
            Op::BatchNormalization(_) => (&["input", "scale", "shift", "mean", "variance"], 0),
            Op::Gather(_) => (&["data", "indices"], 0),
            Op::Concatenation(_) | Op::Pack(_) => return Inputs::AnyNumber,
            _ => (&["input"], 0),
        };
        Inputs::Roles { roles, optional }
    }

    /// The fused clamp, for operators that can have one.
    pub fn activation_mut(&mut self) -> Option<&mut Activation> {
        match self {
            Op::Conv2d(Conv2d { activation, .. })
            | Op::DepthwiseConv2d(DepthwiseConv2d { activation, .. })
            | Op::TransposeConv2d(TransposeConv2d { activation, .. })
            | Op::FullyConnected(FullyConnected { activation, .. })
            | Op::AveragePool2d(Pool2d { activation, .. })
            | Op::MaxPool2d(Pool2d { activation, .. })
            | Op::Add(Arithmetic { activation })
            | Op::Sub(Arithmetic { activation })
            | Op::Mul(Arithmetic { activation })
            | Op::Div(Arithmetic { activation })
            | Op::Concatenation(Concatenation { activation, .. }) => Some(activation),
            _ => None,
        }
    }
}
