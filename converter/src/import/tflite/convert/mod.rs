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

/// The function for an operator, by its name in the schema; `None` if the operator is not supported.
pub(super) fn convert(name: &str) -> Option<Convert> {
    let convert: Convert = match name {
        "CONV_2D" => convolution::conv_2d,
        "DEPTHWISE_CONV_2D" => convolution::depthwise_conv_2d,
        "TRANSPOSE_CONV" => convolution::transpose_conv,
        "FULLY_CONNECTED" => convolution::fully_connected,
        "AVERAGE_POOL_2D" => |operator| window::pool_2d(operator, Op::AveragePool2d),
        "MAX_POOL_2D" => |operator| window::pool_2d(operator, Op::MaxPool2d),
        "RESIZE_NEAREST_NEIGHBOR" => window::resize_nearest,
        "RESIZE_BILINEAR" => window::resize_bilinear,
        "ADD" => |operator| elementwise::arithmetic(operator, schema::ADD, Op::Add),
        "SUB" => |operator| elementwise::arithmetic(operator, schema::SUB, Op::Sub),
        "MUL" => |operator| elementwise::arithmetic(operator, schema::MUL, Op::Mul),
        "DIV" => |operator| elementwise::arithmetic(operator, schema::DIV, Op::Div),
        "MAXIMUM" => |_| Converted::new(Op::Maximum, [0, 1]),
        "MINIMUM" => |_| Converted::new(Op::Minimum, [0, 1]),
        "RELU" => |_| Converted::unary(Op::Relu),
        "RELU6" => |_| Converted::unary(Op::Relu6),
        "RELU_N1_TO_1" => |_| Converted::unary(Op::ReluN1To1),
        "HARD_SWISH" => |_| Converted::unary(Op::HardSwish),
        "LOGISTIC" => |_| Converted::unary(Op::Logistic),
        "TANH" => |_| Converted::unary(Op::Tanh),
        "LEAKY_RELU" => elementwise::leaky_relu,
        "ELU" => |_| elementwise::elu(),
        "SOFTMAX" => elementwise::softmax,
        "QUANTIZE" => |_| Converted::unary(Op::Quantize),
        "DEQUANTIZE" => elementwise::dequantize,
        "RESHAPE" => layout::reshape,
        "SHAPE" => layout::shape,
        "SQUEEZE" => layout::squeeze,
        "EXPAND_DIMS" => layout::expand_dims,
        "PAD" => layout::pad,
        "PADV2" => layout::pad_v2,
        "CONCATENATION" => layout::concatenation,
        "TRANSPOSE" => layout::transpose,
        "SPLIT" => layout::split,
        "SPLIT_V" => layout::split_v,
        "PACK" => layout::pack,
        "UNPACK" => layout::unpack,
        "SLICE" => slice::slice,
        "STRIDED_SLICE" => slice::strided_slice,
        "MEAN" => |operator| reduce::reduce(operator, Op::Mean),
        "SUM" => |operator| reduce::reduce(operator, Op::Sum),
        "REDUCE_MAX" => |operator| reduce::reduce(operator, Op::ReduceMax),
        "REDUCE_MIN" => |operator| reduce::reduce(operator, Op::ReduceMin),
        "ARG_MAX" => |operator| reduce::arg_extreme(operator, Op::ArgMax),
        "ARG_MIN" => |operator| reduce::arg_extreme(operator, Op::ArgMin),
        _ => return None,
    };
    Some(convert)
}
