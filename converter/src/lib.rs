//! Converter.

pub mod plan;
