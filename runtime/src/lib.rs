//! Runtime.
#![no_std]
pub mod format;
