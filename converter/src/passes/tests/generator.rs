//! Random small graphs, built as an importer of NCHW models builds them.

use fastrand::Rng;

use crate::ir::attributes::*;
use crate::ir::infer::infer;
use crate::ir::{Activation, DType, Float, Graph, Hw, Node, Op, Padding, Shape, Tensor, TensorId};

const TO_NHWC: [usize; 4] = [0, 2, 3, 1];
const TO_NCHW: [usize; 4] = [0, 3, 1, 2];

/// A graph that is the same for the same seed.
pub(super) fn graph(seed: u64) -> Graph<Float> {
    let mut builder = Builder { graph: Graph::new(format!("seed {seed}")), random: Rng::with_seed(seed) };
    builder.network();
    builder.graph
}

struct Builder {
    graph: Graph<Float>,
    random: Rng,
}

impl Builder {
    fn network(&mut self) {
        let channels = self.random.usize(1..5);
        let mut outputs = Vec::new();
        let (input, mut tensor);
        if self.random.u8(..4) == 0 {
            let length = self.random.usize(6..12);
            input = self.graph.add_tensor(Tensor::new("input", DType::F32, [1, channels, length]));
            let mut sequence = input;
            if self.random.bool() {
                let pad = Pad { before: vec![0, 0, 1], after: vec![0, 0, 0], value: 0.0 };
                sequence = self.node(Op::Pad(pad), &[input]);
            }
            let length = self.shape(sequence)[2];
            tensor = self.reshape(sequence, &[1, channels, 1, length]);
            tensor = self.convolution(tensor);
        } else {
            let batch = self.random.usize(1..3);
            let size = [self.random.usize(3..8), self.random.usize(3..8)];
            input =
                self.graph.add_tensor(Tensor::new("input", DType::F32, [batch, channels, size[0], size[1]]));
            tensor = input;
        }
        self.graph.set_inputs(vec![input]);
        for _ in 0..self.random.usize(2..8) {
            tensor = self.image_step(tensor);
            if self.random.u8(..16) == 0 && tensor != input {
                outputs.push(tensor);
            }
        }
        let last = self.head(tensor);
        outputs.retain(|&output| output != last);
        outputs.push(last);
        outputs.sort_unstable();
        outputs.dedup();
        self.graph.set_outputs(outputs);
    }

    /// One layer, or a few operators that belong together, on an image NCHW.
    fn image_step(&mut self, tensor: TensorId) -> TensorId {
        match self.random.u8(..19) {
            0..4 => self.convolution(tensor),
            4 => self.padded_convolution(tensor),
            5 => self.batch_normalization(tensor),
            6 => self.scale_and_shift(tensor),
            7 | 8 => self.activation(tensor),
            9 => self.pool(tensor),
            10 => {
                let other = self.activation(tensor);
                self.node(Op::Add(Arithmetic::default()), &[tensor, other])
            }
            11 => {
                let other = self.activation(tensor);
                self.node(
                    Op::Concatenation(Concatenation { axis: 1, activation: Activation::None }),
                    &[other, tensor],
                )
            }
            12 => self.squeeze_and_excite(tensor),
            13 => self.shuffle(tensor),
            14 => self.nothing(tensor),
            15 => self.twice(tensor),
            16 => self.p_relu(tensor),
            17 => self.gather(tensor),
            _ => self.clamp_of_maxima(tensor),
        }
    }

    fn shape(&self, tensor: TensorId) -> Vec<usize> {
        self.graph[tensor].shape.to_vec()
    }

    fn real(&mut self) -> f32 {
        self.random.f32() * 2.0 - 1.0
    }

