//! Arithmetic on two tensors.

use secateur::format::OpCode;
use secateur::kernels::{add, mul};
use secateur::quant::Multiplier;

use super::arithmetic::{multiplier, stage};
use super::{Lowering, Step, ValueId, int8, narrow, same_quantization};
use crate::ir::attributes::Arithmetic;
use crate::ir::{Fault, Node};

impl Lowering<'_> {
    pub(super) fn add(&mut self, node: &Node, add: &Arithmetic) -> Result<(), Fault> {
        let params = self.sum_params(node, add)?;
        self.binary(node, OpCode::Add, &params)
    }

    pub(super) fn sub(&mut self, node: &Node, sub: &Arithmetic) -> Result<(), Fault> {
        let params = self.sum_params(node, sub)?;
        self.binary(node, OpCode::Sub, &params)
    }

    pub(super) fn mul(&mut self, node: &Node, mul: &Arithmetic) -> Result<(), Fault> {
        let first = int8("first operand", self.operand(node, 0)?)?;
        let second = int8("second operand", self.operand(node, 1)?)?;
        let output = int8("output", self.result(node)?)?;
        let factor = f64::from(first.scale) * f64::from(second.scale) / f64::from(output.scale);
        let params = mul::Params {
            multiplier: multiplier(factor)?,
            stage: stage(output, mul.activation),
            zero_points: [narrow(first.zero_point), narrow(second.zero_point)],
            reserved: [0; 2],
        };
        self.binary(node, OpCode::Mul, &params)
    }

    /// The larger or smaller of two values of one quantization.
    pub(super) fn extreme(&mut self, node: &Node, op: OpCode) -> Result<(), Fault> {
        let output = int8("output", self.result(node)?)?;
        for (slot, role) in ["first operand", "second operand"].into_iter().enumerate() {
            same_quantization(int8(role, self.operand(node, slot)?)?, output)?;
        }
        self.binary(node, op, &())
    }

    /// Parameters of a sum or difference: both operands at twice the larger scale, with headroom.
    fn sum_params(&self, node: &Node, arithmetic: &Arithmetic) -> Result<add::Params, Fault> {
        let first = int8("first operand", self.operand(node, 0)?)?;
        let second = int8("second operand", self.operand(node, 1)?)?;
        let output = int8("output", self.result(node)?)?;
        let common = 2.0 * f64::from(first.scale.max(second.scale));
        let inputs: [Multiplier; 2] =
            [multiplier(f64::from(first.scale) / common)?, multiplier(f64::from(second.scale) / common)?];
        Ok(add::Params {
            inputs,
            output: multiplier(common / (f64::from(1u32 << add::LEFT_SHIFT) * f64::from(output.scale)))?,
            stage: stage(output, arithmetic.activation),
            zero_points: [narrow(first.zero_point), narrow(second.zero_point)],
            reserved: [0; 2],
        })
    }

    /// A step on two operands whose output may stand in the place of either that has its size.
    fn binary<P>(&mut self, node: &Node, op: OpCode, params: &P) -> Result<(), Fault>
    where
        P: zerocopy::IntoBytes + zerocopy::Immutable,
    {
        let inputs = vec![self.input_value(node, 0)?, self.input_value(node, 1)?];
        let output = self.result_value(node)?;
        let size = |value: ValueId| self.program.values[value.0].byte_len();
        let in_place = inputs.iter().copied().filter(|&input| size(input) == size(output)).collect();
        self.step(Step { in_place, ..Step::new(&node.name, op, params, inputs, vec![output]) })
    }
}
