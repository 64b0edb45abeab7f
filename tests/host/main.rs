//! What runs on the host: golden vectors through the whole path, from a `.tflite` file to output bytes.

mod golden_models;
mod golden_operators;