    fn constant(&mut self, shape: impl Into<Shape>, low: f32, high: f32) -> TensorId {
        let shape = shape.into();
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| low + (high - low) * self.random.f32()).collect();
        self.graph.add_tensor(Tensor::constant_f32("constant", shape, &values))
    }

    fn scalar(&mut self, value: f32) -> TensorId {
        self.graph.add_tensor(Tensor::constant_f32("scalar", Shape::default(), &[value]))
    }

    fn nodes(&mut self, op: Op, inputs: &[TensorId]) -> Vec<TensorId> {
        let operands: Vec<_> = inputs.iter().map(|&id| Some(&self.graph[id])).collect();
        let outputs =
            infer(&op, &operands).unwrap_or_else(|faults| panic!("{op:?} {operands:?}: {faults:?}"));
        let name = format!("{} {}", op.name(), self.graph.nodes().len());
        let outputs: Vec<TensorId> = outputs
            .into_iter()
            .map(|output| self.graph.add_tensor(Tensor::new(name.clone(), output.types[0], output.shape)))
            .collect();
        let inputs = inputs.iter().copied().map(Some).collect();
        self.graph.add_node(Node { name, op, inputs, outputs: outputs.clone() });
        outputs
    }

    fn node(&mut self, op: Op, inputs: &[TensorId]) -> TensorId {
        self.nodes(op, inputs)[0]
    }

    fn transpose(&mut self, tensor: TensorId, permutation: &[usize]) -> TensorId {
        self.node(Op::Transpose(Transpose { permutation: permutation.to_vec() }), &[tensor])
    }

    fn reshape(&mut self, tensor: TensorId, shape: &[usize]) -> TensorId {
        self.node(Op::Reshape(Reshape { shape: shape.into() }), &[tensor])
    }

    fn binary(&mut self, op: fn(Arithmetic) -> Op, first: TensorId, second: TensorId) -> TensorId {
        self.node(op(Arithmetic::default()), &[first, second])
    }

    /// An operator on NHWC, between transpositions.
    fn on_nhwc(&mut self, op: Op, tensor: TensorId, parameters: &[TensorId]) -> TensorId {
        let inside = self.transpose(tensor, &TO_NHWC);
        let result = self.node(op, &[&[inside], parameters].concat());
        self.transpose(result, &TO_NCHW)
    }

    fn convolution(&mut self, tensor: TensorId) -> TensorId {
        let &[_, channels, height, width] = &self.shape(tensor)[..] else { return tensor };
        let filter = [self.random.usize(1..=height.min(3)), self.random.usize(1..=width.min(3))];
        let stride = Hw::new(self.random.usize(1..3), self.random.usize(1..3));
        let dilation = Hw::square(1);
        let pads = self.random.bool();
        let padding = Padding {
            top: if pads { filter[0] / 2 } else { 0 },
            bottom: if pads { filter[0] / 2 } else { 0 },
            left: if pads { filter[1] / 2 } else { 0 },
            right: if pads { filter[1] / 2 } else { 0 },
        };
        let grouped = self.random.u8(..4) == 0;
        let groups = if grouped { channels } else { 1 };
        let outputs = if grouped { channels * self.random.usize(1..3) } else { self.random.usize(1..5) };
        let filter = self.constant([outputs, filter[0], filter[1], channels / groups], -0.7, 0.7);
        let mut parameters = vec![filter];
        let activation = Activation::None;
        if self.random.bool() {
            parameters.push(self.constant([outputs], -0.5, 0.5));
        }
        let op = Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        let mut result = self.on_nhwc(op, tensor, &parameters);
        if self.random.bool() {
            result = self.batch_normalization(result);
        }
        if self.random.bool() {
            result = self.node(Op::Relu, &[result]);
        }
        result
    }

    fn padded_convolution(&mut self, tensor: TensorId) -> TensorId {
        let value = if self.random.u8(..4) == 0 { 0.5 } else { 0.0 };
        let amounts = |random: &mut Rng| vec![0, 0, random.usize(..2), random.usize(..2)];
        let pad = Pad { before: amounts(&mut self.random), after: amounts(&mut self.random), value };
        let padded = self.node(Op::Pad(pad), &[tensor]);
        self.convolution(padded)
    }

    fn batch_normalization(&mut self, tensor: TensorId) -> TensorId {
        let channels = self.shape(tensor)[1];
        let parameters = [(0.5, 1.5), (-0.5, 0.5), (-0.5, 0.5), (0.5, 2.0)];
        let parameters = parameters.map(|(low, high)| self.constant([channels], low, high));
        self.on_nhwc(Op::BatchNormalization(BatchNormalization { epsilon: 1e-5 }), tensor, &parameters)
    }

    fn scale_and_shift(&mut self, tensor: TensorId) -> TensorId {
        let channels = self.shape(tensor)[1];
        let scale = self.constant([channels, 1, 1], 0.5, 1.5);
        let shift = self.constant([1, channels, 1, 1], -0.5, 0.5);
        let negated = self.node(Op::Neg, &[shift]);
        let [multiplies, adds] = [self.random.bool(), self.random.bool()];
        let scaled = self.binary(if multiplies { Op::Mul } else { Op::Div }, tensor, scale);
        self.binary(if adds { Op::Add } else { Op::Sub }, scaled, negated)
    }

    fn activation(&mut self, tensor: TensorId) -> TensorId {
        match self.random.u8(..10) {
            0 => self.node(Op::Relu, &[tensor]),
            1 => self.node(Op::Clip(Clip { low: 0.0, high: 6.0 }), &[tensor]),
            2 => self.node(Op::Clip(Clip { low: -0.3, high: 0.4 }), &[tensor]),
            3 => self.node(Op::Tanh, &[tensor]),
            4 => {
                let (three, six) = (self.scalar(3.0), self.scalar(6.0));
                let sum = self.binary(Op::Add, tensor, three);
                let gate = self.node(Op::Relu6, &[sum]);
                let product = self.binary(Op::Mul, tensor, gate);
                self.binary(Op::Div, product, six)
            }
            5 => {
                let (root, one, half) = (self.scalar(2f32.sqrt()), self.scalar(1.0), self.scalar(0.5));
                let scaled = self.binary(Op::Div, tensor, root);
                let erf = self.node(Op::Erf, &[scaled]);
                let gate = self.binary(Op::Add, erf, one);
                let product = self.binary(Op::Mul, tensor, gate);
                self.binary(Op::Mul, product, half)
            }
            6 => {
                let gate = self.node(Op::Logistic, &[tensor]);
                self.binary(Op::Mul, gate, tensor)
            }
            7 => self.node(Op::LeakyRelu(LeakyRelu { alpha: 0.1 }), &[tensor]),
            8 => {
                let zero = self.scalar(0.0);
                self.node(Op::Maximum, &[tensor, zero])
            }
            _ => self.node(Op::HardSigmoid(HardSigmoid { alpha: 0.2, beta: 0.5 }), &[tensor]),
        }
    }

    fn pool(&mut self, tensor: TensorId) -> TensorId {
        let &[_, _, height, width] = &self.shape(tensor)[..] else { return tensor };
        let filter = Hw::new(height.min(2), width.min(2));
        let padding = if filter == Hw::square(2) && self.random.bool() {
            Padding { top: 1, left: 1, ..Padding::NONE }
        } else {
            Padding::NONE
        };
        let stride = Hw::square(self.random.usize(1..3));
        let count_padding = self.random.bool();
        let pool = Pool2d { filter, stride, padding, count_padding, activation: Activation::None };
        let is_average = self.random.bool();
        let op = if is_average { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
        self.on_nhwc(op, tensor, &[])
    }

    fn squeeze_and_excite(&mut self, tensor: TensorId) -> TensorId {
        let mean = self.node(Op::Mean(Reduce { axes: vec![2, 3], keep_dims: true }), &[tensor]);
        let channels = self.shape(tensor)[1];
        let filter = self.constant([channels, 1, 1, channels], -0.7, 0.7);
        let one = Hw::square(1);
        let (padding, activation) = (Padding::NONE, Activation::None);
        let op = Op::Conv2d(Conv2d { stride: one, dilation: one, padding, groups: 1, activation });
        let squeezed = self.on_nhwc(op, mean, &[filter]);
        let gate = self.node(Op::Logistic, &[squeezed]);
        self.binary(Op::Mul, tensor, gate)
    }

    /// Channels in another order: by transposing groups, or by cutting and joining.
    fn shuffle(&mut self, tensor: TensorId) -> TensorId {
        let &[batch, channels, height, width] = &self.shape(tensor)[..] else { return tensor };
        if channels % 2 == 0 && self.random.bool() {
            let groups = self.reshape(tensor, &[batch, 2, channels / 2, height, width]);
            let turned = self.transpose(groups, &[0, 2, 1, 3, 4]);
            return self.reshape(turned, &[batch, channels, height, width]);
        }
        if channels < 2 {
            return self.node(Op::Abs, &[tensor]);
        }
        let cut = self.random.usize(1..channels);
        let parts = self.nodes(Op::Split(Split { axis: 1, sizes: vec![cut, channels - cut] }), &[tensor]);
        self.node(
            Op::Concatenation(Concatenation { axis: 1, activation: Activation::None }),
            &[parts[1], parts[0]],
        )
    }

    fn nothing(&mut self, tensor: TensorId) -> TensorId {
        let one = self.scalar(1.0);
        match self.random.u8(..5) {
            0 => self.node(Op::Cast(Cast { to: DType::F32 }), &[tensor]),
            1 => self.binary(Op::Mul, one, tensor),
            2 => {
                let turned = self.transpose(tensor, &[2, 0, 3, 1]);
                self.transpose(turned, &[1, 3, 0, 2])
            }
            3 => self.node(Op::Tile(Tile { repeats: vec![1; 4] }), &[tensor]),
            _ => {
                let shape = self.shape(tensor);
                let wide = self.node(Op::BroadcastTo(BroadcastTo { shape: shape.into() }), &[one]);
                self.binary(Op::Mul, wide, tensor)
            }
        }
    }

    fn twice(&mut self, tensor: TensorId) -> TensorId {
        let [first, second] = [0; 2].map(|_| self.node(Op::Tanh, &[tensor]));
        self.binary(Op::Mul, first, second)
    }

    fn p_relu(&mut self, tensor: TensorId) -> TensorId {
        let channels = self.shape(tensor)[1];
        let slope = self.constant([channels, 1, 1], 0.0, 0.5);
        self.node(Op::PRelu, &[tensor, slope])
    }

    fn gather(&mut self, tensor: TensorId) -> TensorId {
        let channels = self.shape(tensor)[1];
        let indices: Vec<i32> =
            (0..self.random.i32(1..4)).map(|_| self.random.i32(0..channels as i32)).collect();
        let indices = self.graph.add_tensor(Tensor::constant_i32("indices", [indices.len()], &indices));
        self.node(Op::Gather(Gather { axis: 1 }), &[tensor, indices])
    }

    fn clamp_of_maxima(&mut self, tensor: TensorId) -> TensorId {
        let positive = self.node(Op::Relu, &[tensor]);
        let pad = Pad { before: vec![0, 0, 1, 1], after: vec![0; 4], value: 0.0 };
        let padded = self.node(Op::Pad(pad), &[positive]);
        let filter = Hw::square(2);
        let (padding, activation) = (Padding::NONE, Activation::None);
        let pool = Pool2d { filter, stride: Hw::square(1), padding, count_padding: false, activation };
        self.on_nhwc(Op::MaxPool2d(pool), padded, &[])
    }

    /// What follows the images.
    fn head(&mut self, tensor: TensorId) -> TensorId {
        let &[batch, channels, height, width] = &self.shape(tensor)[..] else { return tensor };
        match self.random.u8(..5) {
            0 => self.activation(tensor),
            1 => {
                let mean = self.node(Op::Mean(Reduce { axes: vec![2, 3], keep_dims: false }), &[tensor]);
                self.dense(mean)
            }
            2 => {
                let rows = self.reshape(tensor, &[batch, channels, height * width]);
                let rows = self.transpose(rows, &[0, 2, 1]);
                let filter = self.constant([3, channels], -0.7, 0.7);
                let layer = FullyConnected { keep_dims: true, activation: Activation::None };
                let tokens = self.node(Op::FullyConnected(layer), &[rows, filter]);
                self.node(Op::ReduceMin(Reduce { axes: vec![1], keep_dims: false }), &[tokens])
            }
            _ => {
                let flat = self.reshape(tensor, &[batch, channels * height * width]);
                let active = self.activation(flat);
                self.dense(active)
            }
        }
    }

    fn dense(&mut self, rows: TensorId) -> TensorId {
        let columns = self.shape(rows)[1];
        let filter = self.constant([4, columns], -0.7, 0.7);
        let layer = FullyConnected { keep_dims: false, activation: Activation::None };
        let product = self.node(Op::FullyConnected(layer), &[rows, filter]);
        let bias = self.constant([4], -0.5, 0.5);
        let sum = self.binary(Op::Add, product, bias);
        let active = self.activation(sum);
        let exp = self.node(Op::Exp, &[active]);
        let total = self.node(Op::Sum(Reduce { axes: vec![1], keep_dims: true }), &[exp]);
        self.binary(Op::Div, exp, total)
    }

    /// Values for the graph's inputs.
    fn inputs(&mut self) -> Vec<Vec<f32>> {
        let inputs = self.graph.inputs().to_vec();
        let count = |id: TensorId| self.graph[id].shape.iter().product::<usize>();
        let counts: Vec<usize> = inputs.into_iter().map(count).collect();
        counts.into_iter().map(|count| (0..count).map(|_| self.real()).collect()).collect()
    }
}

/// Values for the graph's inputs, the same for the same seed.
pub(super) fn inputs(graph: &Graph<Float>, seed: u64) -> Vec<Vec<f32>> {
    Builder { graph: graph.clone(), random: Rng::with_seed(seed) }.inputs()
}
