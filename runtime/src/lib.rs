//! Runs quantized, pruned neural networks on Cortex-M: no allocation, no panics, the same bytes everywhere.
//!
//! A model is a `.sct` file, written by the `secateur` command. It is checked once and then runs in place, from flash:
//!
//! ```no_run
//! use secateur::{Model, Session, kernels};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file: &[u8] = &[];
//! let model = Model::load(file, &kernels::ALL)?;
//! # let mut arena = vec![0u8; model.arena_len()];
//! let mut session = Session::new(&model, &mut arena)?;
//! session.input_mut::<i8>(0)?.fill(0);
//! session.run();
//! let scores = session.output::<i8>(0)?;
//! # let _ = scores;
//! # Ok(())
//! # }
//! ```
//!
//! # Layers, lowest first
//!
//! | module | what | may use |
//! |---|---|---|
//! | [`format`](mod@format) | the bytes of a file: records, reader, writer | nothing |
//! | [`quant`] | integer arithmetic of quantized networks | nothing |
//! | [`isa`] | inner loops, per instruction set | `quant` |
//! | [`kernels`] | operators: records of their parameters, checks, outer loops | `format`, `quant`, `isa` |
//! | `model` | checking a whole model | `format`, `kernels` |
//! | `session` | running it on an arena | all above |
//! | [`self_check`](mod@self_check) | whether a device computes what the converter computed | all above |
//! | `image` | a model file in the firmware, an arena of its size | `format` |
#![no_std]
#![deny(missing_debug_implementations)]

pub mod format;
mod image;
pub mod isa;
pub mod kernels;
mod model;
pub mod packing;
pub mod quant;
pub mod self_check;
mod session;

#[doc(hidden)]
pub use image::Aligned;
pub use image::{Arena, ModelImage};
pub use model::{LoadError, Model};
pub use session::{Observer, Port, PortError, Progress, Session, SessionError};
