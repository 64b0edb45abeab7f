//! What runs on the host: golden vectors through the whole path, from a `.tflite` file to output bytes.

mod example;
mod golden_models;
mod golden_operators;
mod load_time;
mod malformed;
mod mutation;

use secateur_converter::core::Core;

/// One core for each set of packings.
const CORES: [Core; 2] = [Core::CortexM0, Core::CortexM4];
