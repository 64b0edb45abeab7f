//! The importer of TensorFlow Lite models, from bytes to graphs.

mod builder;
mod files;
mod limits;
mod malformed;
mod memory;
mod models;
mod mutations;
mod operators;
mod traps;
