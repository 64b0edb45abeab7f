// Written from "fashion_dscnn_int8.tflite" by secateur 0.1.0: convert the model again instead of editing.

use secateur::kernels::{self, KernelSet};
use secateur::{ModelImage, include_model};

/// The model: 42770 bytes of flash.
pub(crate) static MODEL: ModelImage = include_model!("fashion_dscnn.sct");

/// Bytes of RAM that a session needs: 28160.
#[allow(dead_code)]
pub(crate) const ARENA_LEN: usize = MODEL.arena_len();

/// The operators that the model needs. No other is linked.
pub(crate) static KERNELS: KernelSet = KernelSet(&[
    &kernels::conv2d_lanes::OPERATOR,
    &kernels::depthwise_conv2d_row_pairs::OPERATOR,
    &kernels::fully_connected_lanes::OPERATOR,
    &kernels::mean::OPERATOR,
]);

/// Names of the classes, by position in the output.
#[allow(dead_code)]
pub(crate) static LABELS: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
