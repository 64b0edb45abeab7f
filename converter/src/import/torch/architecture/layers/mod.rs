//! The kinds of layers, one function each, in groups.

mod activation;
mod combine;
mod convolution;
mod layout;
mod linear;
mod normalization;
mod pool;
mod resize;

use super::layer::{Build, Layer};
use super::network::ValueId;

/// Every kind by its name in Python, as a module or as a function, in lower case with underscores.
pub(super) const KINDS: &[(&str, Build)] = &[
    ("conv1d", convolution::conv),
    ("conv2d", convolution::conv),
    ("conv_transpose1d", convolution::conv_transpose),
    ("conv_transpose2d", convolution::conv_transpose),
    ("linear", linear::linear),
    ("embedding", linear::embedding),
    ("batch_norm1d", normalization::batch_norm),
    ("batch_norm2d", normalization::batch_norm),
    ("max_pool1d", pool::max_pool),
    ("max_pool2d", pool::max_pool),
    ("avg_pool1d", pool::avg_pool),
    ("avg_pool2d", pool::avg_pool),
    ("adaptive_avg_pool1d", pool::adaptive_avg_pool),
    ("adaptive_avg_pool2d", pool::adaptive_avg_pool),
    ("adaptive_max_pool1d", pool::adaptive_max_pool),
    ("adaptive_max_pool2d", pool::adaptive_max_pool),
    ("relu", activation::relu),
    ("relu6", activation::relu6),
    ("hardtanh", activation::hardtanh),
    ("clamp", activation::clamp),
    ("leaky_relu", activation::leaky_relu),
    ("prelu", activation::prelu),
    ("elu", activation::elu),
    ("gelu", activation::gelu),
    ("silu", activation::silu),
    ("hardswish", activation::hardswish),
    ("hardsigmoid", activation::hardsigmoid),
    ("sigmoid", activation::sigmoid),
    ("tanh", activation::tanh),
    ("softmax", activation::softmax),
    ("log_softmax", activation::log_softmax),
    ("add", combine::add),
    ("sub", combine::sub),
    ("mul", combine::mul),
    ("div", combine::div),
    ("concat", combine::concat),
    ("cat", combine::concat),
    ("flatten", layout::flatten),
    ("reshape", layout::reshape),
    ("view", layout::reshape),
    ("permute", layout::permute),
    ("squeeze", layout::squeeze),
    ("unsqueeze", layout::unsqueeze),
    ("mean", layout::mean),
    ("sum", layout::sum),
    ("amax", layout::amax),
    ("pad", layout::pad),
    ("zero_pad1d", layout::pad),
    ("zero_pad2d", layout::pad),
    ("constant_pad1d", layout::pad),
    ("constant_pad2d", layout::pad),
    ("upsample", resize::upsample),
    ("interpolate", resize::upsample),
    ("dropout", identity),
    ("dropout1d", identity),
    ("dropout2d", identity),
    ("identity", identity),
];

/// The function for a kind, however it is spelled: `batch_norm2d`, `BatchNorm2d`.
pub(super) fn find(kind: &str) -> Option<Build> {
    let kind = normalized(kind);
    KINDS.iter().find(|(name, _)| normalized(name) == kind).map(|&(_, build)| build)
}

fn normalized(name: &str) -> String {
    name.chars().filter(|&character| character != '_').flat_map(char::to_lowercase).take(40).collect()
}

/// What does nothing when a network is used.
fn identity(layer: &mut Layer<'_>) -> Option<ValueId> {
    layer.attributes.number("p");
    layer.attributes.flag("inplace");
    layer.input()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_as_functions_and_as_modules() {
        for (index, (name, _)) in KINDS.iter().enumerate() {
            assert!(find(name).is_some());
            assert!(!KINDS[..index].iter().any(|(other, _)| normalized(other) == normalized(name)), "{name}");
        }
        for module in [
            "Conv2d",
            "BatchNorm2d",
            "ReLU",
            "ReLU6",
            "SiLU",
            "AdaptiveAvgPool2d",
            "ConvTranspose2d",
            "PReLU",
        ] {
            assert!(find(module).is_some(), "{module}");
        }
        assert!(find("conv3d").is_none());
    }
}
