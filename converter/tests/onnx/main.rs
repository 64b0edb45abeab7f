//! The importer of ONNX models, from bytes to graphs, and from stated quantization to integers.

mod files;
mod malformed;
mod models;
mod operators;
mod qdq;
