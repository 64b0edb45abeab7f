//! From operators of the file to operators of the graph.
//!
//! One function per operator or family. Each reads the attributes, from options or from constant inputs, resolves
//! what depends on shapes (padding, groups, axes from the end, masks), and leaves to [`crate::ir::check`] what the
//! graph's own rules say.

mod convolution;
mod elementwise;
mod layout;
mod reduce;
mod slice;
mod window;

use super::operator::{Converted, Operator};
use super::schema;
use crate::ir::Op;

/// Reads one kind of operator; gives `None` if the operator has faults, which it then holds.
pub(super) type Convert = fn(&mut Operator<'_>) -> Option<Converted>;

/// The function for an operator, by its name in the schema, and the operator's newest version that it knows; `None` if
/// the operator is not supported.
///
/// A newer version may give meaning to options that are not read here.
pub(super) fn convert(name: &str) -> Option<(Convert, i32)> {
    let (convert, version): (Convert, i32) = match name {
        "CONV_2D" => (convolution::conv_2d, 8),
        "DEPTHWISE_CONV_2D" => (convolution::depthwise_conv_2d, 7),
        "TRANSPOSE_CONV" => (convolution::transpose_conv, 5),
        "FULLY_CONNECTED" => (convolution::fully_connected, 13),
        "AVERAGE_POOL_2D" => (|operator| window::pool_2d(operator, Op::AveragePool2d), 3),
        "MAX_POOL_2D" => (|operator| window::pool_2d(operator, Op::MaxPool2d), 3),
        "RESIZE_NEAREST_NEIGHBOR" => (window::resize_nearest, 4),
        "RESIZE_BILINEAR" => (window::resize_bilinear, 4),
        "ADD" => (|operator| elementwise::arithmetic(operator, schema::ADD, Op::Add), 5),
        "SUB" => (|operator| elementwise::arithmetic(operator, schema::SUB, Op::Sub), 5),
        "MUL" => (|operator| elementwise::arithmetic(operator, schema::MUL, Op::Mul), 7),
        "DIV" => (|operator| elementwise::arithmetic(operator, schema::DIV, Op::Div), 2),
        "MAXIMUM" => (|_| Converted::new(Op::Maximum, [0, 1]), 4),
        "MINIMUM" => (|_| Converted::new(Op::Minimum, [0, 1]), 4),
        "RELU" => (|_| Converted::unary(Op::Relu), 3),
        "RELU6" => (|_| Converted::unary(Op::Relu6), 3),
        "RELU_N1_TO_1" => (|_| Converted::unary(Op::ReluN1To1), 1),
        "HARD_SWISH" => (|_| Converted::unary(Op::HardSwish), 1),
        "LOGISTIC" => (|_| Converted::unary(Op::Logistic), 3),
        "TANH" => (|_| Converted::unary(Op::Tanh), 3),
        "LEAKY_RELU" => (elementwise::leaky_relu, 2),
        "ELU" => (|_| elementwise::elu(), 1),
        "SOFTMAX" => (elementwise::softmax, 3),
        "QUANTIZE" => (|_| Converted::unary(Op::Quantize), 3),
        "DEQUANTIZE" => (elementwise::dequantize, 6),
        "RESHAPE" => (layout::reshape, 1),
        "SHAPE" => (layout::shape, 1),
        "SQUEEZE" => (layout::squeeze, 2),
        "EXPAND_DIMS" => (layout::expand_dims, 1),
        "PAD" => (layout::pad, 4),
        "PADV2" => (layout::pad_v2, 4),
        "CONCATENATION" => (layout::concatenation, 4),
        "TRANSPOSE" => (layout::transpose, 6),
        "SPLIT" => (layout::split, 4),
        "SPLIT_V" => (layout::split_v, 2),
        "PACK" => (layout::pack, 4),
        "UNPACK" => (layout::unpack, 4),
        "SLICE" => (slice::slice, 6),
        "STRIDED_SLICE" => (slice::strided_slice, 8),
        "MEAN" => (|operator| reduce::reduce(operator, Op::Mean), 3),
        "SUM" => (|operator| reduce::reduce(operator, Op::Sum), 2),
        "REDUCE_MAX" => (|operator| reduce::reduce(operator, Op::ReduceMax), 3),
        "REDUCE_MIN" => (|operator| reduce::reduce(operator, Op::ReduceMin), 3),
        "ARG_MAX" => (|operator| reduce::arg_extreme(operator, Op::ArgMax), 3),
        "ARG_MIN" => (|operator| reduce::arg_extreme(operator, Op::ArgMin), 3),
        _ => return None,
    };
    Some((convert, version))
}
