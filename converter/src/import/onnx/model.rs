//! The file as messages, and the versions that it states.

use rten_onnx::onnx::{GraphProto, ModelProto};

use super::OnnxFault;
use super::wire::look_over;

/// Versions of the file format that are read.
const IR_VERSIONS: std::ops::RangeInclusive<i64> = 3..=13;
/// Versions of the standard operators that are read.
pub(super) const OPSETS: std::ops::RangeInclusive<i64> = 11..=23;

/// A model as the file states it.
pub(super) struct Model {
    pub(super) graph: GraphProto,
    /// Version of the standard operators.
    pub(super) opset: i64,
}

/// Reads the messages and checks the versions.
///
/// # Errors
/// The first thing that makes the file unreadable.
pub(super) fn read(bytes: &[u8]) -> Result<Model, OnnxFault> {
    look_over(bytes)?;
    let model =
        ModelProto::parse_buf(bytes).map_err(|error| OnnxFault::Unreadable { what: error.to_string() })?;
    let ModelProto { ir_version, graph, opset_import, .. } = model;
    let graph = graph.ok_or(OnnxFault::NoGraph)?;
    let found = ir_version.unwrap_or(0);
    if !IR_VERSIONS.contains(&found) {
        return Err(OnnxFault::IrVersion { found, oldest: *IR_VERSIONS.start(), newest: *IR_VERSIONS.end() });
    }
    let standard = opset_import.iter().find(|opset| is_standard(opset.domain.as_deref().unwrap_or_default()));
    let opset = standard.and_then(|opset| opset.version).ok_or(OnnxFault::NoOpset)?;
    if !OPSETS.contains(&opset) {
        return Err(OnnxFault::Opset { found: opset, oldest: *OPSETS.start(), newest: *OPSETS.end() });
    }
    Ok(Model { graph, opset })
}

/// Whether a domain is that of the standard operators.
pub(super) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}
