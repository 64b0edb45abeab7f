//! Values that only make sense with the nodes around them.
//!
//! Dynamic quantization is spread over several nodes: `DynamicQuantizeLinear` gives integers, scale and zero point,
//! `MatMulInteger` multiplies the integers, and `Cast` and `Mul` bring the product back. The graph has one operator for
//! all of it. Until the last of the nodes comes by, what the others give is kept as a [`Pending`] value.

use super::OnnxFault;
use crate::import::ImportFault;
use crate::ir::TensorId;

/// A value that no tensor of the graph stands for.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    /// The integers of a tensor that is quantized at run time.
    DynamicIntegers(TensorId),
    /// Their scale.
    DynamicScale(TensorId),
    /// Their zero point.
    DynamicZeroPoint(TensorId),
    /// The product of the integers of `input` and a constant filter, unscaled.
    Product {
        /// What is quantized at run time.
        input: TensorId,
        /// Integers `[I, O]`, zero point 0.
        filter: TensorId,
    },
    /// The scale of a product: that of the input times those of the filter.
    ProductScale {
        /// What is quantized at run time.
        input: TensorId,
        /// One scale, or one for each output.
        scales: Vec<f32>,
    },
    /// Whether each element of a tensor is 0 or more, or less than 0.
    Positive {
        /// The tensor.
        input: TensorId,
        /// Whether the condition is turned round.
        negated: bool,
    },
    /// A computation that is only done on constants.
    OnlyConstant(&'static str),
}

impl Pending {
    /// What is wrong where a tensor is expected.
    pub(super) fn fault(&self) -> ImportFault {
        match self {
            Pending::OnlyConstant(what) => OnnxFault::OnlyConstant { what }.into(),
            Pending::Positive { .. } => OnnxFault::OnlyConstant { what: "a comparison" }.into(),
            _ => OnnxFault::DynamicPattern.into(),
        }
    }
}
