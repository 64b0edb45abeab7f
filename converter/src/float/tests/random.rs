//! Random operators with inputs that suit them.

use std::iter::repeat_with;

use fastrand::Rng;

use crate::ir::attributes::*;
use crate::ir::{Activation, Hw, Op, Padding, Shape, Tensor};

/// An operator and its inputs.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) op: Op,
    pub(super) inputs: Vec<Tensor>,
}

/// A constant of numbers within -2 and 2.
pub(super) fn tensor(rng: &mut Rng, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> = repeat_with(|| rng.f32() * 4.0 - 2.0).take(shape.elements().unwrap()).collect();
    Tensor::constant_f32("", shape, &values)
}

/// A constant of numbers within 0.1 and 2.1.
fn positive(rng: &mut Rng, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> = repeat_with(|| rng.f32() * 2.0 + 0.1).take(shape.elements().unwrap()).collect();
    Tensor::constant_f32("", shape, &values)
}

fn shape(rng: &mut Rng, rank: std::ops::Range<usize>) -> Vec<usize> {
    let rank = rng.usize(rank);
    repeat_with(|| rng.usize(1..6)).take(rank).collect()
}

fn hw(rng: &mut Rng, sizes: std::ops::Range<usize>) -> Hw {
    Hw::new(rng.usize(sizes.clone()), rng.usize(sizes))
}

fn activation(rng: &mut Rng) -> Activation {
    *rng.choice([Activation::None, Activation::Relu, Activation::Relu6, Activation::ReluN1To1].iter())
        .unwrap()
}

/// Paddings below the window's size.
fn padding(rng: &mut Rng, window: Hw) -> Padding {
    Padding {
        top: rng.usize(..window.height),
        bottom: rng.usize(..window.height),
        left: rng.usize(..window.width),
        right: rng.usize(..window.width),
    }
}

/// Height and width of an image that the window fits in.
fn image(rng: &mut Rng, window: Hw, dilation: Hw) -> Hw {
    let size = |rng: &mut Rng, window: usize, dilation: usize| (window - 1) * dilation + rng.usize(1..9);
    Hw::new(size(rng, window.height, dilation.height), size(rng, window.width, dilation.width))
}

fn with_bias(rng: &mut Rng, inputs: Vec<Tensor>, outputs: usize) -> Vec<Tensor> {
    let bias = rng.bool().then(|| tensor(rng, [outputs]));
    inputs.into_iter().chain(bias).collect()
}

pub(super) fn conv2d(rng: &mut Rng) -> Case {
    let (window, dilation) = (hw(rng, 1..4), hw(rng, 1..3));
    let image = image(rng, window, dilation);
    let groups = rng.usize(1..4);
    let (depth, outputs) = (rng.usize(1..20), groups * rng.usize(1..9));
    let pointwise = rng.u8(..4) == 0;
    let window = if pointwise { Hw::square(1) } else { window };
    let op = Op::Conv2d(Conv2d {
        stride: if pointwise { Hw::square(1) } else { hw(rng, 1..3) },
        dilation,
        padding: padding(rng, window),
        groups,
        activation: activation(rng),
    });
    let batch = rng.usize(1..3);
    let input = tensor(rng, [batch, image.height, image.width, depth * groups]);
    let filter = tensor(rng, [outputs, window.height, window.width, depth]);
    Case { op, inputs: with_bias(rng, vec![input, filter], outputs) }
}

pub(super) fn depthwise_conv2d(rng: &mut Rng) -> Case {
    let (window, dilation) = (hw(rng, 1..5), hw(rng, 1..3));
    let image = image(rng, window, dilation);
    let (channels, multiplier) = (rng.usize(1..9), rng.usize(1..4));
    let op = Op::DepthwiseConv2d(DepthwiseConv2d {
        stride: hw(rng, 1..4),
        dilation,
        padding: padding(rng, window),
        multiplier,
        activation: activation(rng),
    });
    let batch = rng.usize(1..3);
    let input = tensor(rng, [batch, image.height, image.width, channels]);
    let filter = tensor(rng, [1, window.height, window.width, channels * multiplier]);
    Case { op, inputs: with_bias(rng, vec![input, filter], channels * multiplier) }
}

pub(super) fn transpose_conv2d(rng: &mut Rng) -> Case {
    let (window, stride, image) = (hw(rng, 1..4), hw(rng, 1..4), hw(rng, 1..5));
    let (channels, outputs) = (rng.usize(1..6), rng.usize(1..6));
    let op = Op::TransposeConv2d(TransposeConv2d {
        stride,
        padding: padding(rng, window),
        output: hw(rng, 1..12),
        activation: activation(rng),
    });
    let batch = rng.usize(1..3);
    let input = tensor(rng, [batch, image.height, image.width, channels]);
    let filter = tensor(rng, [outputs, window.height, window.width, channels]);
    Case { op, inputs: with_bias(rng, vec![input, filter], outputs) }
}

