//! Products of several factors.

use super::super::constants::scalar;
use crate::ir::attributes::Arithmetic;
use crate::ir::{Activation, Float, NodeId, Op, Rewriter, TensorId};

/// `factor` times all operands, as several multiplications and divisions by constants compute it.
#[derive(Debug, PartialEq)]
pub(super) struct Product {
    pub(super) factor: f64,
    pub(super) operands: Vec<TensorId>,
}

/// Most multiplications that are taken together.
const MOST_FACTORS: usize = 6;

impl Product {
    /// The product that a node writes; `None` if it does not multiply or divide by a constant.
    pub(super) fn of(graph: &Rewriter<'_, Float>, node: NodeId) -> Option<Self> {
        let mut product = Product { factor: 1.0, operands: Vec::new() };
        product.multiply(graph, node, 0)?;
        Some(product)
    }

    fn multiply(&mut self, graph: &Rewriter<'_, Float>, id: NodeId, depth: usize) -> Option<()> {
        let plain = Arithmetic { activation: Activation::None };
        let node = &graph[id];
        if node.op == Op::Div(plain.clone()) {
            self.factor /= scalar(graph, node.input(1))?;
            return self.include(graph, node.input(0)?, depth);
        }
        if node.op != Op::Mul(plain) {
            return None;
        }
        self.include(graph, node.input(0)?, depth)?;
        self.include(graph, node.input(1)?, depth)
    }

    fn include(&mut self, graph: &Rewriter<'_, Float>, tensor: TensorId, depth: usize) -> Option<()> {
        if let Some(value) = scalar(graph, Some(tensor)) {
            self.factor *= value;
            return Some(());
        }
        let before = (self.factor, self.operands.len());
        if let Some(writer) = graph.writer(tensor).filter(|_| depth < MOST_FACTORS) {
            if self.multiply(graph, writer, depth + 1).is_some() {
                return Some(());
            }
            (self.factor, _) = before;
            self.operands.truncate(before.1);
        }
        self.operands.push(tensor);
        (self.operands.len() <= MOST_FACTORS).then_some(())
    }
}
