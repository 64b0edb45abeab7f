//! Fully connected layers on real numbers with integer weights.

use secateur::format::OpCode;
use secateur::kernels::dynamic_fully_connected::{Channel, Params, scratch_len};

use super::dense::plain;
use super::{Lowering, Step};
use crate::arithmetic::unsupported;
use crate::arithmetic::weights::{row_sums, scales};
use crate::ir::attributes::FullyConnected;
use crate::ir::{DType, Fault, Node};

impl Lowering<'_> {
    /// A layer whose input is quantized at run time.
    pub(super) fn dynamic_fully_connected(
        &mut self,
        node: &Node,
        layer: &FullyConnected,
    ) -> Result<(), Fault> {
        let (filter, output) = (self.operand(node, 1)?, self.result(node)?);
        if output.dtype != DType::F32 {
            return Err(Fault::Type { role: "output", found: output.dtype, expected: "f32".to_owned() });
        }
        let weights = self.weights(filter)?;
        let outputs = filter.shape.first().copied().unwrap_or(1);
        let depth = filter.shape.get(1).copied().unwrap_or(1);
        let biases = match self.bias(node) {
            Some(bias) => bias.f32_values().filter(|values| values.len() == outputs),
            None => Some(vec![0.0; outputs]),
        };
        let biases = biases
            .ok_or_else(|| unsupported("the bias is no constant of one f32 per output channel".to_owned()))?;
        let channels = row_sums(&weights, outputs).into_iter().zip(scales(filter, outputs)?).zip(biases);
        let channels: Vec<Channel> =
            channels.map(|((sum, scale), bias)| Channel { sum, scale, bias }).collect();
        let (low, high) = layer.activation.bounds();
        let params = Params {
            weights: self.store_plain(filter.dtype, &weights),
            channels: self.constants.add(&channels[..]),
            depth: u32::try_from(depth).map_err(|_| unsupported("too many inputs".to_owned()))?,
            low,
            high,
        };
        let packing = plain(filter.dtype);
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let step = Step::new(&node.name, OpCode::DynamicFullyConnected, &params, vec![input], vec![output]);
        self.step(Step { scratch_len: scratch_len(&params), packing, ..step })
    }
}
