//! Functions of one int8 value: each becomes a table of 256 results.

use secateur::format::OpCode;
use secateur::kernels::lookup::Params;

use super::{Lowering, Step};
use crate::arithmetic::{int8, table};
use crate::ir::{Fault, Node};

impl Lowering<'_> {
    pub(super) fn lookup(&mut self, node: &Node) -> Result<(), Fault> {
        let (input, output) = (self.operand(node, 0)?, self.result(node)?);
        let table = table::table(&node.op, int8("input", input)?, int8("output", output)?)?;
        let params = Params { table: self.constants.add(&table[..]) };
        let (input, output) = (self.input_value(node, 0)?, self.result_value(node)?);
        let step = Step::new(&node.name, OpCode::Lookup, &params, vec![input], vec![output]);
        self.step(Step { in_place: vec![input], ..step })
    }
}
