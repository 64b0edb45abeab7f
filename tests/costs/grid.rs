//! Models of one operator each: shapes as networks for microcontrollers have them, and some that are odd.

use fastrand::Rng;
use secateur_converter::ir::attributes::{
    Arithmetic, Concatenation, Conv2d, DepthwiseConv2d, FullyConnected, Pad, Pool2d, Reduce, SliceAxis,
    Softmax, StridedSlice, Transpose,
};
use secateur_converter::ir::infer::infer;
use secateur_converter::ir::{
    Activation, DType, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Tensor, TensorId,
};

/// Most values of an input or output.
const MOST_VALUES: usize = 40_000;
/// Most multiply-accumulates.
const MOST_MACS: usize = 1_500_000;

/// A family of models, and how many of it are measured.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) count: usize,
    make: fn(&mut Builder) -> Option<TensorId>,
}

/// Everything that is measured.
pub(crate) const FAMILIES: &[Family] = &[
    Family { name: "pointwise convolution", count: 90, make: pointwise },
    Family { name: "pointwise convolution of few pixels", count: 50, make: few_pixels },
    Family { name: "convolution", count: 120, make: convolution },
    Family { name: "first convolution", count: 60, make: first_convolution },
    Family { name: "grouped convolution", count: 30, make: grouped_convolution },
    Family { name: "convolution of large weights", count: 30, make: heavy_convolution },
    Family { name: "fully connected", count: 60, make: fully_connected },
    Family { name: "fully connected of large weights", count: 20, make: heavy_fully_connected },
    Family { name: "depthwise 3x3", count: 110, make: depthwise_3x3 },
    Family { name: "depthwise of a column", count: 50, make: depthwise_column },
    Family { name: "depthwise", count: 60, make: depthwise },
    Family { name: "depthwise with a multiplier", count: 90, make: depthwise_multiplier },
    Family { name: "low-bit pointwise convolution, int4", count: 36, make: |b| b.of(DType::I4, pointwise) },
    Family {
        name: "low-bit convolution of few pixels, int4",
        count: 24,
        make: |b| b.of(DType::I4, few_pixels),
    },
    Family { name: "low-bit convolution, int4", count: 40, make: |b| b.of(DType::I4, convolution) },
    Family {
        name: "low-bit first convolution, int4",
        count: 36,
        make: |b| b.of(DType::I4, first_convolution),
    },
    Family {
        name: "low-bit grouped convolution, int4",
        count: 20,
        make: |b| b.of(DType::I4, grouped_convolution),
    },
    Family { name: "low-bit fully connected, int4", count: 30, make: |b| b.of(DType::I4, fully_connected) },
    Family {
        name: "low-bit fully connected of large weights, int4",
        count: 12,
        make: |b| b.of(DType::I4, heavy_fully_connected),
    },
    Family { name: "low-bit depthwise 3x3, int4", count: 50, make: |b| b.of(DType::I4, depthwise_3x3) },
    Family {
        name: "low-bit depthwise of a column, int4",
        count: 30,
        make: |b| b.of(DType::I4, depthwise_column),
    },
    Family { name: "low-bit depthwise, int4", count: 40, make: |b| b.of(DType::I4, depthwise) },
    Family {
        name: "low-bit depthwise with a multiplier, int4",
        count: 50,
        make: |b| b.of(DType::I4, depthwise_multiplier),
    },
    Family { name: "low-bit pointwise convolution, 1 bit", count: 36, make: |b| b.of(DType::B1, pointwise) },
    Family {
        name: "low-bit convolution of few pixels, 1 bit",
        count: 24,
        make: |b| b.of(DType::B1, few_pixels),
    },
    Family { name: "low-bit convolution, 1 bit", count: 40, make: |b| b.of(DType::B1, convolution) },
    Family { name: "low-bit fully connected, 1 bit", count: 30, make: |b| b.of(DType::B1, fully_connected) },
    Family { name: "low-bit binary convolution", count: 36, make: |b| b.of_signs(convolution) },
    Family { name: "low-bit binary fully connected", count: 24, make: |b| b.of_signs(fully_connected) },
    Family { name: "low-bit dynamic", count: 24, make: dynamic },
    Family { name: "low-bit dynamic, int4", count: 20, make: |b| b.of(DType::I4, dynamic) },
    Family { name: "pool", count: 70, make: pool },
    Family { name: "arithmetic", count: 60, make: arithmetic },
    Family { name: "arithmetic with repetition", count: 50, make: arithmetic_repeated },
    Family { name: "single values", count: 12, make: lookup },
    Family { name: "softmax", count: 30, make: softmax },
    Family { name: "mean", count: 40, make: mean },
    Family { name: "pad", count: 30, make: pad },
    Family { name: "join", count: 30, make: join },
    Family { name: "transpose", count: 30, make: transpose },
    Family { name: "slice", count: 30, make: slice },
];

