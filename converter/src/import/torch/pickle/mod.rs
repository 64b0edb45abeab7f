//! Pickles read as data.
//!
//! A pickle is a program for a small stack machine that may name and call any function. Here no call does anything:
//! the few that PyTorch uses to describe tensors are understood ([`call`]), some harmless classes become values without
//! meaning, and every other call ends the reading with its name.
//!
//! Values lie in one list and refer to one another by position, so that sharing costs nothing and a value may contain
//! itself. Time and memory are bounded by the pickle's length and by [`MOST_OBJECTS`].

mod call;
mod machine;
mod object;
mod reader;

pub(super) use machine::load;
pub(super) use object::{Handle, Object, Objects, StoredTensor};

/// Most values in a pickle: a hundred times what a network of a thousand layers takes.
const MOST_OBJECTS: usize = 1 << 20;

#[cfg(test)]
mod tests;
