//! Output shapes and types of an operator from its inputs.
//!
//! One small function per operator or family, each of which checks everything that the operator demands of its
//! attributes and of its inputs' shapes and types, and reports every violation, not only the first.

mod convolution;
mod elementwise;
mod layout;
mod reduce;
mod window;

use crate::ir::op::Inputs;
use crate::ir::{DType, Fault, Op, Shape, Tensor};

/// What an operator writes to one output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The shape.
    pub shape: Shape,
    /// The types it may have; the first is the usual one.
    pub types: Vec<DType>,
}

impl Output {
    fn new(dtype: DType, shape: impl Into<Shape>) -> Self {
        Output { shape: shape.into(), types: vec![dtype] }
    }
}

/// The outputs of an operator.
///
/// Sizes of the inputs must be acceptable ([`Shape::elements`]); those of the outputs may not be.
///
/// # Errors
/// Everything about the attributes and inputs that the operator does not allow.
pub fn infer(op: &Op, inputs: &[Option<&Tensor>]) -> Result<Vec<Output>, Vec<Fault>> {
    let mut operands = Operands { inputs, faults: Vec::new() };
    let outputs = operands.check_count(op.inputs()).and_then(|()| outputs(op, &mut operands));
    match outputs {
        Some(outputs) if operands.faults.is_empty() => Ok(outputs),
        _ => Err(operands.faults),
    }
}

fn outputs(op: &Op, operands: &mut Operands<'_>) -> Option<Vec<Output>> {
    let output = match op {
        Op::Conv2d(attributes) => convolution::conv2d(attributes, operands),
        Op::DepthwiseConv2d(attributes) => convolution::depthwise_conv2d(attributes, operands),
        Op::TransposeConv2d(attributes) => convolution::transpose_conv2d(attributes, operands),
        Op::FullyConnected(attributes) => convolution::fully_connected(attributes, operands),
        Op::AveragePool2d(attributes) | Op::MaxPool2d(attributes) => window::pool2d(attributes, operands),
        Op::ResizeNearest(attributes) | Op::ResizeBilinear(attributes) => {
            window::resize(attributes, operands)
        }
        Op::Add(_) | Op::Sub(_) | Op::Mul(_) | Op::Div(_) | Op::Maximum | Op::Minimum => {
            elementwise::arithmetic(operands)
        }
        Op::Relu
        | Op::Relu6
        | Op::ReluN1To1
        | Op::HardSwish
        | Op::Logistic
        | Op::Tanh
        | Op::Exp
        | Op::Log
        | Op::Sqrt
        | Op::Reciprocal
        | Op::Neg
        | Op::Abs
        | Op::Sign
        | Op::Erf
        | Op::Gelu(_) => elementwise::activation(operands),
        Op::HardSigmoid(attributes) => elementwise::hard_sigmoid(attributes, operands),
        Op::Clip(attributes) => elementwise::clip(attributes, operands),
        Op::PRelu => elementwise::p_relu(operands),
        Op::BatchNormalization(attributes) => elementwise::batch_normalization(attributes, operands),
        Op::Cast(attributes) => elementwise::cast(attributes, operands),
        Op::LeakyRelu(attributes) => elementwise::leaky_relu(attributes, operands),
        Op::Elu(attributes) => elementwise::elu(attributes, operands),
        Op::Softmax(attributes) => elementwise::softmax(attributes, operands),
        Op::LogSoftmax => elementwise::log_softmax(operands),
        Op::Quantize => elementwise::quantize(operands),
        Op::Dequantize => elementwise::dequantize(operands),
        Op::Mean(attributes)
        | Op::Sum(attributes)
        | Op::ReduceMax(attributes)
        | Op::ReduceMin(attributes)
        | Op::ReduceProd(attributes) => reduce::reduce(attributes, operands),
        Op::ArgMax(attributes) | Op::ArgMin(attributes) => reduce::arg_extreme(attributes, operands),
        Op::Reshape(attributes) => layout::reshape(attributes, operands),
        Op::Pad(attributes) => layout::pad(attributes, operands),
        Op::BroadcastTo(attributes) => layout::broadcast_to(attributes, operands),
        Op::Tile(attributes) => layout::tile(attributes, operands),
        Op::Gather(attributes) => layout::gather(attributes, operands),
        Op::Concatenation(attributes) => layout::concatenation(attributes, operands),
        Op::Transpose(attributes) => layout::transpose(attributes, operands),
        Op::StridedSlice(attributes) => layout::strided_slice(attributes, operands),
        Op::Pack(attributes) => layout::pack(attributes, operands),
        Op::Split(attributes) => return layout::split(attributes, operands),
        Op::Unpack(attributes) => return layout::unpack(attributes, operands),
    };
    Some(vec![output?])
}