impl Family {
    /// The model of this number: the same every time.
    pub(crate) fn model(&self, number: usize) -> Graph<Quantized> {
        let seed =
            self.name.bytes().fold(number as u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        let mut rng = Rng::with_seed(seed);
        loop {
            let mut builder = Builder {
                graph: Graph::new(self.name),
                rng: rng.fork(),
                heavy: false,
                weights: DType::I8,
                binary: false,
                outputs: Vec::new(),
            };
            if let Some(output) = (self.make)(&mut builder) {
                builder.outputs.push(output);
                builder.graph.set_outputs(builder.outputs);
                return builder.graph;
            }
        }
    }
}

/// A graph while it grows.
struct Builder {
    graph: Graph<Quantized>,
    rng: Rng,
    /// Whether weights are so large that no packing holds them.
    heavy: bool,
    /// Type of filters.
    weights: DType,
    /// Whether inputs are signs.
    binary: bool,
    /// Outputs beside the one that a family returns.
    outputs: Vec<TensorId>,
}

impl Builder {
    /// A size up to `most`, as likely below its root as above; every second one a multiple of 4 where it can be.
    fn size(&mut self, most: usize) -> usize {
        let size = ((most as f64).powf(self.rng.f64()) + 0.5) as usize;
        if self.rng.bool() && size > 4 { size / 4 * 4 } else { size.clamp(1, most) }
    }

    /// The same model with filters of another type.
    fn of(&mut self, weights: DType, make: fn(&mut Self) -> Option<TensorId>) -> Option<TensorId> {
        self.weights = weights;
        make(self)
    }

    /// The same model with weights and inputs of -1 and +1.
    fn of_signs(&mut self, make: fn(&mut Self) -> Option<TensorId>) -> Option<TensorId> {
        self.binary = true;
        self.of(DType::B1, make)
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.rng.u32(0..one_in) == 0
    }

    /// An input of the model.
    fn input(&mut self, shape: &[usize]) -> Option<TensorId> {
        let zero_point = if self.rng.bool() { -128 } else { self.rng.i32(-100..100) };
        self.input_of(shape, Quantization::per_tensor(0.05, zero_point))
    }

    fn input_of(&mut self, shape: &[usize], quantization: Quantization) -> Option<TensorId> {
        let fits = shape.iter().product::<usize>() <= MOST_VALUES;
        let tensor = Tensor::new("", DType::I8, shape.to_vec()).with_quantization(quantization);
        let id = self.graph.add_tensor(tensor);
        let inputs = [self.graph.inputs(), &[id]].concat();
        self.graph.set_inputs(inputs);
        if !fits {
            return None;
        }
        let signs = Some(Quantization::per_tensor(1.0, 0));
        if self.binary { self.node(Op::Sign, &[id], signs) } else { Some(id) }
    }

    /// The shape of an image: square or wide, or a column of samples.
    fn image_shape(&mut self, most_channels: usize) -> [usize; 4] {
        let (height, width) = (self.size(48), self.size(48));
        let width = match self.rng.u8(0..4) {
            0 => 1,
            1 => width,
            _ => height,
        };
        [1, height, width, self.size(most_channels)]
    }

    fn image(&mut self, most_channels: usize) -> Option<TensorId> {
        let shape = self.image_shape(most_channels);
        self.input(&shape)
    }

    /// A filter whose channels are along `axis`, with weights as trained ones are distributed, or with the largest.
    fn filter(&mut self, shape: Vec<usize>, axis: usize) -> TensorId {
        let (heavy, dtype) = (self.heavy, self.weights);
        let weight = |rng: &mut Rng| match dtype {
            DType::B1 => [-1, 1][usize::from(rng.bool())],
            DType::I4 if heavy => 7 - rng.i8(0..2),
            DType::I4 => rng.i8(-4..4) + rng.i8(-4..4),
            _ if heavy => 127 - rng.i8(0..3),
            _ => rng.i8(-25..=25) + rng.i8(-25..=25),
        };
        let values: Vec<i8> = (0..shape.iter().product()).map(|_| weight(&mut self.rng)).collect();
        let scales = (0..shape[axis]).map(|_| 0.005 + self.rng.f32() / 200.0).collect();
        let filter = Tensor { dtype, ..Tensor::constant_i8("", shape, &values) }
            .with_quantization(Quantization::per_channel(scales, axis));
        self.graph.add_tensor(filter)
    }

