//! Turns a trained neural network into a `.sct` model for microcontrollers.

pub mod ir;
pub mod lower;
