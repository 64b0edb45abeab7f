//! Execution of float graphs on the host: the reference of what a network computes before it is quantized, and the
//! forward half of training.
//!
//! | module | holds |
//! |---|---|
//! | [`executor`] | [`Executor`]: checks a graph once, runs samples |
//! | [`part`] | parts of a graph, run on inputs of their own |
//! | [`evaluate`](mod@evaluate) | values of operators on constants, for passes |
//! | `operands` | the types that an operator is computed on |
//! | `operator` | which kernel computes an operator |
//! | [`convolution`], [`depthwise`], [`transpose_convolution`], [`fully_connected`] | layers with weights |
//! | [`pool`], [`reduce`], [`resize`], [`softmax`] | layers without |
//! | [`elementwise`], [`activation`] | functions of each element |
//! | [`layout`] | moves of elements |
//! | [`quantize`], [`cast`] | other types |
//! | [`walk`], [`matmul`], [`array`](mod@array), [`threads`] | what kernels are made of |
//!
//! Kernels are plain functions of attributes, arrays and the output's array. Their shapes have been checked by
//! [`crate::ir::check`]. Results never depend on the number of threads.
//!
//! Tensors of integers hold integers, exactly: what [`Op::Quantize`](crate::ir::Op::Quantize) writes is rounded and
//! clamped as on the device, and [`Op::Dequantize`](crate::ir::Op::Dequantize) makes real numbers of it again. A fully
//! connected layer with a filter of integers computes with the real numbers that these stand for.

pub mod activation;
pub mod array;
mod bounds;
pub mod cast;
pub mod convolution;
pub mod depthwise;
pub mod elementwise;
pub mod error;
pub mod evaluate;
pub mod executor;
pub mod fully_connected;
pub mod layout;
pub mod matmul;
mod operands;
mod operator;
pub mod part;
pub mod pool;
pub mod quantize;
pub mod reduce;
pub mod resize;
pub mod softmax;
pub mod threads;
pub mod transpose_convolution;
mod value;
pub mod walk;

pub use array::{Array, ArrayMut};
pub use error::{ExecuteError, OperatorFault};
pub use evaluate::{evaluate, evaluate_as};
pub use executor::{Executor, Sample};
pub use part::Part;
pub use threads::Threads;

#[cfg(test)]
mod tests;
