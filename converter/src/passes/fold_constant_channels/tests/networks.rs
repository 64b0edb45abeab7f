//! Random small networks with channels that are constant, of every kind that folding knows and some that it does not.

use fastrand::Rng;

use crate::ir::attributes::{
    Arithmetic, Concatenation, Conv2d, DepthwiseConv2d, FullyConnected, Pad, Pool2d, Reduce, Reshape, Softmax,
};
use crate::ir::infer::infer;
use crate::ir::{Activation, DType, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Tensor, TensorId};

/// A network of so many layers, then a few that end it.
pub(super) fn network(layers: usize, seed: u64) -> Graph<Quantized> {
    let mut network = Network { graph: Graph::new("random"), rng: Rng::with_seed(seed) };
    let (height, width, channels) =
        (network.rng.usize(1..7), network.rng.usize(1..7), network.rng.usize(1..4));
    let input = network.activation([1, height, width, channels]);
    let mut tensor = network.graph.add_tensor(input);
    network.graph.set_inputs(vec![tensor]);
    let mut outputs = Vec::new();
    for _ in 0..layers {
        tensor = network.layer(tensor);
        if network.rng.u8(0..30) == 0 {
            outputs.push(tensor);
        }
    }
    let end = network.end(tensor);
    outputs.push(end);
    outputs.dedup();
    network.graph.set_outputs(outputs);
    network.graph
}

struct Network {
    graph: Graph<Quantized>,
    rng: Rng,
}

impl Network {
    fn activation(&mut self, shape: impl Into<crate::ir::Shape>) -> Tensor {
        let zero_point = *self.rng.choice(&[-128, 127, 0, -7, 33]).unwrap_or(&0);
        let scale = 0.02 + self.rng.f32() / 20.0;
        Tensor::new("", DType::I8, shape).with_quantization(Quantization::per_tensor(scale, zero_point))
    }

    /// Adds a node whose output has the shape that follows from its inputs.
    fn node(&mut self, op: Op, inputs: &[TensorId], quantization: Option<Quantization>) -> TensorId {
        let tensors: Vec<Option<&Tensor>> = inputs.iter().map(|&id| self.graph.get(id)).collect();
        let shape = infer(&op, &tensors).unwrap().swap_remove(0).shape;
        let mut output = self.activation(shape);
        if quantization.is_some() {
            output.quantization = quantization;
        }
        let output = self.graph.add_tensor(output);
        self.graph.add_node(Node::new("", op, inputs.iter().copied(), output));
        output
    }

