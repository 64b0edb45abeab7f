//! The importer of ONNX models, from bytes to graphs.

mod files;
mod models;
mod operators;
