//! Operators that bring values to a common scale.

use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{BatchNormalization, Softmax};
use crate::ir::{Fault, Op, TensorId};

/// Channels are axis 1 in the file and the last axis in the graph.
pub(super) fn batch_normalization(operator: &mut Operator<'_>) -> Option<Values> {
    operator.ignore(&["momentum", "spatial"]);
    operator.one_output("statistics of the batch");
    if operator.flag("training_mode", false)? {
        return operator.unsupported(
            "training_mode",
            1,
            "export the model in evaluation mode (model.eval())",
        );
    }
    let epsilon = operator.real("epsilon", 1e-5)?;
    let input = operator.input(0, "input")?;
    let mut parameters = Vec::with_capacity(4);
    for (slot, role) in [(1, "scale"), (2, "shift (B)"), (3, "mean"), (4, "variance")] {
        let parameter = operator.input(slot, role)?;
        parameters.push(operator.fixed(parameter, role)?);
    }
    let rank = operator.rank(input);
    if rank < 2 {
        let shape = operator.shape(input);
        operator.fault(Fault::Rank { role: "input", shape, expected: "2 or more" });
        return None;
    }
    let last: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    let first: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    let turned = operator.transpose(input, &last)?;
    let inputs: Vec<TensorId> = [turned].into_iter().chain(parameters).collect();
    let result = operator.emit(Op::BatchNormalization(BatchNormalization { epsilon }), &inputs)?;
    operator.transpose(result, &first).and_then(one)
}

pub(super) fn softmax(operator: &mut Operator<'_>) -> Option<Values> {
    along_axis(operator, Op::Softmax(Softmax { beta: 1.0 }))
}

pub(super) fn log_softmax(operator: &mut Operator<'_>) -> Option<Values> {
    along_axis(operator, Op::LogSoftmax)
}

/// Up to opset 12, all axes from the given one on are one axis.
fn along_axis(operator: &mut Operator<'_>, op: Op) -> Option<Values> {
    let input = operator.input(0, "input")?;
    let shape = operator.shape(input);
    let rank = shape.rank();
    let value = operator.integer("axis", if operator.opset < 13 { 1 } else { -1 })?;
    let axis = operator.axis("axis", value, rank)?;
    if axis + 1 == rank {
        return operator.emit(op, &[input]).and_then(one);
    }
    if operator.opset < 13 {
        let (outer, inner) = shape.split_at(axis);
        let matrix = operator.reshape(input, [outer.iter().product(), inner.iter().product::<usize>()])?;
        let result = operator.emit(op, &[matrix])?;
        return operator.reshape(result, shape).and_then(one);
    }
    let mut order: Vec<usize> = (0..rank).collect();
    order.swap(axis, rank - 1);
    let turned = operator.transpose(input, &order)?;
    let result = operator.emit(op, &[turned])?;
    operator.transpose(result, &order).and_then(one)
}
