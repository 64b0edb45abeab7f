//! Files: arrays and data sets that are read, results that are written whole or not at all.
//!
//! | module | holds |
//! |---|---|
//! | [`file`](mod@file) | reading a file, with errors that name it |
//! | [`atomic`] | writing a file whole or not at all |
//! | [`array`](mod@array) | [`Array`]: elements of one type with dimensions |
//! | [`npy`] | NumPy's `.npy` and `.npz` |
//! | [`idx`] | the IDX files of MNIST and its like |
//! | [`image`](mod@image) | pictures |
//! | [`folder`] | folders with one sample per file |
//! | [`input`] | arrays or raw bytes, whichever a path holds |
//! | [`dataset`] | samples with labels |
//! | [`samples`] | samples without labels, from anything that holds some |
//!
//! Readers take any bytes without panic.

pub mod array;
pub mod atomic;
pub mod dataset;
pub mod file;
pub mod folder;
pub mod idx;
pub mod image;
pub mod input;
pub mod npy;
pub mod samples;

pub use array::{Array, Elements};
pub use file::{FileError, read};
