//! Turns a trained neural network into a `.sct` model for microcontrollers.

pub mod core;
pub mod emit;
pub mod execute;
pub mod import;
pub mod io;
pub mod ir;
pub mod lower;
pub mod model_file;
pub mod pipeline;
pub mod plan;
