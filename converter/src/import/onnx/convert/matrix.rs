//! Matrix products with weights.

use crate::import::ImportFault;
use crate::import::onnx::operator::{Operator, Values, one};
use crate::ir::attributes::{Arithmetic, FullyConnected};
use crate::ir::{Activation, Fault, Op, TensorId};

/// `alpha * A * B + beta * C`, A and B each turned round or not.
pub(super) fn gemm(operator: &mut Operator<'_>) -> Option<Values> {
    let (alpha, beta) = (operator.real("alpha", 1.0)?, operator.real("beta", 1.0)?);
    let (turn_first, turn_second) = (operator.flag("transA", false)?, operator.flag("transB", false)?);
    let (first, second) = (operator.input(0, "matrix A")?, operator.input(1, "matrix B")?);
    let addend = operator.optional(2)?;
    for (role, id) in [("matrix A", first), ("matrix B", second)] {
        if operator.rank(id) != 2 {
            let shape = operator.shape(id);
            operator.fault(Fault::Rank { role, shape, expected: "2" });
        }
    }
    if !operator.faults.is_empty() {
        return None;
    }
    let first = if turn_first { operator.transpose(first, &[1, 0])? } else { first };
    let second = operator.fixed(second, "matrix B")?;
    let filter = if turn_second { second } else { operator.transpose(second, &[1, 0])? };
    let outputs = operator.shape(filter)[0];
    let bias = match addend {
        Some(id) if alpha == 1.0 && beta == 1.0 && operator.builder.is_fixed(id) => match *operator.shape(id)
        {
            [size] if size == outputs => Some(id),
            [1, size] if size == outputs => Some(operator.reshape(id, [outputs])?),
            _ => None,
        },
        _ => None,
    };
    let mut result = fully_connected(operator, first, filter, bias, false)?;
    if alpha != 1.0 {
        let alpha = operator.scalar(alpha);
        result = operator.emit(Op::Mul(Arithmetic::default()), &[result, alpha])?;
    }
    if let Some(mut addend) = addend.filter(|_| bias.is_none() && beta != 0.0) {
        if beta != 1.0 {
            let beta = operator.scalar(beta);
            addend = operator.emit(Op::Mul(Arithmetic::default()), &[addend, beta])?;
        }
        result = operator.emit(Op::Add(Arithmetic::default()), &[result, addend])?;
    }
    one(result)
}

/// One of the operands must be a constant matrix or vector.
pub(super) fn mat_mul(operator: &mut Operator<'_>) -> Option<Values> {
    let (first, second) = (operator.input(0, "first matrix")?, operator.input(1, "second matrix")?);
    product(operator, first, second).and_then(one)
}

/// The product of two matrices, one of them constant.
pub(super) fn product(operator: &mut Operator<'_>, first: TensorId, second: TensorId) -> Option<TensorId> {
    if operator.builder.is_fixed(second) {
        return times_constant(operator, first, second);
    }
    let (left, right) = (operator.shape(first), operator.shape(second));
    match (&*left, &*right) {
        // x W = (W' x')', the matrix of weights standing on the left.
        (&[_, _], &[_, _]) if operator.builder.is_fixed(first) => {
            let turned = operator.transpose(second, &[1, 0])?;
            let result = fully_connected(operator, turned, first, None, false)?;
            operator.transpose(result, &[1, 0])
        }
        _ => {
            operator.fault(ImportFault::NotConstant { role: "second matrix" });
            None
        }
    }
}

fn times_constant(operator: &mut Operator<'_>, first: TensorId, second: TensorId) -> Option<TensorId> {
    let (left, right) = (operator.shape(first), operator.shape(second));
    let (matrix, vector) = match *right {
        [rows] => (operator.reshape(second, [1, rows])?, true),
        [.., rows, columns] => {
            if right.iter().rev().skip(2).any(|&size| size != 1) {
                let expected = "2: a batch of matrices is not supported; apply the weights one by one";
                operator.fault(Fault::Rank { role: "second matrix", shape: right, expected });
                return None;
            }
            let matrix = operator.reshape(second, [rows, columns])?;
            (operator.transpose(matrix, &[1, 0])?, false)
        }
        [] => {
            operator.fault(Fault::Rank { role: "second matrix", shape: right, expected: "1 or more" });
            return None;
        }
    };
    let result = fully_connected(operator, first, matrix, None, left.rank() != 2)?;
    if !vector {
        return if right.rank() > left.rank().max(2) {
            let missing = right.rank() - operator.rank(result).max(2);
            let shape =
                std::iter::repeat_n(1, missing).chain(operator.shape(result).iter().copied()).collect();
            reshape_to(operator, result, shape)
        } else {
            Some(result)
        };
    }
    let kept = left.iter().take(left.rank().saturating_sub(1)).copied().collect();
    reshape_to(operator, result, kept)
}

fn reshape_to(operator: &mut Operator<'_>, id: TensorId, shape: Vec<usize>) -> Option<TensorId> {
    operator.reshape(id, shape)
}

fn fully_connected(
    operator: &mut Operator<'_>,
    input: TensorId,
    filter: TensorId,
    bias: Option<TensorId>,
    keep_dims: bool,
) -> Option<TensorId> {
    let (columns, shape) = (operator.shape(filter)[1], operator.shape(input));
    if shape.last() != Some(&columns) {
        let expected = "the columns of the first must be the rows of the second";
        let (first, second) = (shape, operator.shape(filter));
        operator.fault(Fault::Shapes { first, second, expected });
        return None;
    }
    let op = Op::FullyConnected(FullyConnected { keep_dims, activation: Activation::None });
    operator.emit_all(op, &[Some(input), Some(filter), bias])?.first().copied()
}
