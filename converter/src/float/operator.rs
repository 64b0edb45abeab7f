//! Which kernel computes an operator.

use super::elementwise::{ChannelStatistics, batch_normalization, binary, leaky, maximum, minimum};
use super::error::OperatorFault;
use super::value::Value;
use super::{Array, ArrayMut, Threads};
use super::{
    activation, cast, convolution, depthwise, fully_connected, layout, pool, quantize, reduce, resize,
    softmax, transpose_convolution,
};
use crate::ir::attributes::{Arithmetic, Reduce};
use crate::ir::{DType, Op, Tensor};

/// An input of a node that is being computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand<'a> {
    /// Shape, type and quantization.
    pub(super) tensor: &'a Tensor,
    /// The elements.
    pub(super) value: &'a Value,
}

impl<'a> Operand<'a> {
    fn real(&self, role: &'static str) -> Result<Array<'a>, OperatorFault> {
        match self.value {
            Value::Real(values) => Ok(Array { shape: &self.tensor.shape, values }),
            Value::Integer(_) => Err(OperatorFault::Integers { role, dtype: self.tensor.dtype }),
        }
    }

    fn integers(&self) -> Result<Array<'a, i64>, OperatorFault> {
        match self.value {
            Value::Integer(values) => Ok(Array { shape: &self.tensor.shape, values }),
            Value::Real(_) => Err(OperatorFault::Operand),
        }
    }
}

/// The node being computed.
#[derive(Clone, Copy)]
struct Call<'a> {
    inputs: &'a [Option<Operand<'a>>],
    outputs: &'a [&'a Tensor],
    threads: Threads,
}