    /// A layer with weights of `taps` for each output, and an activation that its output's range has or has not.
    fn layer(
        &mut self,
        taps: usize,
        op: impl FnOnce(Activation) -> Op,
        inputs: &[TensorId],
    ) -> Option<TensorId> {
        let (activation, quantization) = match self.rng.u8(0..4) {
            0 => (
                Activation::None,
                Quantization::per_tensor(0.02 * (taps as f32).sqrt(), self.rng.i32(-40..40)),
            ),
            1 => (Activation::Relu6, Quantization::per_tensor(6.0 / 255.0, -128)),
            2 => (Activation::Relu, Quantization::per_tensor(0.01 * (taps as f32).sqrt(), -100)),
            _ => (Activation::Relu, Quantization::per_tensor(0.01 * (taps as f32).sqrt(), -128)),
        };
        let output = self.node(op(activation), inputs, Some(quantization))?;
        let outputs = self.graph[output].shape.iter().product::<usize>();
        (outputs * taps <= MOST_MACS).then_some(output)
    }

    /// Adds a node whose output has the shape that follows from its inputs.
    fn node(&mut self, op: Op, inputs: &[TensorId], quantization: Option<Quantization>) -> Option<TensorId> {
        let tensors: Vec<Option<&Tensor>> = inputs.iter().map(|&id| self.graph.get(id)).collect();
        let shape = infer(&op, &tensors).ok()?.swap_remove(0).shape;
        if shape.iter().product::<usize>() > MOST_VALUES || shape.contains(&0) {
            return None;
        }
        let quantization = quantization.or_else(|| self.graph[inputs[0]].quantization.clone());
        let output = Tensor { quantization, ..Tensor::new("", DType::I8, shape) };
        let output = self.graph.add_tensor(output);
        self.graph.add_node(Node::new("", op, inputs.iter().copied(), output));
        Some(output)
    }

    /// Height and width of an image.
    fn height_and_width(&self, image: TensorId) -> Hw {
        let shape = &self.graph[image].shape;
        Hw::new(shape[1], shape[2])
    }

    fn channels(&self, image: TensorId) -> usize {
        self.graph[image].shape[3]
    }

    /// The padding that `SAME` or `VALID` gives.
    fn padding(&mut self, image: TensorId, size: Hw, stride: Hw) -> Padding {
        let same = !self.chance(4);
        if same {
            Padding::same(self.height_and_width(image), size, stride, Hw::square(1))
        } else {
            Padding::NONE
        }
    }

    fn convolve(&mut self, input: TensorId, size: Hw, stride: Hw, groups: usize) -> Option<TensorId> {
        let channels = self.channels(input);
        let outputs = groups * self.size(256).div_ceil(groups);
        let filter = self.filter(vec![outputs, size.height, size.width, channels / groups], 0);
        let (padding, dilation) = (self.padding(input, size, stride), Hw::square(1));
        let taps = size.height * size.width * channels / groups;
        let op = |activation| Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        self.layer(taps, op, &[input, filter])
    }

