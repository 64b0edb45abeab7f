//! The graph that every importer writes, every pass rewrites and the emitter reads.
//!
//! | module | holds |
//! |---|---|
//! | [`graph`] | [`Graph`], [`Node`], the ids, and the graph's state as a type |
//! | [`tensor`] | [`Tensor`], [`DType`], [`Quantization`] |
//! | [`shape`] | [`Shape`] and [`Hw`] |
//! | [`op`], [`attributes`] | [`Op`] and one attribute struct per operator |
//! | [`infer`] | output shapes and types of an operator |
//! | [`check`] | well-formedness, run after every import and pass |
//! | [`edit`], [`rewriter`] | the only ways to rewire a graph |
//! | [`text`] | the textual form: printed by `inspect`, read by tests |
//! | [`problem`] | what is wrong with a graph, and where |
//!
//! Layouts are fixed: activations NHWC, convolution filters OHWI, depthwise filters 1HWC, fully connected filters
//! OI. An importer whose format differs transposes constants and inserts [`Op::Transpose`] at the edges.

pub mod attributes;
pub mod check;
pub mod edit;
pub mod graph;
pub mod infer;
pub mod op;
pub mod problem;
pub mod rewriter;
pub mod shape;
pub mod tensor;
pub mod text;

pub use attributes::{Activation, Padding};
pub use graph::{Float, Graph, Node, NodeId, Quantized, State, TensorId};
pub use op::Op;
pub use problem::{Fault, Place, Problem};
pub use rewriter::Rewriter;
pub use shape::{Hw, Shape};
pub use tensor::{DType, Quantization, Tensor};