/// The outputs of an operator whose operands are as [`crate::ir::infer`] demands. Filters are real numbers, even where
/// the tensor's type is an integer.
///
/// # Errors
/// What the operator cannot be computed with.
pub(super) fn apply(
    op: &Op,
    inputs: &[Option<Operand<'_>>],
    outputs: &[&Tensor],
    threads: Threads,
) -> Result<Vec<Value>, OperatorFault> {
    let call = Call { inputs, outputs, threads };
    let value = match op {
        Op::Split(attributes) => return call.cut(attributes.axis),
        Op::Unpack(attributes) => return call.cut(attributes.axis),
        Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::TransposeConv2d(_) | Op::FullyConnected(_) => {
            call.weighted(op)
        }
        Op::AveragePool2d(attributes) => call.real(|input, output| {
            pool::average_pool2d(attributes, input, output, threads);
        }),
        Op::MaxPool2d(attributes) => call.real(|input, output| {
            pool::max_pool2d(attributes, input, output, threads);
        }),
        Op::Add(arithmetic) => call.arithmetic(arithmetic, |x, y| x + y, i64::wrapping_add),
        Op::Sub(arithmetic) => call.arithmetic(arithmetic, |x, y| x - y, i64::wrapping_sub),
        Op::Mul(arithmetic) => call.arithmetic(arithmetic, |x, y| x * y, i64::wrapping_mul),
        Op::Div(arithmetic) => {
            call.arithmetic(arithmetic, |x, y| x / y, |x, y| x.checked_div(y).unwrap_or(0))
        }
        Op::Maximum => call.arithmetic(&Arithmetic::default(), maximum, i64::max),
        Op::Minimum => call.arithmetic(&Arithmetic::default(), minimum, i64::min),
        Op::PRelu => {
            let (input, slope) = (call.input(0)?.real("input")?, call.input(1)?.real("slope")?);
            call.write(|output| binary(input, slope, output, leaky))
        }
        Op::BatchNormalization(attributes) => {
            let parameter = |slot, role| call.input(slot)?.real(role).map(|array| array.values);
            let statistics = ChannelStatistics {
                scale: parameter(1, "scale")?,
                shift: parameter(2, "shift")?,
                mean: parameter(3, "mean")?,
                variance: parameter(4, "variance")?,
            };
            call.real(|input, output| {
                batch_normalization(attributes, statistics, input.values, output.values);
            })
        }
        Op::Softmax(attributes) => call.real(|input, output| {
            softmax::softmax(attributes, input.values, output.values, last(input.shape));
        }),
        Op::LogSoftmax => call.real(|input, output| {
            softmax::log_softmax(input.values, output.values, last(input.shape));
        }),
        Op::ResizeNearest(attributes) => {
            call.real(|input, output| resize::resize_nearest(attributes, input, output))
        }
        Op::ResizeBilinear(attributes) => {
            call.real(|input, output| resize::resize_bilinear(attributes, input, output))
        }
        Op::Mean(attributes) => call.mean(attributes),
        Op::Sum(attributes) => call.sum(attributes, 0.0, |sum, x| sum + x, 0, i64::wrapping_add),
        Op::ReduceProd(attributes) => call.sum(attributes, 1.0, |sum, x| sum * x, 1, i64::wrapping_mul),
        Op::ReduceMax(attributes) => {
            call.extreme(attributes, (f32::NEG_INFINITY, maximum), (i64::MIN, i64::max))
        }
        Op::ReduceMin(attributes) => call.extreme(attributes, (f32::INFINITY, minimum), (i64::MAX, i64::min)),
        Op::ArgMax(attributes) => call.arg_extreme(|input, output| match input {
            Numbers::Real(input) => reduce::arg_extreme(attributes, input, output, |x, best| x > best),
            Numbers::Integer(input) => reduce::arg_extreme(attributes, input, output, |x, best| x > best),
        }),
        Op::ArgMin(attributes) => call.arg_extreme(|input, output| match input {
            Numbers::Real(input) => reduce::arg_extreme(attributes, input, output, |x, best| x < best),
            Numbers::Integer(input) => reduce::arg_extreme(attributes, input, output, |x, best| x < best),
        }),
        Op::Reshape(_) => call.input(0).map(|input| input.value.clone()),
        Op::Transpose(attributes) => call.moved(
            |input, output| layout::transpose(attributes, input, output),
            |input, output| layout::transpose(attributes, input, output),
        ),
        Op::StridedSlice(attributes) => call.moved(
            |input, output| layout::strided_slice(attributes, input, output),
            |input, output| layout::strided_slice(attributes, input, output),
        ),
        Op::BroadcastTo(_) => call.moved(layout::broadcast_to, layout::broadcast_to),
        Op::Tile(attributes) => call.moved(
            |input, output| layout::tile(attributes, input, output),
            |input, output| layout::tile(attributes, input, output),
        ),
        Op::Pad(attributes) => {
            let integer = pad_integer(attributes.value, call.input(0)?.tensor);
            call.moved(
                |input, output| layout::pad(attributes, attributes.value, input, output),
                |input, output| layout::pad(attributes, integer, input, output),
            )
        }
        Op::Gather(attributes) => call.gather(attributes.axis),
        Op::Concatenation(attributes) => {
            let mut value = call.join(attributes.axis)?;
            if let Value::Real(values) = &mut value {
                activation::clamp(attributes.activation, values);
            }
            Ok(value)
        }
        Op::Pack(attributes) => call.join(attributes.axis),
        Op::Cast(attributes) => call.cast(attributes.to),
        Op::Quantize => call.quantize(),
        Op::Dequantize => call.input(0).and_then(|input| dequantized(&input)).map(Value::Real),
        _ => call.real_or(|input, output| activation::unary(op, input.values, output.values)),
    };
    value.map(|value| vec![value])
}

/// Elements of either kind.
enum Numbers<'a> {
    Real(Array<'a>),
    Integer(Array<'a, i64>),
}

impl<'a> Call<'a> {
    fn input(&self, slot: usize) -> Result<Operand<'a>, OperatorFault> {
        self.inputs.get(slot).copied().flatten().ok_or(OperatorFault::Operand)
    }

    fn output(&self) -> Result<&'a Tensor, OperatorFault> {
        self.outputs.first().copied().ok_or(OperatorFault::Operand)
    }

    /// The first output, written by a kernel.
    fn write<T: Copy + Default>(&self, kernel: impl FnOnce(ArrayMut<'_, T>)) -> Result<Value, OperatorFault>
    where
        Vec<T>: Into<Value>,
    {
        let shape = &self.output()?.shape;
        let mut values = vec![T::default(); shape.elements().unwrap_or(0)];
        kernel(ArrayMut { shape, values: &mut values });
        Ok(values.into())
    }

    /// A kernel on real numbers.
    fn real(&self, kernel: impl FnOnce(Array<'_>, ArrayMut<'_>)) -> Result<Value, OperatorFault> {
        let input = self.input(0)?.real("input")?;
        self.write(|output| kernel(input, output))
    }

    /// A kernel on real numbers that tells whether it did its work.
    fn real_or(&self, kernel: impl FnOnce(Array<'_>, ArrayMut<'_>) -> bool) -> Result<Value, OperatorFault> {
        let mut done = false;
        let value = self.real(|input, output| done = kernel(input, output))?;
        if done { Ok(value) } else { Err(OperatorFault::Operand) }
    }

    /// A kernel that moves elements of any kind.
    fn moved(
        &self,
        real: impl FnOnce(Array<'_>, ArrayMut<'_>),
        integer: impl FnOnce(Array<'_, i64>, ArrayMut<'_, i64>),
    ) -> Result<Value, OperatorFault> {
        let input = self.input(0)?;
        match input.value {
            Value::Real(values) => {
                self.write(|output| real(Array { shape: &input.tensor.shape, values }, output))
            }
            Value::Integer(values) => {
                self.write(|output| integer(Array { shape: &input.tensor.shape, values }, output))
            }
        }
    }

    fn weighted(&self, op: &Op) -> Result<Value, OperatorFault> {
        let (filter, threads) = (self.input(1)?.real("filter")?, self.threads);
        let bias = match self.inputs.get(2).copied().flatten() {
            Some(bias) => Some(bias.real("bias")?.values),
            None => None,
        };
        self.real(|input, output| match op {
            Op::Conv2d(attributes) => {
                convolution::conv2d(attributes, input, filter, bias, output, threads);
            }
            Op::DepthwiseConv2d(attributes) => {
                depthwise::depthwise_conv2d(attributes, input, filter, bias, output, threads);
            }
            Op::TransposeConv2d(attributes) => {
                transpose_convolution::transpose_conv2d(attributes, input, filter, bias, output, threads);
            }
            Op::FullyConnected(attributes) => {
                fully_connected::fully_connected(attributes, input, filter, bias, output, threads);
            }
            _ => {}
        })
    }

    fn arithmetic(
        &self,
        arithmetic: &Arithmetic,
        real: impl Fn(f32, f32) -> f32,
        integer: impl Fn(i64, i64) -> i64,
    ) -> Result<Value, OperatorFault> {
        let (first, second) = (self.input(0)?, self.input(1)?);
        if let (Ok(first), Ok(second)) = (first.real("first"), second.real("second")) {
            return self.write(|ArrayMut { shape, values }| {
                binary(first, second, ArrayMut { shape, values: &mut *values }, real);
                activation::clamp(arithmetic.activation, values);
            });
        }
        let dtype = self.output()?.dtype;
        let (low, high) = arithmetic.activation.bounds();
        let narrow = |value: i64| cast::integer_to_integer(value, dtype).clamp(low as i64, high as i64);
        let (first, second) = (plain(&first, "first")?, plain(&second, "second")?);
        self.write(|output| binary(first, second, output, |x, y| narrow(integer(x, y))))
    }

    fn mean(&self, attributes: &Reduce) -> Result<Value, OperatorFault> {
        let count = reduce::reduced_elements(attributes, &self.input(0)?.tensor.shape).max(1);
        let sum = self.sum_as(attributes, 0.0, |sum, x| sum + x, 0, i64::wrapping_add)?;
        Ok(match sum {
            Sum::Real(sums) => Value::Real(sums.iter().map(|sum| (sum / count as f64) as f32).collect()),
            Sum::Integer(sums) => Value::Integer(sums.iter().map(|sum| sum / count as i64).collect()),
        })
    }

    fn sum(
        &self,
        attributes: &Reduce,
        real: f64,
        real_step: impl Fn(f64, f64) -> f64,
        integer: i64,
        integer_step: impl Fn(i64, i64) -> i64,
    ) -> Result<Value, OperatorFault> {
        let dtype = self.output()?.dtype;
        Ok(match self.sum_as(attributes, real, real_step, integer, integer_step)? {
            Sum::Real(sums) => Value::Real(sums.iter().map(|&sum| sum as f32).collect()),
            Sum::Integer(sums) => {
                Value::Integer(sums.iter().map(|&sum| cast::integer_to_integer(sum, dtype)).collect())
            }
        })
    }

    /// Sums, or the like, in more digits than the operands have.
    fn sum_as(
        &self,
        attributes: &Reduce,
        real: f64,
        real_step: impl Fn(f64, f64) -> f64,
        integer: i64,
        integer_step: impl Fn(i64, i64) -> i64,
    ) -> Result<Sum, OperatorFault> {
        let input = self.input(0)?;
        Ok(match input.real("input") {
            Ok(input) => Sum::Real(reduce::fold(attributes, input, real, |sum, x| real_step(sum, x.into()))),
            Err(_) => Sum::Integer(reduce::fold(attributes, plain(&input, "input")?, integer, integer_step)),
        })
    }

    fn extreme(
        &self,
        attributes: &Reduce,
        (real, real_step): (f32, fn(f32, f32) -> f32),
        (integer, integer_step): (i64, fn(i64, i64) -> i64),
    ) -> Result<Value, OperatorFault> {
        let input = self.input(0)?;
        Ok(match input.real("input") {
            Ok(input) => Value::Real(reduce::fold(attributes, input, real, real_step)),
            Err(_) => Value::Integer(reduce::fold(attributes, input.integers()?, integer, integer_step)),
        })
    }

    fn arg_extreme(
        &self,
        kernel: impl FnOnce(Numbers<'_>, ArrayMut<'_, i64>),
    ) -> Result<Value, OperatorFault> {
        let input = self.input(0)?;
        let numbers = match input.real("input") {
            Ok(input) => Numbers::Real(input),
            Err(_) => Numbers::Integer(input.integers()?),
        };
        self.write(|output| kernel(numbers, output))
    }

    fn gather(&self, axis: usize) -> Result<Value, OperatorFault> {
        let (data, indices) = (self.input(0)?, self.input(1)?.integers()?.values);
        let mut result = Ok(());
        let value = match data.real("data") {
            Ok(data) => self.write(|output| result = layout::gather(axis, data, indices, output)),
            Err(_) => {
                let data = data.integers()?;
                self.write(|output| result = layout::gather(axis, data, indices, output))
            }
        };
        result.map_err(|index| OperatorFault::Index { index })?;
        value
    }

    /// The inputs joined along an axis of the output.
    fn join(&self, axis: usize) -> Result<Value, OperatorFault> {
        let outer: usize = self.output()?.shape.iter().take(axis).product::<usize>().max(1);
        let operands = || (0..self.inputs.len()).map(|slot| self.input(slot));
        if self.input(0)?.tensor.dtype.is_float() {
            let arrays: Vec<_> = operands()
                .map(|operand| operand?.real("input").map(|array| (array.values, array.values.len() / outer)))
                .collect::<Result<_, _>>()?;
            self.write(|output| layout::join(&arrays, output.values))
        } else {
            let arrays: Vec<_> = operands()
                .map(|operand| operand?.integers().map(|array| (array.values, array.values.len() / outer)))
                .collect::<Result<_, _>>()?;
            self.write(|output| layout::join(&arrays, output.values))
        }
    }

    /// The input cut along an axis of its own.
    fn cut(&self, axis: usize) -> Result<Vec<Value>, OperatorFault> {
        let input = self.input(0)?;
        let outer: usize = input.tensor.shape.iter().take(axis).product::<usize>().max(1);
        let lengths = self.outputs.iter().map(|output| output.shape.elements().unwrap_or(0));
        Ok(match input.value {
            Value::Real(values) => cut(values, lengths, outer).into_iter().map(Value::Real).collect(),
            Value::Integer(values) => cut(values, lengths, outer).into_iter().map(Value::Integer).collect(),
        })
    }

    fn cast(&self, to: DType) -> Result<Value, OperatorFault> {
        let input = self.input(0)?;
        Ok(match (input.value, to.is_float()) {
            (Value::Real(values), true) => {
                Value::Real(values.iter().map(|&value| cast::real_to_real(value, to)).collect())
            }
            (Value::Real(values), false) => {
                Value::Integer(values.iter().map(|&value| cast::real_to_integer(value, to)).collect())
            }
            (Value::Integer(values), true) => {
                Value::Real(values.iter().map(|&value| cast::real_to_real(value as f32, to)).collect())
            }
            (Value::Integer(values), false) => {
                Value::Integer(values.iter().map(|&value| cast::integer_to_integer(value, to)).collect())
            }
        })
    }

    fn quantize(&self) -> Result<Value, OperatorFault> {
        let (input, output) = (self.input(0)?, self.output()?);
        let real = dequantized(&input)?;
        let not_quantized = OperatorFault::NotQuantized { role: "output" };
        let (quantization, range) =
            output.quantization.as_ref().zip(quantize::range(output.dtype)).ok_or(not_quantized)?;
        self.write(|ArrayMut { shape, values }| quantize::quantize(quantization, range, shape, &real, values))
    }
}

/// Sums before they are rounded to the output's type.
enum Sum {
    Real(Vec<f64>),
    Integer(Vec<i64>),
}

/// Integers that are meant as such.
fn plain<'a>(operand: &Operand<'a>, role: &'static str) -> Result<Array<'a, i64>, OperatorFault> {
    match operand.tensor.quantization {
        None => operand.integers(),
        Some(_) => Err(OperatorFault::Integers { role, dtype: operand.tensor.dtype }),
    }
}

/// The real numbers that an operand stands for.
fn dequantized(operand: &Operand<'_>) -> Result<Vec<f32>, OperatorFault> {
    match operand.value {
        Value::Real(values) => Ok(values.clone()),
        Value::Integer(values) => {
            let quantization = operand.tensor.quantization.as_ref();
            let quantization = quantization.ok_or(OperatorFault::NotQuantized { role: "input" })?;
            let mut real = vec![0.0; values.len()];
            quantize::dequantize(quantization, &operand.tensor.shape, values, &mut real);
            Ok(real)
        }
    }
}

/// What a tensor of integers is padded with.
fn pad_integer(value: f32, tensor: &Tensor) -> i64 {
    match tensor.quantization.as_ref().and_then(|quantization| quantization.single()) {
        Some((scale, zero_point)) => {
            let integer = ((value / scale).round() as i64).saturating_add(zero_point.into());
            let (low, high) =
                quantize::range(tensor.dtype).map_or((i64::MIN, i64::MAX), |range| range.into_inner());
            integer.clamp(low, high)
        }
        None => cast::real_to_integer(value, tensor.dtype),
    }
}

fn cut<T: Copy + Default>(values: &[T], lengths: impl Iterator<Item = usize>, outer: usize) -> Vec<Vec<T>> {
    let mut outputs: Vec<Vec<T>> = lengths.map(|length| vec![T::default(); length]).collect();
    let mut parts: Vec<(&mut [T], usize)> = outputs
        .iter_mut()
        .map(|output| (output.len() / outer, output))
        .map(|(inner, output)| (output.as_mut_slice(), inner))
        .collect();
    layout::cut(values, &mut parts);
    outputs
}

fn last(shape: &[usize]) -> usize {
    shape.last().copied().unwrap_or(1)
}
