//! What runs on the host: golden vectors through the whole path, from a `.tflite` file to output bytes.

mod example;
mod fidelity;
mod float_models;
mod golden_models;
mod golden_operators;
mod layers;
mod load_time;
mod malformed;
mod mutation;
