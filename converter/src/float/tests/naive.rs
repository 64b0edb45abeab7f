//! Operators as their definitions say, one output element at a time, in f64.

use crate::ir::attributes::*;
use crate::ir::{Activation, Op};

/// Elements in row-major order with their shape.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Array {
    fn at(&self, position: &[usize]) -> f64 {
        let flat = position.iter().zip(&self.shape).fold(0, |flat, (at, size)| flat * size + at);
        self.values[flat]
    }

    /// The element at a position of an array that this one broadcasts to.
    fn broadcast_at(&self, position: &[usize]) -> f64 {
        let own = &position[position.len() - self.shape.len()..];
        let own = own.iter().zip(&self.shape).map(|(&at, &size)| if size == 1 { 0 } else { at });
        self.at(&own.collect::<Vec<_>>())
    }
}

/// Every position in an array of the shape, in row-major order.
pub(super) fn positions(shape: &[usize]) -> Vec<Vec<usize>> {
    let (Some((&size, inner)), inner_positions) = (shape.split_first(), |inner| positions(inner)) else {
        return vec![Vec::new()];
    };
    let inner = inner_positions(inner);
    (0..size).flat_map(|at| inner.iter().map(move |rest| [&[at], &rest[..]].concat())).collect()
}

/// The values of an operator's output `output`, whose shape is given.
pub(super) fn values(op: &Op, inputs: &[Array], output: usize, shape: &[usize]) -> Vec<f64> {
    positions(shape).iter().map(|position| element(op, inputs, output, position, shape)).collect()
}

fn clamp(activation: Activation, value: f64) -> f64 {
    match activation {
        Activation::None => value,
        Activation::Relu => value.max(0.0),
        Activation::Relu6 => value.clamp(0.0, 6.0),
        Activation::ReluN1To1 => value.clamp(-1.0, 1.0),
    }
}

/// The position under a tap, if it is on the input.
fn under(
    output: usize,
    stride: usize,
    tap: usize,
    dilation: usize,
    before: usize,
    size: usize,
) -> Option<usize> {
    (output * stride + tap * dilation).checked_sub(before).filter(|&at| at < size)
}

