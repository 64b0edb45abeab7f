//! The integer arithmetic of the operators: what scales, zero points and clamps become in the runtime's parameters.
//!
//! Lowering stores the results, passes compute with them: both see the same numbers.
//!
//! | module | holds |
//! |---|---|
//! | [`scale`] | real factors as multipliers, activations as clamps |
//! | [`weights`] | layers that multiply by weights |
//! | [`elementwise`] | arithmetic on two tensors |
//! | [`reduction`] | sums and means |
//! | [`table`] | functions of one value |
//! | [`function`] | those of them that are computed in real numbers |

pub mod elementwise;
pub mod function;
pub mod reduction;
pub mod scale;
pub mod table;
pub mod weights;

use crate::ir::{DType, Fault, Tensor};

/// An affine quantization of one scale, as the arithmetic wants it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Step of the quantized values.
    pub scale: f32,
    /// Quantized value that stands for 0.
    pub zero_point: i32,
}

/// Scale and zero point of a tensor that must be int8 with one scale.
///
/// # Errors
/// If it is not.
pub fn int8(role: &'static str, tensor: &Tensor) -> Result<Affine, Fault> {
    if tensor.dtype != DType::I8 {
        return Err(Fault::Type { role, found: tensor.dtype, expected: "i8".to_owned() });
    }
    let quantization = tensor.quantization.as_ref().and_then(|q| q.single());
    let (scale, zero_point) = quantization.ok_or(Fault::NotQuantized { dtype: tensor.dtype })?;
    Ok(Affine { scale, zero_point })
}

/// An int8 value, as the format stores it; the graph's checks have seen that it fits.
pub fn narrow(zero_point: i32) -> i8 {
    zero_point.clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

/// The fault of something that the runtime cannot do.
pub fn unsupported(what: String) -> Fault {
    Fault::Unsupported { what }
}