/// The inputs of the operator under examination, and what has been found wrong so far.
///
/// The `require` family records a fault and returns `None` where the condition does not hold, so that `?` skips what
/// depends on it.
struct Operands<'a> {
    inputs: &'a [Option<&'a Tensor>],
    faults: Vec<Fault>,
}

impl<'a> Operands<'a> {
    fn check_count(&mut self, expected: Inputs) -> Option<()> {
        let found = self.inputs.len();
        match expected {
            Inputs::AnyNumber => {
                let complete = found > 0 && self.inputs.iter().all(Option::is_some);
                self.require(complete, || Fault::InputCount {
                    found,
                    expected: "1 or more, all present,".into(),
                })
            }
            Inputs::Roles { roles, optional } => {
                let least = roles.len() - optional;
                for (slot, role) in roles.iter().enumerate().take(least) {
                    if self.input(slot).is_none() {
                        self.faults.push(Fault::MissingInput { role });
                    }
                }
                let expected =
                    if optional == 0 { least.to_string() } else { format!("{least} to {}", roles.len()) };
                self.require(found <= roles.len(), || Fault::InputCount { found, expected });
                self.faults.is_empty().then_some(())
            }
        }
    }

    fn input(&self, slot: usize) -> Option<&'a Tensor> {
        self.inputs.get(slot).copied().flatten()
    }

    fn require(&mut self, holds: bool, fault: impl FnOnce() -> Fault) -> Option<()> {
        if !holds {
            self.faults.push(fault());
        }
        holds.then_some(())
    }

    fn require_attribute(
        &mut self,
        holds: bool,
        attribute: &'static str,
        value: impl ToString,
        expected: impl Into<String>,
    ) -> Option<()> {
        self.require(holds, || Fault::Attribute {
            attribute,
            value: value.to_string(),
            expected: expected.into(),
        })
    }

    fn require_type(&mut self, role: &'static str, tensor: &Tensor, expected: &[DType]) -> Option<()> {
        self.require(expected.contains(&tensor.dtype), || Fault::Type {
            role,
            found: tensor.dtype,
            expected: expected.iter().map(|dtype| dtype.name()).collect::<Vec<_>>().join(" or "),
        })
    }

    fn require_dimension(
        &mut self,
        role: &'static str,
        tensor: &Tensor,
        axis: usize,
        size: usize,
        reason: &str,
    ) -> Option<()> {
        self.require(tensor.shape.get(axis) == Some(&size), || Fault::Dimension {
            role,
            shape: tensor.shape.clone(),
            axis,
            expected: format!("{size} ({reason})"),
        })
    }

    /// The dimensions of a tensor that must have the given rank.
    fn dimensions<const RANK: usize>(
        &mut self,
        role: &'static str,
        tensor: &Tensor,
    ) -> Option<[usize; RANK]> {
        let dimensions = <[usize; RANK]>::try_from(&*tensor.shape).ok();
        let expected =
            ["0", "1", "2", "3", "4 (batch, height, width, channels)"].get(RANK).unwrap_or(&"that high");
        self.require(dimensions.is_some(), || Fault::Rank { role, shape: tensor.shape.clone(), expected });
        dimensions
    }

    fn require_axis(&mut self, axis: usize, rank: usize) -> Option<()> {
        self.require_attribute(axis < rank, "axis", axis, format!("the input has rank {rank}"))
    }
}

#[cfg(test)]
mod tests;
