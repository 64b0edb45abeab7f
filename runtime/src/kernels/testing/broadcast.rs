//! Operands of the operators on two tensors.

extern crate std;
use std::vec::Vec;

use proptest::prelude::*;
use zerocopy::{Immutable, IntoBytes};

use super::definitions::{flat, position};
use super::{OneNode, shapes, values};
use crate::format::OpCode;

/// Two operands whose shapes broadcast to `dims`.
#[derive(Debug, Clone)]
pub(crate) struct BinaryCase {
    dims: Vec<usize>,
    sides: [(Vec<usize>, Vec<i8>); 2],
}

/// Cases with every way of broadcasting, leading dimensions left out or not.
pub(crate) fn binary_cases() -> impl Strategy<Value = BinaryCase> {
    let dims = (shapes(), 0u32..64, 0u32..64, 0usize..6);
    dims.prop_flat_map(|(dims, mask, other_mask, skip)| {
        let side = |mask: u32| -> Vec<usize> {
            dims.iter().enumerate().map(|(i, &d)| if mask >> i & 1 == 1 { 1 } else { d }).collect()
        };
        let (a, mut b) = (side(mask & !other_mask), side(other_mask));
        let ones = b.iter().take(b.len() - 1).take_while(|&&d| d == 1).count();
        b.drain(..skip.min(ones));
        let sides = (values(&a), values(&b));
        sides.prop_map(move |(x, y)| BinaryCase {
            dims: dims.clone(),
            sides: [(a.clone(), x), (b.clone(), y)],
        })
    })
}

impl BinaryCase {
    /// Asserts that operator `op` gives `f(a, b)` everywhere: with operands in the arena, with either as a constant, and
    /// with the output in the place of each operand that does not repeat.
    pub(crate) fn assert<P: IntoBytes + Immutable>(&self, op: OpCode, params: &P, f: impl Fn(i8, i8) -> i8) {
        let [(a, x), (b, y)] = &self.sides;
        let count = self.dims.iter().product::<usize>();
        let expected: Vec<i8> = (0..count)
            .map(|i| {
                let at = position(&self.dims, i);
                let [a, b] = [(a, x), (b, y)].map(|(side, values)| {
                    let own = at[at.len() - side.len()..].iter().zip(side);
                    let own: Vec<usize> = own.map(|(along, dim)| along % dim).collect();
                    values[flat(side, &own)]
                });
                f(a, b)
            })
            .collect();
        let node = OneNode::new(op).params(params);
        let both = node.clone().input(a, x).input(b, y);
        assert_eq!(both.clone().output::<i8>(&self.dims).run::<i8>(), expected);
        let constant = node.clone().input(a, x).constant_input(b, y).output::<i8>(&self.dims);
        assert_eq!(constant.run::<i8>(), expected);
        let constant = node.constant_input(a, x).input(b, y).output::<i8>(&self.dims);
        assert_eq!(constant.run::<i8>(), expected);
        for (index, side) in [x, y].into_iter().enumerate().filter(|(_, side)| side.len() == count) {
            let in_place = both.clone().output_in_place::<i8>(index, &self.dims);
            assert_eq!(in_place.run::<i8>(), expected, "in place of operand {index} ({} values)", side.len());
        }
    }
}
