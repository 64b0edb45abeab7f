//! Turns a trained neural network into a `.sct` model for microcontrollers.

pub mod import;
pub mod ir;