fn element(op: &Op, inputs: &[Array], output: usize, position: &[usize], shape: &[usize]) -> f64 {
    let input = &inputs[0];
    let bias = |channel: usize| inputs.get(2).map_or(0.0, |bias| bias.values[channel]);
    match op {
        Op::Conv2d(a) => {
            let &[n, y, x, o] = position else { panic!() };
            let (filter, depth) = (&inputs[1], inputs[1].shape[3]);
            let group = o / (filter.shape[0] / a.groups);
            let sum: f64 = positions(&filter.shape[1..])
                .iter()
                .filter_map(|tap| {
                    let y =
                        under(y, a.stride.height, tap[0], a.dilation.height, a.padding.top, input.shape[1])?;
                    let x =
                        under(x, a.stride.width, tap[1], a.dilation.width, a.padding.left, input.shape[2])?;
                    Some(
                        input.at(&[n, y, x, group * depth + tap[2]])
                            * filter.at(&[o, tap[0], tap[1], tap[2]]),
                    )
                })
                .sum();
            clamp(a.activation, sum + bias(o))
        }
        Op::DepthwiseConv2d(a) => {
            let &[n, y, x, o] = position else { panic!() };
            let filter = &inputs[1];
            let sum: f64 = positions(&filter.shape[1..3])
                .iter()
                .filter_map(|tap| {
                    let y =
                        under(y, a.stride.height, tap[0], a.dilation.height, a.padding.top, input.shape[1])?;
                    let x =
                        under(x, a.stride.width, tap[1], a.dilation.width, a.padding.left, input.shape[2])?;
                    Some(input.at(&[n, y, x, o / a.multiplier]) * filter.at(&[0, tap[0], tap[1], o]))
                })
                .sum();
            clamp(a.activation, sum + bias(o))
        }
        Op::TransposeConv2d(a) => {
            let &[n, y, x, o] = position else { panic!() };
            let filter = &inputs[1];
            let reaches = |at: usize, stride: usize, tap: usize, before: usize, out: usize| {
                at * stride + tap == out + before
            };
            let sum: f64 = positions(&[
                input.shape[1],
                input.shape[2],
                filter.shape[1],
                filter.shape[2],
                filter.shape[3],
            ])
            .iter()
            .filter(|p| reaches(p[0], a.stride.height, p[2], a.padding.top, y))
            .filter(|p| reaches(p[1], a.stride.width, p[3], a.padding.left, x))
            .map(|p| input.at(&[n, p[0], p[1], p[4]]) * filter.at(&[o, p[2], p[3], p[4]]))
            .sum();
            clamp(a.activation, sum + bias(o))
        }
        Op::FullyConnected(a) => {
            let (row, o) = (&position[..position.len() - 1], position[position.len() - 1]);
            let row = row.iter().zip(shape).fold(0, |row, (at, size)| row * size + at);
            let columns = inputs[1].shape[1];
            let sum: f64 =
                (0..columns).map(|i| input.values[row * columns + i] * inputs[1].at(&[o, i])).sum();
            clamp(a.activation, sum + bias(o))
        }
        Op::AveragePool2d(a) => {
            let values = window(a, input, position);
            let count = if a.count_padding { a.filter.height * a.filter.width } else { values.len() };
            clamp(a.activation, values.iter().sum::<f64>() / count as f64)
        }
        Op::MaxPool2d(a) => {
            clamp(a.activation, window(a, input, position).into_iter().fold(f64::MIN, f64::max))
        }
        Op::Add(a) => clamp(a.activation, input.broadcast_at(position) + inputs[1].broadcast_at(position)),
        Op::Sub(a) => clamp(a.activation, input.broadcast_at(position) - inputs[1].broadcast_at(position)),
        Op::Mul(a) => clamp(a.activation, input.broadcast_at(position) * inputs[1].broadcast_at(position)),
        Op::Div(a) => clamp(a.activation, input.broadcast_at(position) / inputs[1].broadcast_at(position)),
        Op::Maximum => input.broadcast_at(position).max(inputs[1].broadcast_at(position)),
        Op::Minimum => input.broadcast_at(position).min(inputs[1].broadcast_at(position)),
        Op::PRelu => {
            let x = input.at(position);
            if x < 0.0 { x * inputs[1].broadcast_at(position) } else { x }
        }
        Op::BatchNormalization(a) => {
            let [scale, shift, mean, variance] =
                [1, 2, 3, 4].map(|slot| inputs[slot].values[position[position.len() - 1]]);
            (input.at(position) - mean) / (variance + f64::from(a.epsilon)).sqrt() * scale + shift
        }
        Op::Softmax(Softmax { beta }) => {
            let exponential = |x: f64| (x * f64::from(*beta)).exp();
            exponential(input.at(position)) / row(input, position).map(exponential).sum::<f64>()
        }
        Op::LogSoftmax => input.at(position) - row(input, position).map(f64::exp).sum::<f64>().ln(),
        Op::Mean(a) => reduced(a, input, position).sum::<f64>() / reduced(a, input, position).count() as f64,
        Op::Sum(a) => reduced(a, input, position).sum(),
        Op::ReduceProd(a) => reduced(a, input, position).product(),
        Op::ReduceMax(a) => reduced(a, input, position).fold(f64::MIN, f64::max),
        Op::ReduceMin(a) => reduced(a, input, position).fold(f64::MAX, f64::min),
        Op::ArgMax(ArgExtreme { axis }) | Op::ArgMin(ArgExtreme { axis }) => {
            let sign = if matches!(op, Op::ArgMax(_)) { 1.0 } else { -1.0 };
            let value = |at: usize| {
                let mut position = position.to_vec();
                position.insert(*axis, at);
                sign * input.at(&position)
            };
            let most = (0..input.shape[*axis]).map(value).fold(f64::MIN, f64::max);
            (0..input.shape[*axis]).position(|at| value(at) == most).unwrap() as f64
        }
        Op::Reshape(_) => {
            let flat = position.iter().zip(shape).fold(0, |flat, (at, size)| flat * size + at);
            input.values[flat]
        }
        Op::Transpose(a) => {
            let mut source = vec![0; position.len()];
            a.permutation.iter().zip(position).for_each(|(&axis, &at)| source[axis] = at);
            input.at(&source)
        }
        Op::StridedSlice(a) => {
            let source = a.axes.iter().zip(position);
            let source = source.map(|(axis, &at)| axis.begin.wrapping_add_signed(at as isize * axis.stride));
            input.at(&source.collect::<Vec<_>>())
        }
        Op::BroadcastTo(_) => input.broadcast_at(position),
        Op::Tile(_) => {
            let source = position.iter().zip(&input.shape).map(|(at, size)| at % size);
            input.at(&source.collect::<Vec<_>>())
        }
        Op::Pad(a) => {
            let source = position.iter().zip(&a.before).map(|(at, before)| at.checked_sub(*before));
            let source: Option<Vec<_>> = source.collect();
            let inside = source.filter(|source| source.iter().zip(&input.shape).all(|(at, size)| at < size));
            inside.map_or(a.value.into(), |source| input.at(&source))
        }
        Op::Gather(Gather { axis }) => {
            let indices = &inputs[1];
            let (before, rest) = position.split_at(*axis);
            let (chosen, after) = rest.split_at(indices.shape.len());
            input.at(&[before, &[indices.at(chosen) as usize], after].concat())
        }
        Op::Concatenation(a) => {
            let mut position = position.to_vec();
            for input in inputs {
                if position[a.axis] < input.shape[a.axis] {
                    return clamp(a.activation, input.at(&position));
                }
                position[a.axis] -= input.shape[a.axis];
            }
            panic!()
        }
        Op::Pack(Stack { axis }) => {
            let mut position = position.to_vec();
            inputs[position.remove(*axis)].at(&position)
        }
        Op::Unpack(Stack { axis }) => {
            let mut position = position.to_vec();
            position.insert(*axis, output);
            input.at(&position)
        }
        Op::Split(Split { axis, sizes }) => {
            let mut position = position.to_vec();
            position[*axis] += sizes[..output].iter().sum::<usize>();
            input.at(&position)
        }
        Op::ResizeBilinear(a) => {
            let &[n, y, x, c] = position else { panic!() };
            let rows = hats(a, y, input.shape[1], shape[1]);
            let columns = hats(a, x, input.shape[2], shape[2]);
            positions(&[rows.len(), columns.len()])
                .iter()
                .map(|p| rows[p[0]] * columns[p[1]] * input.at(&[n, p[0], p[1], c]))
                .sum()
        }
        Op::ResizeNearest(a) => {
            let &[n, y, x, c] = position else { panic!() };
            let neighbour = |at: usize, size: usize, out: usize| -> usize {
                let (align, half) = (a.align_corners, a.half_pixel_centers);
                let [at, size, out] = [at, size, out].map(|length| length as u16);
                secateur::kernels::resize_nearest::neighbour(at, size, out, align, half).into()
            };
            input.at(&[n, neighbour(y, input.shape[1], shape[1]), neighbour(x, input.shape[2], shape[2]), c])
        }
        _ => unary(op, input.at(position)),
    }
}

