//! From a network whose file says how it is quantized to integers, without calibration.
//!
//! ```text
//! node Quantize(%0) -> %1       real to integers
//! node Dequantize(%1) -> %2     and back
//! node Dequantize(%3) -> %4                        node Quantize(%0) -> %1
//! node Conv2d(%2, %4) -> %5                   =>   node Conv2d(%1, %3) -> %6
//! node Quantize(%5) -> %6                          node Dequantize(%6) -> %7
//! node Dequantize(%6) -> %7
//! ```
//!
//! - Needs: [`Op::Quantize`] and [`Op::Dequantize`] around the operators, weights and biases behind [`Op::Dequantize`] or
//!   real; float edges or integers at the edges, which stay as they are.
//! - Gives: int8 throughout. Unsigned activations are shifted by 128. An operator that moves elements takes over the
//!   quantization of its input. Biases are brought to the scale of input times weights.
//! - Leaves alone: the values that the file's scales stand for; nothing is measured anew.

mod build;
mod weights;

use thiserror::Error;

use crate::ir::check::check;
use crate::ir::{Float, Graph, Op, Problem, Quantized};
use crate::passes::{self, FuseActivation, Pass, PassError, PushTransposes, RecognizeFunctions, RemoveDead};

/// Why a network that states its quantization cannot be made one of integers.
#[derive(Debug, Error)]
pub enum FromQdqError {
    /// A pass failed; a fault of this program.
    #[error(transparent)]
    Pass(#[from] PassError),
    /// What cannot be taken as it is, all of it.
    #[error("the quantization that the file states cannot be taken over:{}", super::lines(.0))]
    Graph(Vec<Problem>),
}

/// Whether a network states how its activations are quantized.
pub fn applies(graph: &Graph<Float>) -> bool {
    graph.nodes().iter().any(|node| matches!(node.op, Op::Quantize))
}

/// The network in integers. `graph` is as the importer gave it; its inputs may get another order of axes, which the report
/// says.
///
/// # Errors
/// Operators whose output is not quantized, weights with zero points, and what else integers cannot express.
pub fn from_qdq(mut graph: Graph<Float>) -> Result<(Graph<Quantized>, passes::Report), FromQdqError> {
    let passes: [Box<dyn Pass<Float>>; 5] = [
        Box::new(RemoveDead),
        Box::new(RecognizeFunctions),
        Box::new(PushTransposes),
        Box::new(FuseActivation),
        Box::new(RemoveDead),
    ];
    let report = passes::run(&mut graph, &passes)?;
    let mut quantized = build::build(&graph).map_err(FromQdqError::Graph)?;
    quantized.compact();
    check(&quantized).map_err(FromQdqError::Graph)?;
    Ok((quantized, report))
}
