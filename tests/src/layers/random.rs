//! One random layer.

use fastrand::Rng;
use secateur_converter::ir::attributes::{
    Arithmetic, Conv2d, DepthwiseConv2d, FullyConnected, Pool2d, Reduce, Softmax, TransposeConv2d,
};
use secateur_converter::ir::infer::infer;
use secateur_converter::ir::{
    Activation, DType, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Shape, Tensor, TensorId,
};

/// Most channels of a layer.
const MOST_CHANNELS: usize = 70;
/// Most elements of an input or an output.
const MOST_ELEMENTS: usize = 6_000;
/// Most multiply-accumulates.
const MOST_WORK: usize = 300_000;

/// A layer in a graph, with values for its inputs.
pub(super) struct Layer {
    pub(super) inputs: Vec<TensorId>,
    pub(super) output: TensorId,
    pub(super) values: Vec<u8>,
}

/// Adds the layer of this case.
pub(super) fn add_layer(graph: &mut Graph<Quantized>, case: u64) -> Layer {
    let mut builder = Builder { graph, rng: Rng::with_seed(case) };
    match builder.rng.u8(0..20) {
        0..=5 => builder.conv2d(),
        6 => builder.transpose_conv2d(),
        7..=12 => builder.depthwise_conv2d(),
        13..=15 => builder.fully_connected(),
        16 => builder.dynamic_fully_connected(),
        17 => builder.pool(),
        18 => builder.arithmetic(),
        _ => builder.whole_rows(),
    }
}

struct Builder<'g> {
    graph: &'g mut Graph<Quantized>,
    rng: Rng,
}

/// A window with a place for `output`, and the size of the image that it slides over.
struct Window {
    size: Hw,
    stride: Hw,
    dilation: Hw,
    padding: Padding,
    image: Hw,
    output: Hw,
}

