//! Turns a trained neural network into a `.sct` model for microcontrollers.

pub mod accuracy;
pub mod arithmetic;
pub mod board;
pub mod core;
pub mod cost;
pub mod describe;
pub mod dump;
pub mod emit;
pub mod execute;
pub mod facts;
pub mod feed;
pub mod fidelity;
pub mod float;
pub mod import;
pub mod io;
pub mod ir;
pub mod layer_error;
pub mod limits;
pub mod lower;
pub mod model_file;
pub mod open;
pub mod passes;
pub mod pipeline;
pub mod plan;
pub mod port;
pub mod rust_module;