    fn layer(&mut self, input: TensorId) -> TensorId {
        let quantization = self.graph[input].quantization.clone();
        let channels = self.graph[input].shape[3];
        match self.rng.u8(0..16) {
            0..=2 => {
                let outputs = self.rng.usize(1..9);
                self.pointwise(input, outputs)
            }
            3 | 4 => self.convolution(input),
            5..=7 => self.depthwise(input),
            8 => {
                let op = self.pool(input);
                self.node(op, &[input], quantization)
            }
            9 => {
                let ops = [Op::Relu, Op::Relu6, Op::HardSwish, Op::Quantize];
                let op = self.rng.choice(ops).unwrap_or(Op::Relu);
                self.node(op, &[input], None)
            }
            10 => self.node(Op::Logistic, &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128))),
            11 => {
                let arithmetic = Arithmetic { activation: Activation::None };
                let ops = [Op::Add(arithmetic.clone()), Op::Sub(arithmetic.clone()), Op::Mul(arithmetic)];
                let op = self.rng.choice(ops).unwrap_or(Op::Maximum);
                let other = self.pointwise(input, channels);
                self.node(op, &[input, other], None)
            }
            12 => {
                let shape = if self.rng.bool() { vec![channels] } else { vec![1, 1, 1, 1] };
                let values: Vec<i8> = (0..shape.iter().product()).map(|_| self.rng.i8(..)).collect();
                let constant = Tensor { data: None, ..self.activation(shape.clone()) };
                let constant = constant.with_data(values.iter().map(|&value| value as u8));
                let constant = self.graph.add_tensor(constant);
                self.node(Op::Add(Arithmetic::default()), &[input, constant], None)
            }
            13 => {
                let outputs = self.rng.usize(1..5);
                let other = self.pointwise(input, outputs);
                let join = Concatenation { axis: 3, activation: Activation::None };
                self.node(Op::Concatenation(join), &[other, input], None)
            }
            14 => {
                let pad = Pad { before: vec![0, 1, 0, 0], after: vec![0, 0, 1, 0], value: 0.3 };
                self.node(Op::Pad(pad), &[input], quantization)
            }
            _ => {
                let softmax = Op::Softmax(Softmax { beta: 1.0 });
                self.node(softmax, &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128)))
            }
        }
    }

    /// Flattened or averaged, and a fully connected layer; or nothing more.
    fn end(&mut self, input: TensorId) -> TensorId {
        let [_, height, width, channels] = self.graph[input].shape[..] else { return input };
        let quantization = self.graph[input].quantization.clone();
        let (flat, columns) = match self.rng.u8(0..5) {
            0 => return self.pointwise(input, 2),
            1 => (input, height * width * channels),
            2 => {
                let shape = [1, height * width * channels].into();
                (self.node(Op::Reshape(Reshape { shape }), &[input], quantization), height * width * channels)
            }
            3 => {
                let shape = [height * width, channels].into();
                (self.node(Op::Reshape(Reshape { shape }), &[input], quantization), channels)
            }
            _ => {
                let mean = Reduce { axes: vec![1, 2], keep_dims: self.rng.bool() };
                (self.node(Op::Mean(mean), &[input], None), channels)
            }
        };
        let (filter, bias) = self.weights(vec![3, columns], 0);
        let op = Op::FullyConnected(FullyConnected { keep_dims: false, activation: Activation::None });
        self.node(op, &[flat, filter, bias], None)
    }

    fn pointwise(&mut self, input: TensorId, outputs: usize) -> TensorId {
        let (filter, bias) = self.weights(vec![outputs, 1, 1, self.graph[input].shape[3]], 0);
        let op = Op::Conv2d(Conv2d {
            stride: Hw::square(1),
            dilation: Hw::square(1),
            padding: Padding::NONE,
            groups: 1,
            activation: self.activation_function(),
        });
        let inputs = self.with_or_without(&[input, filter, bias]);
        self.node(op, &inputs, None)
    }

    fn convolution(&mut self, input: TensorId) -> TensorId {
        let [_, height, width, channels] = self.graph[input].shape[..] else { return input };
        let (size, stride, dilation, padding) = self.window(height, width);
        let groups = if channels % 2 == 0 && self.rng.u8(0..4) == 0 { 2 } else { 1 };
        let outputs = groups * self.rng.usize(1..6);
        let (filter, bias) = self.weights(vec![outputs, size.height, size.width, channels / groups], 0);
        let activation = self.activation_function();
        let op = Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        let inputs = self.with_or_without(&[input, filter, bias]);
        self.node(op, &inputs, None)
    }

    fn depthwise(&mut self, input: TensorId) -> TensorId {
        let [_, height, width, channels] = self.graph[input].shape[..] else { return input };
        let (size, stride, dilation, padding) = self.window(height, width);
        let multiplier = if channels > 8 { 1 } else { self.rng.usize(1..3) };
        let (filter, bias) = self.weights(vec![1, size.height, size.width, channels * multiplier], 3);
        let activation = self.activation_function();
        let op = Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation });
        let inputs = self.with_or_without(&[input, filter, bias]);
        self.node(op, &inputs, None)
    }

    fn pool(&mut self, input: TensorId) -> Op {
        let filter = Hw::new(
            self.rng.usize(1..3).min(self.graph[input].shape[1]),
            self.rng.usize(1..3).min(self.graph[input].shape[2]),
        );
        let padding = Padding { top: filter.height - 1, right: filter.width - 1, ..Padding::NONE };
        let padding = if self.rng.bool() { padding } else { Padding::NONE };
        let pool = Pool2d {
            filter,
            stride: Hw::square(1),
            padding,
            count_padding: false,
            activation: self.activation_function(),
        };
        if self.rng.bool() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) }
    }

    /// Size, stride, dilation and padding of a window that has a place in an image.
    fn window(&mut self, height: usize, width: usize) -> (Hw, Hw, Hw, Padding) {
        let mut pick =
            |range: std::ops::Range<usize>| Hw::new(self.rng.usize(range.clone()), self.rng.usize(range));
        let (mut size, stride, dilation) = (pick(1..4), pick(1..3), pick(1..3));
        let (before, after) = (pick(0..2), pick(0..2));
        let padding = match self.rng.u8(0..3) {
            0 => Padding::NONE,
            1 => Padding::same(Hw::new(height, width), size, stride, dilation),
            _ => Padding { top: before.height, left: before.width, bottom: after.height, right: after.width },
        };
        // Padding of a whole window or more is not executable.
        let most = |size: usize, dilation: usize| (size - 1) * dilation;
        let (rows, columns) = (most(size.height, dilation.height), most(size.width, dilation.width));
        let mut padding = Padding {
            top: padding.top.min(rows),
            bottom: padding.bottom.min(rows),
            left: padding.left.min(columns),
            right: padding.right.min(columns),
        };
        if rows >= height + padding.top + padding.bottom {
            (size.height, padding.top, padding.bottom) = (1, 0, 0);
        }
        if columns >= width + padding.left + padding.right {
            (size.width, padding.left, padding.right) = (1, 0, 0);
        }
        (size, stride, dilation, padding)
    }

    fn activation_function(&mut self) -> Activation {
        let choices = [Activation::None, Activation::Relu, Activation::Relu6, Activation::ReluN1To1];
        self.rng.choice(choices).unwrap_or_default()
    }

    /// Filter and bias, some of whose output channels (along `axis`) are constant for one reason or another, and some of
    /// whose input channels are multiplied by 0.
    fn weights(&mut self, shape: Vec<usize>, axis: usize) -> (TensorId, TensorId) {
        let (count, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
        let last = shape[shape.len() - 1];
        let mut scales: Vec<f32> = (0..count).map(|_| 0.005 + self.rng.f32() / 100.0).collect();
        let mut biases: Vec<i32> = (0..count).map(|_| self.rng.i32(-500..500)).collect();
        let mut is_zero = vec![false; count];
        for channel in 0..count {
            match self.rng.u8(0..10) {
                0 | 1 => (is_zero[channel], biases[channel]) = (true, 0),
                2 | 3 => is_zero[channel] = true,
                4 => scales[channel] = 1e-20,
                5 => biases[channel] = self.rng.i32(-2_000_000_000..2_000_000_000),
                _ => {}
            }
        }
        let unread: Vec<bool> = (0..last).map(|_| axis == 0 && self.rng.u8(0..8) == 0).collect();
        let value = |index: usize| {
            let zero = is_zero[index / inner % count] || unread[index % last];
            if zero { 0 } else { self.rng.i8(..) }
        };
        let values: Vec<i8> = (0..shape.iter().product()).map(value).collect();
        let filter = Tensor::constant_i8("", shape, &values)
            .with_quantization(Quantization::per_channel(scales, axis));
        let bias = Tensor::constant_i32("", [count], &biases);
        (self.graph.add_tensor(filter), self.graph.add_tensor(bias))
    }

    /// Input, filter and bias, or no bias.
    fn with_or_without(&mut self, inputs: &[TensorId; 3]) -> Vec<TensorId> {
        inputs[..if self.rng.u8(0..4) == 0 { 2 } else { 3 }].to_vec()
    }
}
