//! Operators, one file each.
//!
//! Every file has the same parts in the same order: what it computes and on which layouts; `Params`, its record in the
//! file's parameter section; `scratch_len`; `OPERATOR`, the entry for a [`KernelSet`]; `check`, everything that a model
//! must satisfy before the operator may run; `run`, which takes the checked operands from a [`Call`]; the kernel itself
//! on plain slices; tests.
//!
//! A kernel cannot fail: `check` has seen its parameters and shapes. Outer loops are here, inner loops in [`crate::isa`].

pub mod add;
pub mod average_pool2d;
mod call;
pub mod conv2d;
pub mod depthwise_conv2d;
pub mod elementwise;
pub mod fully_connected;
pub mod lookup;
pub mod max_pool2d;
pub mod mean;
#[cfg(test)]
mod naive;
mod operator;
mod patch;
pub mod pool2d;
pub mod softmax;
#[cfg(test)]
mod testing;
pub mod transpose_conv2d;
mod window;

pub use call::{Call, Element, Tensor, TensorMut, Unary};
pub use operator::{KernelSet, NodeError, Operator, require};
pub use window::{Axis, Window};

/// Every operator.
pub static ALL: KernelSet = KernelSet(&[
    &add::OPERATOR,
    &average_pool2d::OPERATOR,
    &conv2d::OPERATOR,
    &depthwise_conv2d::OPERATOR,
    &fully_connected::OPERATOR,
    &lookup::OPERATOR,
    &max_pool2d::OPERATOR,
    &mean::OPERATOR,
    &softmax::OPERATOR,
    &transpose_conv2d::OPERATOR,
]);
