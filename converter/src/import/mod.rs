//! Readers of model files. One folder per format; each turns bytes into a checked graph.
//!
//! A reader takes any bytes without panic, in time and memory bounded by a small multiple of their length, and
//! reports every problem it finds, each with its place and with what to do.

pub(crate) mod nchw;
pub mod onnx;
pub mod problem;
pub mod settle;
pub mod tflite;
pub mod torch;

pub use problem::{ImportErrors, ImportFault, ImportProblem};

use crate::ir::{Float, Graph, Quantized};

/// A model in the state that its file left it in.
#[derive(Clone, Debug, PartialEq)]
pub enum Imported {
    /// Integers throughout; real numbers at most at the edges.
    Quantized(Graph<Quantized>),
    /// Real numbers throughout.
    Float(Graph<Float>),
    /// Real numbers throughout now; in the file, some weights are integers (dynamic-range quantization). What the
    /// file's own runtime computes differs slightly, because it also rounds activations.
    Hybrid(Graph<Float>),
}