pub(super) fn fully_connected(rng: &mut Rng) -> Case {
    let (columns, outputs) = (rng.usize(1..40), rng.usize(1..200));
    let mut dims = shape(rng, 0..4);
    dims.push(columns);
    let op = Op::FullyConnected(FullyConnected { keep_dims: rng.bool(), activation: activation(rng) });
    let inputs = vec![tensor(rng, dims), tensor(rng, [outputs, columns])];
    Case { op, inputs: with_bias(rng, inputs, outputs) }
}

pub(super) fn pool2d(rng: &mut Rng) -> Case {
    let filter = hw(rng, 1..5);
    let image = image(rng, filter, Hw::square(1));
    let pool = Pool2d {
        filter,
        stride: hw(rng, 1..4),
        padding: padding(rng, filter),
        count_padding: rng.bool(),
        activation: activation(rng),
    };
    let op = if rng.bool() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
    let (batch, channels) = (rng.usize(1..3), rng.usize(1..9));
    Case { op, inputs: vec![tensor(rng, [batch, image.height, image.width, channels])] }
}

/// Two shapes that broadcast.
fn broadcasting(rng: &mut Rng) -> [Vec<usize>; 2] {
    let whole = shape(rng, 0..5);
    let part = |rng: &mut Rng| {
        let skipped = rng.usize(..=whole.len());
        whole[skipped..].iter().map(|&size| if rng.bool() { 1 } else { size }).collect::<Vec<_>>()
    };
    let other = part(rng);
    if rng.bool() { [whole, other] } else { [other, whole] }
}

pub(super) fn binary(rng: &mut Rng) -> Case {
    let arithmetic = Arithmetic { activation: activation(rng) };
    let [first, second] = if rng.u8(..4) == 0 {
        [vec![3, 1, 4], vec![2, 1, 5, 1]].map(|mut shape| {
            shape[0] = if shape.len() == 3 { 1 } else { 2 };
            shape
        })
    } else {
        broadcasting(rng)
    };
    let ops = [
        Op::Add(arithmetic.clone()),
        Op::Sub(arithmetic.clone()),
        Op::Mul(arithmetic.clone()),
        Op::Div(arithmetic),
        Op::Maximum,
        Op::Minimum,
    ];
    Case {
        op: rng.choice(ops.iter()).unwrap().clone(),
        inputs: vec![tensor(rng, first), positive(rng, second)],
    }
}

pub(super) fn channelwise(rng: &mut Rng) -> Case {
    let mut dims = shape(rng, 1..5);
    if rng.bool() {
        let slope = dims.iter().map(|&size| if rng.bool() { 1 } else { size }).collect::<Vec<_>>();
        return Case { op: Op::PRelu, inputs: vec![tensor(rng, dims), tensor(rng, slope)] };
    }
    let channels = rng.usize(1..10);
    dims.push(channels);
    let op = Op::BatchNormalization(BatchNormalization { epsilon: 1e-3 });
    let parameters: Vec<Tensor> = repeat_with(|| tensor(rng, [channels])).take(3).collect();
    let variance = positive(rng, [channels]);
    Case { op, inputs: [tensor(rng, dims)].into_iter().chain(parameters).chain([variance]).collect() }
}

pub(super) fn unary(rng: &mut Rng) -> Case {
    let ops = [
        Op::Relu,
        Op::Relu6,
        Op::ReluN1To1,
        Op::LeakyRelu(LeakyRelu { alpha: 0.1 }),
        Op::HardSwish,
        Op::Logistic,
        Op::Tanh,
        Op::Exp,
        Op::Neg,
        Op::Abs,
        Op::Sign,
        Op::Erf,
        Op::Gelu(Gelu { tanh: false }),
        Op::Gelu(Gelu { tanh: true }),
        Op::HardSigmoid(HardSigmoid { alpha: 0.2, beta: 0.5 }),
        Op::Clip(Clip { low: -0.5, high: f32::INFINITY }),
        Op::Clip(Clip { low: f32::NEG_INFINITY, high: 0.25 }),
        Op::Elu(Elu { alpha: 0.7 }),
    ];
    let of_positive = [Op::Log, Op::Sqrt, Op::Reciprocal];
    let dims = shape(rng, 0..5);
    let chosen = rng.usize(..ops.len() + of_positive.len());
    match ops.get(chosen) {
        Some(op) => {
            let values: Vec<f32> = tensor(rng, dims.clone()).f32_values().unwrap();
            let wide: Vec<f32> = values.iter().map(|value| value * 4.0).collect();
            Case { op: op.clone(), inputs: vec![Tensor::constant_f32("", dims, &wide)] }
        }
        None => Case { op: of_positive[chosen - ops.len()].clone(), inputs: vec![positive(rng, dims)] },
    }
}

