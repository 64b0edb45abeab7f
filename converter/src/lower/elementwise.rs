//! Arithmetic on two tensors.

use secateur::format::OpCode;

use super::{Lowering, Step, ValueId, same_quantization};
use crate::arithmetic::{Affine, elementwise, int8};
use crate::ir::attributes::Arithmetic;
use crate::ir::{Fault, Node};

impl Lowering<'_> {
    pub(super) fn add(&mut self, node: &Node, add: &Arithmetic) -> Result<(), Fault> {
        self.sum(node, OpCode::Add, add)
    }

    pub(super) fn sub(&mut self, node: &Node, sub: &Arithmetic) -> Result<(), Fault> {
        self.sum(node, OpCode::Sub, sub)
    }

    fn sum(&mut self, node: &Node, op: OpCode, arithmetic: &Arithmetic) -> Result<(), Fault> {
        let [first, second, output] = self.affine(node)?;
        let params = elementwise::sum(first, second, output, arithmetic.activation)?;
        self.binary(node, op, &params)
    }

    pub(super) fn mul(&mut self, node: &Node, mul: &Arithmetic) -> Result<(), Fault> {
        let [first, second, output] = self.affine(node)?;
        let params = elementwise::product(first, second, output, mul.activation)?;
        self.binary(node, OpCode::Mul, &params)
    }

    /// The larger or smaller of two values of one quantization.
    pub(super) fn extreme(&mut self, node: &Node, op: OpCode) -> Result<(), Fault> {
        let [first, second, output] = self.affine(node)?;
        same_quantization(first, output)?;
        same_quantization(second, output)?;
        self.binary(node, op, &())
    }

    /// How two operands and the output are quantized.
    fn affine(&self, node: &Node) -> Result<[Affine; 3], Fault> {
        Ok([
            int8("first operand", self.operand(node, 0)?)?,
            int8("second operand", self.operand(node, 1)?)?,
            int8("output", self.result(node)?)?,
        ])
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
