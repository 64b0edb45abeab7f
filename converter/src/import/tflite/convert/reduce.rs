//! Operators that reduce axes.

use crate::import::tflite::operator::{Converted, Operator};
use crate::import::tflite::schema::{self, reducer_options};
use crate::ir::Op;
use crate::ir::attributes::{ArgExtreme, Reduce};

pub(super) fn reduce(operator: &mut Operator<'_>, op: fn(Reduce) -> Op) -> Option<Converted> {
    operator.expect_options(schema::REDUCER)?;
    let keep_dims = operator.scalar(reducer_options::KEEP_DIMS, false)?;
    let rank = operator.input(0, "input")?.shape.rank();
    let values = operator.constant(1, "axes")?;
    let axes: Vec<Option<usize>> = values.into_iter().map(|axis| operator.axis("axes", axis, rank)).collect();
    let mut axes = axes.into_iter().collect::<Option<Vec<_>>>()?;
    axes.sort_unstable();
    axes.dedup();
    Converted::unary(op(Reduce { axes, keep_dims }))
}

pub(super) fn arg_extreme(operator: &mut Operator<'_>, op: fn(ArgExtreme) -> Op) -> Option<Converted> {
    let rank = operator.input(0, "input")?.shape.rank();
    let [axis] = operator.constant_of::<1>(1, "axis")?;
    let axis = operator.axis("axis", axis, rank)?;
    Converted::unary(op(ArgExtreme { axis }))
}