pub(super) fn softmax(rng: &mut Rng) -> Case {
    let op = if rng.bool() { Op::LogSoftmax } else { Op::Softmax(Softmax { beta: 1.0 + rng.f32() }) };
    let dims = shape(rng, 1..5);
    Case { op, inputs: vec![tensor(rng, dims)] }
}

pub(super) fn reduce(rng: &mut Rng) -> Case {
    let dims = shape(rng, 1..5);
    let axis = rng.usize(..dims.len());
    let axes = (0..dims.len()).filter(|&other| other == axis || rng.bool()).collect();
    let reduce = Reduce { axes, keep_dims: rng.bool() };
    let ops = [
        Op::Mean(reduce.clone()),
        Op::Sum(reduce.clone()),
        Op::ReduceMax(reduce.clone()),
        Op::ReduceMin(reduce.clone()),
        Op::ReduceProd(reduce),
        Op::ArgMax(ArgExtreme { axis }),
        Op::ArgMin(ArgExtreme { axis }),
    ];
    // Few different values: there are equals.
    let values: Vec<f32> = repeat_with(|| rng.i8(-3..4).into()).take(dims.iter().product()).collect();
    Case {
        op: rng.choice(ops.iter()).unwrap().clone(),
        inputs: vec![Tensor::constant_f32("", dims, &values)],
    }
}

pub(super) fn layout(rng: &mut Rng) -> Case {
    let dims = shape(rng, 1..5);
    let rank = dims.len();
    let axis = rng.usize(..rank);
    let input = tensor(rng, dims.clone());
    let few = |rng: &mut Rng| repeat_with(|| rng.usize(..3)).take(rank).collect::<Vec<_>>();
    let alone = |op| Case { op, inputs: vec![input.clone()] };
    match rng.usize(..10) {
        0 => {
            let mut permutation: Vec<usize> = (0..rank).collect();
            rng.shuffle(&mut permutation);
            alone(Op::Transpose(Transpose { permutation }))
        }
        1 => {
            let (axes, shape): (Vec<_>, Vec<_>) = dims
                .iter()
                .map(|&size| {
                    let (begin, backwards, step) = (rng.usize(..size), rng.bool(), rng.usize(1..3));
                    let most = if backwards { begin / step } else { (size - 1 - begin) / step } + 1;
                    let count = rng.usize(1..=most);
                    let stride = if backwards { -(step as isize) } else { step as isize };
                    (SliceAxis { begin, count, stride }, count)
                })
                .unzip();
            alone(Op::StridedSlice(StridedSlice { axes, shape: shape.into() }))
        }
        2 => {
            let [from, to] = broadcasting(rng);
            let shape = Shape::from(from.clone()).broadcast(&Shape::from(to)).unwrap();
            Case { op: Op::BroadcastTo(BroadcastTo { shape }), inputs: vec![tensor(rng, from)] }
        }
        3 => alone(Op::Tile(Tile { repeats: few(rng).iter().map(|count| count + 1).collect() })),
        4 => alone(Op::Pad(Pad { before: few(rng), after: few(rng), value: 0.5 })),
        5 => {
            let indices = shape(rng, 0..3);
            let count = indices.iter().product();
            let values: Vec<i32> = repeat_with(|| rng.usize(..dims[axis]) as i32).take(count).collect();
            let indices = Tensor::constant_i32("", indices, &values);
            Case { op: Op::Gather(Gather { axis }), inputs: vec![input, indices] }
        }
        6 => {
            let other = |rng: &mut Rng| {
                let mut dims = dims.clone();
                dims[axis] = rng.usize(1..4);
                tensor(rng, dims)
            };
            let others: Vec<Tensor> = (0..rng.usize(..3)).map(|_| other(rng)).collect();
            let op = Op::Concatenation(Concatenation { axis, activation: activation(rng) });
            Case { op, inputs: [input].into_iter().chain(others).collect() }
        }
        7 => {
            let others: Vec<Tensor> = (0..rng.usize(..3)).map(|_| tensor(rng, dims.clone())).collect();
            let op = Op::Pack(Stack { axis: rng.usize(..=rank) });
            Case { op, inputs: [input].into_iter().chain(others).collect() }
        }
        8 => alone(Op::Unpack(Stack { axis })),
        _ => {
            let first = rng.usize(1..=dims[axis]);
            let sizes = [first, dims[axis] - first].into_iter().filter(|&size| size > 0).collect();
            alone(Op::Split(Split { axis, sizes }))
        }
    }
}

pub(super) fn resize(rng: &mut Rng) -> Case {
    let (align_corners, half_pixel_centers) =
        *rng.choice([(false, false), (true, false), (false, true)].iter()).unwrap();
    let resize = Resize { size: hw(rng, 1..9), align_corners, half_pixel_centers };
    let op = if rng.bool() { Op::ResizeBilinear(resize) } else { Op::ResizeNearest(resize) };
    let dims = [rng.usize(1..3), rng.usize(1..9), rng.usize(1..9), rng.usize(1..4)];
    Case { op, inputs: vec![tensor(rng, dims)] }
}
