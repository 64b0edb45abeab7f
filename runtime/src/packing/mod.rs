//! How weights are stored for fast kernels: each packing with its writer and its portable reader in one file.
//!
//! A packing changes how weights are stored and how fast they run, never a result: every kernel on packed weights gives
//! the bytes that the plain kernel gives on the unpacked ones. The converter chooses a packing per layer and proves from
//! the actual weights that its bounds hold.

pub mod lanes;
pub mod nibble_lanes;
pub mod nibbles;
pub mod row_pairs;
pub mod signs;
pub mod tap_pairs;
pub mod xnor;
