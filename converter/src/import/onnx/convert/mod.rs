//! From nodes of the file to nodes of the graph.
//!
//! One function per operator or family. Each reads the attributes, from the node or from constant inputs, resolves what
//! depends on shapes or on the opset, and leaves to [`crate::ir::infer`] what the graph's own rules say.

mod activation;
mod constant;
mod convolution;
mod elementwise;
mod geometry;
mod layout;
mod matrix;
mod normalization;
mod pool;
mod quantize;
mod reduce;
mod resize;
mod shape;
mod slice;

use rten_onnx::onnx::NodeProto;

use super::OnnxFault;
use super::model::is_standard;
use super::operator::{Operator, Values};
use crate::ir::Op;
use crate::ir::attributes::Arithmetic;

/// Reads one kind of operator; gives `None` if the operator has faults, which it then holds.
pub(super) type Convert = fn(&mut Operator<'_>) -> Option<Values>;

/// Extensions of onnxruntime.
const MICROSOFT: &str = "com.microsoft";

/// The function for a node.
///
/// # Errors
/// If the operator is not supported.
pub(super) fn find(node: &NodeProto, opset: i64) -> Result<Convert, OnnxFault> {
    let name = node.op_type.as_deref().unwrap_or_default();
    let domain = node.domain.as_deref().unwrap_or_default();
    if domain == MICROSOFT {
        return extension(name).ok_or_else(|| OnnxFault::Domain { domain: domain.into() });
    }
    if !is_standard(domain) {
        return Err(OnnxFault::Domain { domain: super::shortened(domain) });
    }
    let (convert, first) = standard(name).ok_or(OnnxFault::Operator { advice: advice(name) })?;
    if opset < first {
        return Err(OnnxFault::OperatorTooNew { first, found: opset });
    }
    Ok(convert)
}

/// The function for a standard operator and the first opset that has it.
fn standard(name: &str) -> Option<(Convert, i64)> {
    let (convert, first): (Convert, i64) = match name {
        "Conv" => (convolution::conv, 1),
        "ConvTranspose" => (convolution::conv_transpose, 1),
        "Gemm" => (matrix::gemm, 1),
        "MatMul" => (matrix::mat_mul, 1),
        "BatchNormalization" => (normalization::batch_normalization, 1),
        "AveragePool" => (pool::average_pool, 1),
        "MaxPool" => (pool::max_pool, 1),
        "GlobalAveragePool" => (|operator| reduce::global(operator, Op::Mean), 1),
        "GlobalMaxPool" => (|operator| reduce::global(operator, Op::ReduceMax), 1),
        "Add" => (|operator| elementwise::binary(operator, Op::Add(Arithmetic::default())), 7),
        "Sub" => (|operator| elementwise::binary(operator, Op::Sub(Arithmetic::default())), 7),
        "Mul" => (elementwise::mul, 7),
        "Div" => (|operator| elementwise::binary(operator, Op::Div(Arithmetic::default())), 7),
        "Min" => (|operator| elementwise::variadic(operator, &Op::Minimum), 8),
        "Max" => (|operator| elementwise::variadic(operator, &Op::Maximum), 8),
        "Sum" => (|operator| elementwise::variadic(operator, &Op::Add(Arithmetic::default())), 8),
        "Mean" => (elementwise::mean, 8),
        "Pow" => (elementwise::pow, 7),
        "Relu" => (|operator| operator.unary(Op::Relu), 6),
        "Clip" => (activation::clip, 11),
        "LeakyRelu" => (activation::leaky_relu, 6),
        "PRelu" => (activation::p_relu, 7),
        "Elu" => (activation::elu, 6),
        "Selu" => (activation::selu, 6),
        "Celu" => (activation::celu, 12),
        "HardSigmoid" => (activation::hard_sigmoid, 6),
        "HardSwish" => (|operator| operator.unary(Op::HardSwish), 14),
        "Sigmoid" => (|operator| operator.unary(Op::Logistic), 6),
        "Tanh" => (|operator| operator.unary(Op::Tanh), 6),
        "Softplus" => (activation::softplus, 1),
        "Softsign" => (activation::softsign, 1),
        "Mish" => (activation::mish, 18),
        "Gelu" => (activation::gelu, 20),
        "Softmax" => (normalization::softmax, 1),
        "LogSoftmax" => (normalization::log_softmax, 1),
        "Exp" => (|operator| operator.unary(Op::Exp), 6),
        "Log" => (|operator| operator.unary(Op::Log), 6),
        "Sqrt" => (|operator| operator.unary(Op::Sqrt), 6),
        "Reciprocal" => (|operator| operator.unary(Op::Reciprocal), 6),
        "Neg" => (elementwise::neg, 6),
        "Abs" => (elementwise::abs, 6),
        "Erf" => (|operator| operator.unary(Op::Erf), 9),
        "Reshape" => (shape::reshape, 5),
        "Flatten" => (shape::flatten, 1),
        "Squeeze" => (shape::squeeze, 1),
        "Unsqueeze" => (shape::unsqueeze, 1),
        "Expand" => (shape::expand, 8),
        "Transpose" => (layout::transpose, 1),
        "Concat" => (layout::concat, 4),
        "Pad" => (layout::pad, 11),
        "Tile" => (layout::tile, 6),
        "DepthToSpace" => (layout::depth_to_space, 11),
        "SpaceToDepth" => (layout::space_to_depth, 1),
        "Split" => (slice::split, 2),
        "Slice" => (slice::slice, 10),
        "Gather" => (slice::gather, 1),
        "ReduceMean" => (|operator| reduce::reduce(operator, Op::Mean, 18), 1),
        "ReduceSum" => (|operator| reduce::reduce(operator, Op::Sum, 13), 1),
        "ReduceMax" => (|operator| reduce::reduce(operator, Op::ReduceMax, 18), 1),
        "ReduceMin" => (|operator| reduce::reduce(operator, Op::ReduceMin, 18), 1),
        "ReduceProd" => (|operator| reduce::reduce(operator, Op::ReduceProd, 18), 1),
        "ReduceL1" => (reduce::l1, 1),
        "ReduceL2" => (reduce::l2, 1),
        "ReduceLogSum" => (reduce::log_sum, 1),
        "ReduceLogSumExp" => (reduce::log_sum_exp, 1),
        "ReduceSumSquare" => (reduce::sum_square, 1),
        "ArgMax" => (|operator| reduce::arg_extreme(operator, Op::ArgMax), 1),
        "ArgMin" => (|operator| reduce::arg_extreme(operator, Op::ArgMin), 1),
        "Resize" => (resize::resize, 11),
        "Cast" => (constant::cast, 6),
        "Identity" => (constant::identity, 1),
        "Dropout" => (constant::dropout, 7),
        "Constant" => (constant::constant, 1),
        "ConstantOfShape" => (constant::constant_of_shape, 9),
        "Shape" => (constant::shape, 1),
        "Size" => (constant::size, 1),
        "Range" => (constant::range, 11),
        "Where" => (constant::choose, 9),
        "Equal" => (|operator| constant::compare(operator, "Equal"), 7),
        "Greater" => (|operator| constant::compare(operator, "Greater"), 7),
        "GreaterOrEqual" => (|operator| constant::compare(operator, "GreaterOrEqual"), 12),
        "Less" => (|operator| constant::compare(operator, "Less"), 7),
        "LessOrEqual" => (|operator| constant::compare(operator, "LessOrEqual"), 12),
        "And" => (|operator| constant::compare(operator, "And"), 7),
        "Or" => (|operator| constant::compare(operator, "Or"), 7),
        "Xor" => (|operator| constant::compare(operator, "Xor"), 7),
        "Not" => (constant::not, 1),
        "Mod" => (constant::modulo, 10),
        "Floor" => (|operator| constant::round(operator, "Floor", f32::floor), 6),
        "Ceil" => (|operator| constant::round(operator, "Ceil", f32::ceil), 6),
        "Round" => (|operator| constant::round(operator, "Round", f32::round_ties_even), 11),
        "QuantizeLinear" => (quantize::quantize_linear, 10),
        "DequantizeLinear" => (quantize::dequantize_linear, 10),
        "DynamicQuantizeLinear" => (quantize::dynamic_quantize_linear, 11),
        "MatMulInteger" => (quantize::mat_mul_integer, 10),
        "QLinearConv" => (quantize::q_linear_conv, 10),
        "QLinearMatMul" => (quantize::q_linear_mat_mul, 10),
        _ => return None,
    };
    Some((convert, first))
}

/// The function for an operator of onnxruntime's own.
fn extension(name: &str) -> Option<Convert> {
    Some(match name {
        "Gelu" => activation::gelu_erf,
        "QLinearAdd" => |operator| quantize::q_linear_binary(operator, Op::Add(Arithmetic::default())),
        "QLinearMul" => |operator| quantize::q_linear_binary(operator, Op::Mul(Arithmetic::default())),
        _ => return None,
    })
}

/// What to do about an operator that is not supported.
fn advice(name: &str) -> &'static str {
    match name {
        "If" | "Loop" | "Scan" | "SequenceMap" => {
            "control flow cannot be converted; trace the model with fixed inputs (torch.onnx.export of a traced model)"
        }
        "LSTM" | "GRU" | "RNN" => "recurrent layers cannot be imported yet; unroll the layer before export",
        "ConvInteger" => {
            "dynamic quantization of convolutions is not supported; quantize with quantize_static (QDQ), or export in \
             floating point and quantize here"
        }
        "Sign" => "it gives 0 for 0; write the binary activation as torch.where(x >= 0, 1.0, -1.0)",
        "Upsample" => "it was replaced by Resize in opset 10; export with opset 11 or newer",
        "GridSample" | "RoiAlign" | "NonMaxSuppression" | "TopK" | "NonZero" | "Unique" => {
            "the size or place of its result depends on the data; leave it out of the model and do it in the application"
        }
        "" => "it has no name; the file is damaged",
        _ => "write it with other operators in the model and export again",
    }
}
