//! Quantization arithmetic: one source for the converter, the host and every board.
//!
//! Everything here is integer arithmetic and equals TensorFlow Lite's reference kernels (with two roundings) bit for bit.

mod common_scale;
pub mod fixed_point;
mod multiplier;

pub use common_scale::CommonScale;
pub use multiplier::{
    ChannelQuant, Multiplier, OutputStage, rounding_divide_by_power_of_two,
    saturating_rounding_doubling_high_mul,
};
