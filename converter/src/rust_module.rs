//! A Rust module for a firmware that carries one model: the file, its arena's size, its operators and no other, its
//! labels.

use std::fmt::Write as _;
use std::path::{Component, Path, PathBuf};

use secateur::Model;
use secateur::format::{OpCode, Packing};
use secateur::kernels::{self, Operator};

use crate::facts::Facts;

macro_rules! modules {
    ($($module:ident),* $(,)?) => {
        [$((&kernels::$module::OPERATOR, stringify!($module))),*]
    };
}

/// Every operator with the module that it is in.
static MODULES: [(&Operator, &str); 42] = modules![
    add,
    arg_max,
    average_pool2d,
    concatenation,
    conv2d,
    conv2d_lanes,
    conv2d_nibble_lanes,
    conv2d_nibbles,
    conv2d_signs,
    conv2d_xnor,
    copy,
    depthwise_conv2d,
    depthwise_conv2d_nibble_row_pairs,
    depthwise_conv2d_nibble_tap_pairs,
    depthwise_conv2d_nibbles,
    depthwise_conv2d_row_pairs,
    depthwise_conv2d_tap_pairs,
    dequantize,
    dynamic_fully_connected,
    dynamic_fully_connected_nibbles,
    fully_connected,
    fully_connected_lanes,
    fully_connected_nibble_lanes,
    fully_connected_nibbles,
    fully_connected_signs,
    fully_connected_xnor,
    lookup,
    max_pool2d,
    maximum,
    mean,
    minimum,
    mul,
    pad,
    quantize,
    resize_bilinear,
    resize_nearest,
    softmax,
    strided_slice,
    sub,
    transpose,
    transpose_conv2d,
    transpose_conv2d_nibbles,
];

/// The text of the module for `model`, which `path` leads to from the module's folder.
#[must_use]
pub fn text(model: &Model<'_>, path: &Path) -> String {
    let facts = Facts::of(model.tables());
    let source = facts.source.map_or_else(String::new, |(name, _)| format!("from {name:?} "));
    let path = path.to_string_lossy().replace('\\', "/");
    let mut text = format!(
        "// Written {source}by {}: convert the model again instead of editing.\n\n\
         use secateur::kernels::{{self, KernelSet}};\n\
         use secateur::{{ModelImage, include_model}};\n\n\
         /// The model: {} bytes of flash.\n\
         pub(crate) static MODEL: ModelImage = include_model!({path:?});\n\n\
         /// Bytes of RAM that a session needs: {}.\n\
         #[allow(dead_code)]\n\
         pub(crate) const ARENA_LEN: usize = MODEL.arena_len();\n\n\
         /// The operators that the model needs. No other is linked.\n\
         pub(crate) static KERNELS: KernelSet = KernelSet(&[\n",
        facts.converter,
        model.tables().header().total_len,
        model.arena_len(),
    );
    for module in modules_of(model) {
        let _ = writeln!(text, "    &kernels::{module}::OPERATOR,");
    }
    let count = facts.labels.len();
    let _ = write!(
        text,
        "]);\n\n/// Names of the classes, by position in the output.\n#[allow(dead_code)]\npub(crate) static LABELS: [&str; {count}] = ["
    );
    for label in &facts.labels {
        let _ = write!(text, "\n    {label:?},");
    }
    text.push_str(if count == 0 { "];\n" } else { "\n];\n" });
    text
}

/// The modules of the operators that run a model, each once.
fn modules_of(model: &Model<'_>) -> impl Iterator<Item = &'static str> {
    let nodes: Vec<(Option<OpCode>, Option<Packing>)> =
        model.tables().nodes().map(|node| (node.op(), node.packing())).collect();
    let needed = move |operator: &Operator| nodes.contains(&(Some(operator.code), Some(operator.packing)));
    MODULES.iter().filter(move |(operator, _)| needed(operator)).map(|(_, module)| *module)
}

/// The way from one folder to a file, both absolute and without detours.
#[must_use]
pub fn way(folder: &Path, file: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), file.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from.iter().skip(common).map(|_| Component::ParentDir);
    up.chain(to.into_iter().skip(common)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operator_has_its_module() {
        let mut listed: Vec<_> =
            MODULES.iter().map(|(operator, _)| (operator.code, operator.packing)).collect();
        let mut all: Vec<_> =
            kernels::ALL.0.iter().map(|operator| (operator.code, operator.packing)).collect();
        for operators in [&mut listed, &mut all] {
            operators.sort_by_key(|&(code, packing)| (code as u16, packing as u16));
        }
        assert_eq!(listed, all);
    }

    #[test]
    fn ways_are_relative() {
        let leads = |folder: &str, file: &str| way(Path::new(folder), Path::new(file)).display().to_string();
        assert_eq!(leads("/p/src", "/p/src/m.sct"), "m.sct");
        assert_eq!(leads("/p/src", "/p/models/m.sct"), "../models/m.sct");
    }
}