    fn convolve_depthwise(
        &mut self,
        input: TensorId,
        size: Hw,
        stride: Hw,
        multiplier: usize,
    ) -> Option<TensorId> {
        let channels = self.channels(input) * multiplier;
        let filter = self.filter(vec![1, size.height, size.width, channels], 3);
        let (padding, dilation) = (self.padding(input, size, stride), Hw::square(1));
        let op = |activation| {
            Op::DepthwiseConv2d(DepthwiseConv2d { stride, dilation, padding, multiplier, activation })
        };
        self.layer(size.height * size.width, op, &[input, filter])
    }
}

fn pointwise(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let stride = if b.chance(5) { 2 } else { 1 };
    b.convolve(input, Hw::square(1), Hw::square(stride), 1)
}

fn few_pixels(b: &mut Builder) -> Option<TensorId> {
    let (height, width, channels) = (b.rng.usize(1..6), b.rng.usize(1..4), b.size(256));
    let input = b.input(&[1, height, width, channels])?;
    b.convolve(input, Hw::square(1), Hw::square(1), 1)
}

fn convolution(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(96)?;
    let stride = Hw::square(if b.chance(3) { 2 } else { 1 });
    let size = match b.rng.u8(0..6) {
        0 => Hw::square(5),
        1 => Hw::new(b.rng.usize(1..6), b.rng.usize(1..6)),
        2 => Hw::new(b.rng.usize(2..8), 1),
        _ => Hw::square(3),
    };
    b.convolve(input, size, stride, 1)
}

fn first_convolution(b: &mut Builder) -> Option<TensorId> {
    let channels = *b.rng.choice(&[1, 1, 3, 2])?;
    let (height, width) = (b.size(64) + 8, b.size(64) + 4);
    let input = b.input(&[1, height, width, channels])?;
    let sizes = [Hw::square(3), Hw::square(3), Hw::new(10, 4), Hw::new(10, 8), Hw::square(5), Hw::square(7)];
    let size = *b.rng.choice(&sizes)?;
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve(input, size, stride, 1)
}

fn grouped_convolution(b: &mut Builder) -> Option<TensorId> {
    let groups = b.rng.usize(2..5);
    let (side, channels) = (b.size(16) + 2, groups * b.size(16));
    let input = b.input(&[1, side, side, channels])?;
    b.convolve(input, Hw::square(3), Hw::square(1), groups)
}

fn fully_connected(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(4) { b.size(8) } else { 1 };
    let (depth, outputs) = (b.size(640), b.size(256));
    let input = b.input(&[rows, depth])?;
    let filter = b.filter(vec![outputs, depth], 0);
    b.layer(
        depth,
        |activation| Op::FullyConnected(FullyConnected { keep_dims: false, activation }),
        &[input, filter],
    )
}

fn heavy_fully_connected(b: &mut Builder) -> Option<TensorId> {
    b.heavy = true;
    let (depth, outputs) = (520 + b.size(3500), b.size(64));
    let input = b.input(&[1, depth])?;
    let filter = b.filter(vec![outputs, depth], 0);
    let op = |activation| Op::FullyConnected(FullyConnected { keep_dims: false, activation });
    b.layer(depth, op, &[input, filter])
}

fn dynamic(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(4) { b.size(8) } else { 1 };
    let (depth, outputs) = (b.size(640), b.size(256));
    let input = b.graph.add_tensor(Tensor::new("", DType::F32, [rows, depth]));
    b.graph.set_inputs(vec![input]);
    let filter = b.filter(vec![outputs, depth], 0);
    let op = Op::FullyConnected(FullyConnected { keep_dims: false, activation: Activation::Relu });
    let output = b.node(op, &[input, filter], None)?;
    b.graph.tensor_mut(output).dtype = DType::F32;
    Some(output)
}

fn heavy_convolution(b: &mut Builder) -> Option<TensorId> {
    b.heavy = true;
    let pixel = b.rng.bool();
    let (side, channels) = (b.size(12), if pixel { 520 + b.size(500) } else { 60 + b.size(80) });
    let input = b.input(&[1, side, side, channels])?;
    b.convolve(input, Hw::square(if pixel { 1 } else { 3 }), Hw::square(1), 1)
}

fn depthwise_3x3(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve_depthwise(input, Hw::square(3), stride, 1)
}

fn depthwise_column(b: &mut Builder) -> Option<TensorId> {
    let (height, channels) = (b.size(40) + 4, b.size(160));
    let input = b.input(&[1, height, 1, channels])?;
    let size = Hw::new(*b.rng.choice(&[3, 5, 9, 10, 15])?, 1);
    let stride = Hw::square(if b.chance(4) { 2 } else { 1 });
    b.convolve_depthwise(input, size, stride, 1)
}

fn depthwise(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(128)?;
    let size = Hw::new(b.rng.usize(1..8), b.rng.usize(1..8));
    let stride = Hw::square(b.rng.usize(1..3));
    b.convolve_depthwise(input, size, stride, 1)
}

fn depthwise_multiplier(b: &mut Builder) -> Option<TensorId> {
    let channels = if b.rng.bool() { 1 } else { b.size(16) };
    let (height, width) = (b.size(96) + 4, b.size(96) + 4);
    let input = b.input(&[1, height, width, channels])?;
    let sizes = [Hw::square(3), Hw::square(3), Hw::new(10, 8), Hw::new(10, 4), Hw::square(5)];
    let size = *b.rng.choice(&sizes)?;
    let (stride, multiplier) = (Hw::square(b.rng.usize(1..3)), *b.rng.choice(&[2, 4, 8])?);
    b.convolve_depthwise(input, size, stride, multiplier)
}

fn pool(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(256)?;
    let image = b.height_and_width(input);
    let whole = b.chance(3);
    let size = if whole { image } else { Hw::new(b.rng.usize(1..6), b.rng.usize(1..6)) };
    let stride = if b.rng.bool() { size } else { Hw::square(b.rng.usize(1..3)) };
    let padding = b.padding(input, size, stride);
    let activation = Activation::None;
    let pool = Pool2d { filter: size, stride, padding, count_padding: false, activation };
    let op = if b.rng.bool() { Op::AveragePool2d(pool) } else { Op::MaxPool2d(pool) };
    b.node(op, &[input], None)
}

fn arithmetic(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    join_two(b, [shape; 2])
}

fn arithmetic_repeated(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    join_two(b, [shape, [1, 1, 1, shape[3]]])
}

/// Two operators on the same operands, so that the first one of them does not write in the place of its operands. The
/// operands have different scales, equal ones where the operators ask for that.
fn join_two(b: &mut Builder, shapes: [[usize; 4]; 2]) -> Option<TensorId> {
    let (alike, activation) = (b.chance(5), if b.rng.bool() { Activation::None } else { Activation::Relu });
    let own = Quantization::per_tensor(0.05, -20);
    let other = if alike { own.clone() } else { Quantization::per_tensor(0.031, 7) };
    let output = if alike { own.clone() } else { Quantization::per_tensor(0.07, -128) };
    let inputs = [b.input_of(&shapes[0], own)?, b.input_of(&shapes[1], other)?];
    let arithmetic = || Arithmetic { activation };
    let choices =
        [Op::Add(arithmetic()), Op::Add(arithmetic()), Op::Sub(arithmetic()), Op::Mul(arithmetic())];
    let mut results = Vec::new();
    let maximum_first = b.rng.bool();
    for turn in 0..2 {
        let op = match (alike, turn) {
            (true, turn) if turn == usize::from(maximum_first) => Op::Minimum,
            (true, _) => Op::Maximum,
            (false, _) => b.rng.choice(&choices)?.clone(),
        };
        results.push(b.node(op, &inputs, Some(output.clone()))?);
    }
    b.outputs.push(results[0]);
    Some(results[1])
}

fn lookup(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    b.node(Op::Logistic, &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128)))
}

