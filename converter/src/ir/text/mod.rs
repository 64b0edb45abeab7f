//! The textual form of a graph.
//!
//! ```text
//! # A comment.
//! graph "tiny" quantized
//! %0 "image" i8[1,8,8,1] scale 0.5 zero -128
//! %1 "filter" i8[2,1,1,1] scale [0.1,0.2] zero [0,0] axis 0 = [5,-3]
//! %2 "result" i8[1,8,8,2] scale 0.25 zero 3
//! inputs %0
//! outputs %2
//! node "conv" Conv2d(%0, %1, _) -> %2 dilation=[1,1] groups=1 stride=[1,1]
//! ```
//!
//! A line each for the graph, its tensors, its inputs and outputs, and its nodes in running order. Names are JSON
//! strings. Attributes are those of [`crate::ir::attributes`] in JSON; no activation and no padding are left out.
//! Long constants are abbreviated, `= 4096 bytes`; such a text can be read by people, but not by [`parse`].

mod parse;
mod print;

pub use parse::{ParseError, parse};
pub use print::print;

#[cfg(test)]
mod tests;