fn unary(op: &Op, x: f64) -> f64 {
    match op {
        Op::Relu => x.max(0.0),
        Op::Relu6 => x.clamp(0.0, 6.0),
        Op::ReluN1To1 => x.clamp(-1.0, 1.0),
        Op::LeakyRelu(a) => x.max(0.0) + x.min(0.0) * f64::from(a.alpha),
        Op::HardSwish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
        Op::Logistic => 1.0 / (1.0 + (-x).exp()),
        Op::Tanh => x.tanh(),
        Op::Exp => x.exp(),
        Op::Log => x.ln(),
        Op::Sqrt => x.sqrt(),
        Op::Reciprocal => 1.0 / x,
        Op::Neg => -x,
        Op::Abs => x.abs(),
        Op::Sign => {
            if x < 0.0 {
                -1.0
            } else {
                1.0
            }
        }
        Op::Erf => libm::erf(x),
        Op::Gelu(Gelu { tanh: false }) => x * 0.5 * libm::erfc(-x / 2f64.sqrt()),
        Op::Gelu(Gelu { tanh: true }) => {
            x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh()) / 2.0
        }
        Op::HardSigmoid(a) => (f64::from(a.alpha) * x + f64::from(a.beta)).clamp(0.0, 1.0),
        Op::Clip(a) => x.max(a.low.into()).min(a.high.into()),
        Op::Elu(a) => {
            if x >= 0.0 {
                x
            } else {
                f64::from(a.alpha) * (x.exp() - 1.0)
            }
        }
        _ => panic!("{}", op.name()),
    }
}

/// The elements under a window.
fn window(a: &Pool2d, input: &Array, position: &[usize]) -> Vec<f64> {
    let &[n, y, x, c] = position else { panic!() };
    positions(&[a.filter.height, a.filter.width])
        .iter()
        .filter_map(|tap| {
            let y = under(y, a.stride.height, tap[0], 1, a.padding.top, input.shape[1])?;
            let x = under(x, a.stride.width, tap[1], 1, a.padding.left, input.shape[2])?;
            Some(input.at(&[n, y, x, c]))
        })
        .collect()
}

/// The elements that differ from the position in the last axis only.
fn row<'a>(input: &'a Array, position: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
    let (last, before) = position.split_last().unwrap();
    let _ = last;
    (0..input.shape[before.len()]).map(move |at| input.at(&[before, &[at]].concat()))
}

/// The elements that a reduction's result comes from.
fn reduced<'a>(a: &'a Reduce, input: &'a Array, position: &'a [usize]) -> impl Iterator<Item = f64> + 'a {
    let of = move |source: &Vec<usize>| {
        let kept = source.iter().enumerate().filter_map(|(axis, &at)| match a.axes.contains(&axis) {
            true => a.keep_dims.then_some(0),
            false => Some(at),
        });
        kept.eq(position.iter().copied())
    };
    positions(&input.shape).into_iter().filter(of).map(|source| input.at(&source))
}

/// The weight of each input element of an axis in a linear interpolation.
fn hats(a: &Resize, at: usize, size: usize, out: usize) -> Vec<f64> {
    let at = at as f64;
    let place = if a.align_corners && out > 1 {
        at * (size - 1) as f64 / (out - 1) as f64
    } else if a.half_pixel_centers {
        (at + 0.5) * size as f64 / out as f64 - 0.5
    } else {
        at * size as f64 / out as f64
    };
    let place = place.clamp(0.0, (size - 1) as f64);
    (0..size).map(|index| (1.0 - (place - index as f64).abs()).max(0.0)).collect()
}