impl Builder<'_> {
    fn conv2d(&mut self) -> Layer {
        let (window, batch, channels, outputs, groups) = loop {
            let (window, batch) = (self.window(), self.rng.usize(1..3));
            let groups = if self.rng.u8(0..10) == 0 { self.rng.usize(2..5) } else { 1 };
            let (channels, outputs) = (self.channels() / groups, self.channels() / groups);
            let (positions, taps) = (batch * area(window.output), area(window.size) * channels);
            if channels > 0
                && outputs > 0
                && batch * area(window.image) * channels * groups <= MOST_ELEMENTS
                && positions * outputs * groups <= MOST_ELEMENTS
                && positions * taps * outputs * groups <= MOST_WORK
            {
                break (window, batch, channels, outputs, groups);
            }
        };
        let Window { size, stride, dilation, padding, image, .. } = window;
        let input = self.activation([batch, image.height, image.width, channels * groups]);
        let taps = area(size) * channels;
        let weights = self.weights(outputs * groups, taps);
        let filter = self.filter([outputs * groups, size.height, size.width, channels], &weights);
        let activation = self.activation_function();
        let op = Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        self.weighted(op, input, filter, [outputs * groups, taps], 0)
    }

    fn transpose_conv2d(&mut self) -> Layer {
        let (input, size, channels, outputs) = loop {
            let input = [1, self.rng.usize(1..7), self.rng.usize(1..7), self.channels()];
            let size = Hw::new(self.rng.usize(1..5), self.rng.usize(1..5));
            let outputs = self.channels();
            let work = input.iter().product::<usize>() * area(size) * outputs;
            if work <= MOST_WORK / 4 {
                break (input, size, input[3], outputs);
            }
        };
        let stride = Hw::new(self.rng.usize(1..4), self.rng.usize(1..4));
        let spread = |len: usize, size: usize, stride: usize| (len - 1) * stride + size;
        let output =
            Hw::new(spread(input[1], size.height, stride.height), spread(input[2], size.width, stride.width));
        let padding = Padding::default();
        let input = self.activation(input);
        let taps = area(size) * channels;
        let weights = self.weights(outputs, taps);
        let filter = self.filter([outputs, size.height, size.width, channels], &weights);
        let activation = self.activation_function();
        let op = Op::TransposeConv2d(TransposeConv2d { output, stride, padding, activation });
        self.weighted(op, input, filter, [outputs, taps], 0)
    }

    fn depthwise_conv2d(&mut self) -> Layer {
        let (window, batch, channels, multiplier) = loop {
            let (window, batch) = (self.window(), self.rng.usize(1..3));
            let multiplier = if self.rng.u8(0..4) == 0 { self.rng.usize(1..9) } else { 1 };
            let channels = self.channels();
            if channels * multiplier <= MOST_CHANNELS
                && batch * area(window.image) * channels <= MOST_ELEMENTS
                && batch * area(window.output) * channels * multiplier <= MOST_ELEMENTS
            {
                break (window, batch, channels, multiplier);
            }
        };
        let Window { size, stride, dilation, padding, image, .. } = window;
        let input = self.activation([batch, image.height, image.width, channels]);
        let (taps, outputs) = (area(size), channels * multiplier);
        let by_channel = self.weights(outputs, taps);
        let weights: Vec<i8> =
            (0..taps * outputs).map(|i| by_channel[i % outputs * taps + i / outputs]).collect();
        let filter = self.filter([1, size.height, size.width, outputs], &weights);
        let activation = self.activation_function();
        let op = Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation });
        self.weighted(op, input, filter, [outputs, taps], 3)
    }

    fn fully_connected(&mut self) -> Layer {
        let most_depth = self.any(&[16, 70, 700]);
        let (batch, depth, outputs) = (self.rng.usize(1..4), self.rng.usize(1..=most_depth), self.channels());
        let input = self.activation([batch, depth]);
        let weights = self.weights(outputs, depth);
        let filter = self.filter([outputs, depth], &weights);
        let activation = self.activation_function();
        let op = Op::FullyConnected(FullyConnected { keep_dims: false, activation });
        self.weighted(op, input, filter, [outputs, depth], 0)
    }

    /// A layer on real numbers.
    fn dynamic_fully_connected(&mut self) -> Layer {
        let (batch, depth, outputs) = (self.rng.usize(1..4), self.rng.usize(1..=70), self.channels());
        let input = Tensor::new("", DType::F32, [batch, depth]);
        let weights = self.weights(outputs, depth);
        let scales = (0..outputs).map(|_| self.weight_scale(0.01)).collect();
        let filter = self.filter([outputs, depth], &weights);
        let mut constants = vec![filter.with_quantization(Quantization::per_channel(scales, 0))];
        if self.rng.bool() {
            let biases: Vec<f32> = (0..outputs).map(|_| self.rng.f32() - 0.5).collect();
            constants.push(Tensor::constant_f32("", [outputs], &biases));
        }
        let activation = self.activation_function();
        let op = Op::FullyConnected(FullyConnected { keep_dims: false, activation });
        let layer = self.layer(op, vec![input], constants, None);
        self.graph.tensor_mut(layer.output).dtype = DType::F32;
        let (spread, shift) = (self.any(&[1e-30, 0.1, 3.0, 1e20]), self.any(&[0.0, 0.5, -0.5]));
        let real = |rng: &mut Rng| match rng.u8(0..100) {
            0 => 0.0,
            _ => (rng.f32() - 0.5 + shift) * spread,
        };
        let values = (0..batch * depth).flat_map(|_| real(&mut self.rng).to_le_bytes()).collect();
        Layer { values, ..layer }
    }

    fn pool(&mut self) -> Layer {
        let (window, channels) = loop {
            let (window, channels) = (self.window(), self.channels());
            let Window { size, dilation, image, output, .. } = &window;
            let is_dense =
                (dilation.height == 1 || size.height == 1) && (dilation.width == 1 || size.width == 1);
            if is_dense && area(*image).max(area(*output)) * channels <= MOST_ELEMENTS {
                break (window, channels);
            }
        };
        let Window { size: filter, stride, padding, image, .. } = window;
        let input = self.activation([1, image.height, image.width, channels]);
        let quantization = input.quantization.clone();
        let activation = self.activation_function();
        let pool = Pool2d { filter, stride, padding, count_padding: false, activation };
        let op = if self.rng.bool() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
        self.layer(op, vec![input], vec![], quantization)
    }

    fn arithmetic(&mut self) -> Layer {
        let arithmetic = Arithmetic { activation: self.activation_function() };
        let ops = [Op::Add(arithmetic.clone()), Op::Sub(arithmetic.clone()), Op::Mul(arithmetic)];
        let op = self.rng.choice(ops).unwrap_or(Op::Maximum);
        let shape = [self.rng.usize(1..4), self.rng.usize(1..4), self.rng.usize(1..5), self.channels()];
        let inputs = vec![self.activation(shape), self.activation(shape)];
        let quantization = self.quantization();
        self.layer(op, inputs, vec![], Some(quantization))
    }

    fn whole_rows(&mut self) -> Layer {
        let shape = [1, self.rng.usize(1..6), self.rng.usize(1..6), self.channels()];
        let input = self.activation(shape);
        if self.rng.bool() {
            let softmax = Op::Softmax(Softmax { beta: 1.0 });
            return self.layer(
                softmax,
                vec![input],
                vec![],
                Some(Quantization::per_tensor(1.0 / 256.0, -128)),
            );
        }
        let mean = Op::Mean(Reduce { axes: vec![1, 2], keep_dims: self.rng.bool() });
        let quantization = self.quantization();
        self.layer(mean, vec![input], vec![], Some(quantization))
    }

    /// A filter of 8 bits, of 4 that are the upper ones, or of the sign.
    fn filter(&mut self, shape: impl Into<Shape>, weights: &[i8]) -> Tensor {
        let (dtype, narrow): (DType, fn(i8) -> i8) = match self.rng.u8(0..10) {
            0..=3 => (DType::I8, |weight| weight),
            4..=6 => (DType::I4, |weight| weight >> 4),
            _ => (DType::B1, |weight| if weight < 0 { -1 } else { 1 }),
        };
        let weights: Vec<i8> = weights.iter().map(|&weight| narrow(weight)).collect();
        Tensor { dtype, ..Tensor::constant_i8("", shape, &weights) }
    }

    /// A layer with a filter of `[outputs, taps]` weights along `axis`, with or without a bias.
    fn weighted(
        &mut self,
        op: Op,
        input: Tensor,
        filter: Tensor,
        [outputs, taps]: [usize; 2],
        axis: usize,
    ) -> Layer {
        let largest = match filter.dtype {
            DType::B1 => 1.0,
            DType::I4 => 8.0,
            _ => 128.0,
        };
        let binary = filter.dtype == DType::B1 && self.rng.bool();
        let scale = (0.25 + 1.25 * self.rng.f32()) / largest;
        let scales: Vec<f32> = (0..outputs).map(|_| self.weight_scale(scale)).collect();
        let mut constants = vec![filter.with_quantization(Quantization::per_channel(scales, axis))];
        let reach = self.any(&[1, 1 << 10, 1 << 18, 1 << 28]);
        if reach > 1 {
            let biases: Vec<i32> = (0..outputs).map(|_| self.rng.i32(-reach..reach)).collect();
            constants.push(Tensor::constant_i32("", [outputs], &biases));
        }
        let from = input.quantization.as_ref().and_then(Quantization::single).map_or(1.0, |(scale, _)| scale);
        // A sum of so many products of random numbers then spreads over most of the range, or more, or less.
        let from = if binary { 1.0 / 64.0 } else { from };
        let spread = from * scale * (taps as f32).sqrt() * largest;
        let quantization = Quantization::per_tensor(spread * self.any(&[0.3, 1.0, 3.0]), self.zero_point());
        let layer = self.layer(op, vec![input], constants, Some(quantization));
        if binary { self.after_signs(layer) } else { layer }
    }

    /// The layer, reading the signs of what it read.
    fn after_signs(&mut self, layer: Layer) -> Layer {
        let signs = layer.inputs[0];
        let source = self.graph.add_tensor(self.graph[signs].clone());
        self.graph.tensor_mut(signs).quantization = Some(Quantization::per_tensor(1.0, 0));
        if let Some(last) = self.graph.node_ids().next_back() {
            self.graph.insert_node(last, Node::new("", Op::Sign, [source], signs));
        }
        Layer { inputs: vec![source], ..layer }
    }

    /// A channel's scale around `scale`: rarely one so small or so large that the channel's outputs are constant.
    fn weight_scale(&mut self, scale: f32) -> f32 {
        match self.rng.u16(0..2000) {
            0 => scale * 1e-12,
            1 => scale * 3000.0,
            _ => scale * (0.5 + self.rng.f32()),
        }
    }

    fn layer(
        &mut self,
        op: Op,
        inputs: Vec<Tensor>,
        constants: Vec<Tensor>,
        quantization: Option<Quantization>,
    ) -> Layer {
        let operands: Vec<&Tensor> = inputs.iter().chain(&constants).collect();
        let operands: Vec<Option<&Tensor>> = operands.into_iter().map(Some).collect();
        let shape = infer(&op, &operands).expect("a layer of fitting operands").swap_remove(0).shape;
        let bytes = inputs.iter().filter_map(Tensor::byte_len).sum();
        let values = self.values(bytes).into_iter().map(|value| value as u8).collect();
        let inputs: Vec<TensorId> = inputs.into_iter().map(|input| self.graph.add_tensor(input)).collect();
        let constants = constants.into_iter().map(|constant| self.graph.add_tensor(constant));
        let operands: Vec<TensorId> = inputs.iter().copied().chain(constants).collect();
        let mut output = Tensor::new("", DType::I8, shape);
        output.quantization = quantization;
        let output = self.graph.add_tensor(output);
        self.graph.add_node(Node::new("", op, operands, output));
        Layer { inputs, output, values }
    }

    fn activation(&mut self, shape: impl Into<Shape>) -> Tensor {
        Tensor::new("", DType::I8, shape).with_quantization(self.quantization())
    }

    fn quantization(&mut self) -> Quantization {
        Quantization::per_tensor(0.01 + self.rng.f32() / 20.0, self.zero_point())
    }

    fn zero_point(&mut self) -> i32 {
        let any = self.rng.i8(..).into();
        self.any(&[-128, -128, 127, 0, any])
    }

    fn activation_function(&mut self) -> Activation {
        self.any(&[
            Activation::None,
            Activation::None,
            Activation::Relu,
            Activation::Relu6,
            Activation::ReluN1To1,
        ])
    }

    fn channels(&mut self) -> usize {
        let most = self.any(&[4, 17, 40, MOST_CHANNELS]);
        self.rng.usize(1..=most)
    }

    /// Output, window and padding first: the image is what they leave, and perhaps a rest that no window reaches.
    fn window(&mut self) -> Window {
        let size = match self.rng.u8(0..12) {
            0..=4 => Hw::square(3),
            5 | 6 => Hw::square(1),
            7 => Hw::new(self.rng.usize(1..16), 1),
            8 => Hw::new(10, self.any(&[4, 8])),
            _ => Hw::new(self.rng.usize(1..6), self.rng.usize(1..6)),
        };
        let mut stride = Hw::square(self.rng.usize(1..3));
        let mut dilation = Hw::square(1);
        if self.rng.u8(0..4) == 0 {
            stride = Hw::new(self.rng.usize(1..4), self.rng.usize(1..4));
        }
        if self.rng.u8(0..6) == 0 {
            dilation = Hw::new(self.rng.usize(1..4), self.rng.usize(1..4));
        }
        let (before, after) = match self.rng.u8(0..3) {
            0 => ([0; 2], [0; 2]),
            1 => {
                let half = |size: usize, dilation: usize| (size - 1) * dilation / 2;
                let half = [half(size.height, dilation.height), half(size.width, dilation.width)];
                (half, half)
            }
            _ => {
                // A window never lies wholly in the padding.
                let most = [(size.height - 1) * dilation.height, (size.width - 1) * dilation.width];
                (most.map(|most| self.rng.usize(0..=most)), most.map(|most| self.rng.usize(0..=most)))
            }
        };
        let [height, width] = [
            (size.height, stride.height, dilation.height, before[0] + after[0]),
            (size.width, stride.width, dilation.width, before[1] + after[1]),
        ]
        .map(|(size, stride, dilation, padding)| {
            let extent = (size - 1) * dilation + 1;
            let covered = (self.rng.usize(1..8) - 1) * stride + extent + self.rng.usize(0..stride);
            let image = covered.saturating_sub(padding).max(1);
            let output = (image + padding).checked_sub(extent).map_or(0, |steps| steps / stride + 1);
            (image, output)
        });
        let padding = Padding { top: before[0], bottom: after[0], left: before[1], right: after[1] };
        let (image, output) = (Hw::new(height.0, width.0), Hw::new(height.1, width.1));
        Window { size, stride, dilation, padding, image, output }
    }

    /// Rows of weights, one for each output.
    fn weights(&mut self, outputs: usize, taps: usize) -> Vec<i8> {
        let mut weights = self.values(outputs * taps);
        // Two channels in one lane hold -128 in the upper one only above what is not negative.
        let least = self.any(&[[-128, -128], [0, -128], [-128, -127], [-128, -127]]);
        for (row, least) in weights.chunks_mut(taps).zip(least.into_iter().cycle()) {
            for weight in row {
                *weight = (*weight).max(least);
            }
        }
        weights
    }

    /// Values of one of several kinds, the extremes among them.
    fn values(&mut self, count: usize) -> Vec<i8> {
        let kind = self.rng.u8(0..10);
        let value = |_| match kind {
            0..=4 => self.rng.i8(..),
            5 => self.any(&[-128, -127, -1, 0, 1, 127]),
            6 => self.any(&[-128, 127]),
            7 => -128,
            8 => 127,
            _ => self.any(&[0, 0, 0, 0, 0, 0, 1, -1, -128, 127]),
        };
        (0..count).map(value).collect()
    }

    fn any<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.rng.usize(..choices.len())]
    }
}

fn area(size: Hw) -> usize {
    size.height * size.width
}