fn softmax(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(3) { b.size(16) } else { 1 };
    let classes = b.size(100);
    let input = b.input(&[rows, classes])?;
    let softmax = Softmax { beta: 1.0 };
    b.node(Op::Softmax(softmax), &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128)))
}

fn mean(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(128)?;
    let reduce = Reduce { axes: vec![1, 2], keep_dims: b.rng.bool() };
    b.node(Op::Mean(reduce), &[input], Some(Quantization::per_tensor(0.04, -5)))
}

fn pad(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let mut amounts = || vec![0, b.rng.usize(0..3), b.rng.usize(0..3), 0];
    let pad = Pad { before: amounts(), after: amounts(), value: 0.0 };
    b.node(Op::Pad(pad), &[input], None)
}

fn join(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    let alike = Quantization::per_tensor(0.05, -20);
    let inputs = [b.input_of(&shape, alike.clone())?, b.input_of(&shape, alike)?];
    let axis = if b.rng.bool() { 3 } else { 1 };
    b.node(Op::Concatenation(Concatenation { axis, activation: Activation::None }), &inputs, None)
}

fn transpose(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let permutations = [vec![0, 2, 1, 3], vec![0, 3, 1, 2], vec![0, 1, 3, 2]];
    let permutation = b.rng.choice(&permutations)?.clone();
    b.node(Op::Transpose(Transpose { permutation }), &[input], None)
}

fn slice(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    let shape = b.graph[input].shape.to_vec();
    let axes: Vec<SliceAxis> = shape
        .iter()
        .map(|&len| {
            let begin = if len > 2 { b.rng.usize(0..len / 2) } else { 0 };
            SliceAxis { begin, count: len - begin, stride: 1 }
        })
        .collect();
    let shape = axes.iter().map(|axis| axis.count).collect::<Vec<_>>().into();
    b.node(Op::StridedSlice(StridedSlice { axes, shape }), &[input], None)
}
