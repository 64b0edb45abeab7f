//! How much accuracy post-training quantization costs, measured on real networks: the quantized file as a device runs it
//! against the network of real numbers.

mod fashion;
mod measure;
mod published;
