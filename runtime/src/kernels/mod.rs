//! Operators, one file each.
//!
//! Every file has the same parts in the same order: what it computes and on which layouts; `Params`, its record in the
//! file's parameter section; `scratch_len`; `OPERATOR`, the entry for a [`KernelSet`]; `check`, everything that a model
//! must satisfy before the operator may run; `run`, which takes the checked operands from a [`Call`]; the kernel itself
//! on plain slices; tests.
//!
//! A kernel cannot fail: `check` has seen its parameters and shapes. Outer loops are here, inner loops in [`crate::isa`].

pub mod add;
pub mod arg_max;
pub mod average_pool2d;
mod call;
pub mod concatenation;
pub mod conv2d;
pub mod conv2d_lanes;
pub mod conv2d_nibble_lanes;
pub mod conv2d_nibbles;
pub mod conv2d_signs;
pub mod conv2d_xnor;
pub mod copy;
pub mod depthwise_conv2d;
pub mod depthwise_conv2d_nibble_row_pairs;
pub mod depthwise_conv2d_nibble_tap_pairs;
pub mod depthwise_conv2d_nibbles;
pub mod depthwise_conv2d_row_pairs;
pub mod depthwise_conv2d_tap_pairs;
pub mod dequantize;
pub mod dynamic_fully_connected;
pub mod dynamic_fully_connected_nibbles;
pub mod elementwise;
pub mod fully_connected;
pub mod fully_connected_lanes;
pub mod fully_connected_nibble_lanes;
pub mod fully_connected_nibbles;
pub mod fully_connected_signs;
pub mod fully_connected_xnor;
mod lane_layer;
pub mod lookup;
pub mod max_pool2d;
pub mod maximum;
pub mod mean;
pub mod minimum;
pub mod mul;
mod operator;
pub mod pad;
mod patch;
mod plain_weights;
pub mod pool2d;
pub mod quantize;
pub mod resize_bilinear;
pub mod resize_nearest;
mod sign_layer;
pub mod softmax;
mod strided;
pub mod strided_slice;
pub mod sub;
#[cfg(test)]
mod testing;
pub mod transpose;
pub mod transpose_conv2d;
pub mod transpose_conv2d_nibbles;
mod wide_columns;
mod window;
mod xnor_rows;

pub use call::{Call, Element, Tensor, TensorMut, Unary};
pub use operator::{KernelSet, NodeError, Operator, require};
pub use window::{Axis, Window};

/// Every operator, those that most nodes of a model are first: they are sought in this order.
pub static ALL: KernelSet = KernelSet(&[
    &conv2d_lanes::OPERATOR,
    &depthwise_conv2d_row_pairs::OPERATOR,
    &fully_connected_lanes::OPERATOR,
    &add::OPERATOR,
    &arg_max::OPERATOR,
    &average_pool2d::OPERATOR,
    &concatenation::OPERATOR,
    &conv2d::OPERATOR,
    &conv2d_nibble_lanes::OPERATOR,
    &conv2d_nibbles::OPERATOR,
    &conv2d_signs::OPERATOR,
    &conv2d_xnor::OPERATOR,
    &copy::OPERATOR,
    &depthwise_conv2d::OPERATOR,
    &depthwise_conv2d_nibble_row_pairs::OPERATOR,
    &depthwise_conv2d_nibble_tap_pairs::OPERATOR,
    &depthwise_conv2d_nibbles::OPERATOR,
    &depthwise_conv2d_tap_pairs::OPERATOR,
    &dequantize::OPERATOR,
    &dynamic_fully_connected::OPERATOR,
    &dynamic_fully_connected_nibbles::OPERATOR,
    &fully_connected::OPERATOR,
    &fully_connected_nibble_lanes::OPERATOR,
    &fully_connected_nibbles::OPERATOR,
    &fully_connected_signs::OPERATOR,
    &fully_connected_xnor::OPERATOR,
    &lookup::OPERATOR,
    &max_pool2d::OPERATOR,
    &maximum::OPERATOR,
    &mean::OPERATOR,
    &minimum::OPERATOR,
    &mul::OPERATOR,
    &pad::OPERATOR,
    &quantize::OPERATOR,
    &resize_bilinear::OPERATOR,
    &resize_nearest::OPERATOR,
    &softmax::OPERATOR,
    &strided_slice::OPERATOR,
    &sub::OPERATOR,
    &transpose::OPERATOR,
    &transpose_conv2d::OPERATOR,
    &transpose_conv2d_nibbles::OPERATOR,
]);
