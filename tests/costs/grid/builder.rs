//! A model of one operator while it grows.

use fastrand::Rng;
use secateur_converter::ir::attributes::{Conv2d, DepthwiseConv2d, FullyConnected};
use secateur_converter::ir::infer::infer;
use secateur_converter::ir::{
    Activation, DType, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Tensor, TensorId,
};

use super::Weights;

/// Most values of an input or output.
const MOST_VALUES: usize = 40_000;
/// Most multiply-accumulates.
const MOST_MACS: usize = 1_500_000;

/// A graph while it grows.
pub(super) struct Builder {
    pub(super) graph: Graph<Quantized>,
    pub(super) rng: Rng,
    weights: Weights,
    /// Whether weights are so large that no packing holds them.
    pub(super) heavy: bool,
    /// Outputs beside the one that a family returns.
    pub(super) outputs: Vec<TensorId>,
}

impl Builder {
    pub(super) fn new(name: &str, rng: Rng, weights: Weights) -> Self {
        Self { graph: Graph::new(name), rng, weights, heavy: false, outputs: Vec::new() }
    }

    /// The model with this as its last output.
    pub(super) fn finish(mut self, output: TensorId) -> Graph<Quantized> {
        self.outputs.push(output);
        self.graph.set_outputs(self.outputs);
        self.graph
    }

    /// A size up to `most`, as likely below its root as above; every second one a multiple of 4 where it can be.
    pub(super) fn size(&mut self, most: usize) -> usize {
        let size = ((most as f64).powf(self.rng.f64()) + 0.5) as usize;
        if self.rng.bool() && size > 4 { size / 4 * 4 } else { size.clamp(1, most) }
    }

    pub(super) fn chance(&mut self, one_in: u32) -> bool {
        self.rng.u32(0..one_in) == 0
    }

    /// An input of the model.
    pub(super) fn input(&mut self, shape: &[usize]) -> Option<TensorId> {
        let zero_point = if self.rng.bool() { -128 } else { self.rng.i32(-100..100) };
        self.input_of(shape, Quantization::per_tensor(0.05, zero_point))
    }

    pub(super) fn input_of(&mut self, shape: &[usize], quantization: Quantization) -> Option<TensorId> {
        let fits = shape.iter().product::<usize>() <= MOST_VALUES;
        let tensor = Tensor::new("", DType::I8, shape.to_vec()).with_quantization(quantization);
        let id = self.graph.add_tensor(tensor);
        let inputs = [self.graph.inputs(), &[id]].concat();
        self.graph.set_inputs(inputs);
        if !fits {
            return None;
        }
        let signs = Some(Quantization::per_tensor(1.0, 0));
        if self.weights == Weights::Binary { self.node(Op::Sign, &[id], signs) } else { Some(id) }
    }

    /// The shape of an image: square or wide, or a column of samples.
    pub(super) fn image_shape(&mut self, most_channels: usize) -> [usize; 4] {
        let (height, width) = (self.size(48), self.size(48));
        let width = match self.rng.u8(0..4) {
            0 => 1,
            1 => width,
            _ => height,
        };
        [1, height, width, self.size(most_channels)]
    }

    pub(super) fn image(&mut self, most_channels: usize) -> Option<TensorId> {
        let shape = self.image_shape(most_channels);
        self.input(&shape)
    }

    /// A filter whose channels are along `axis`, with weights as trained ones are distributed, or with the largest.
    pub(super) fn filter(&mut self, shape: Vec<usize>, axis: usize) -> TensorId {
        let heavy = self.heavy;
        let dtype = match self.weights {
            Weights::Int8 => DType::I8,
            Weights::Int4 => DType::I4,
            Weights::OneBit | Weights::Binary => DType::B1,
        };
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
    pub(super) fn layer(
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
    pub(super) fn node(
        &mut self,
        op: Op,
        inputs: &[TensorId],
        quantization: Option<Quantization>,
    ) -> Option<TensorId> {
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
    pub(super) fn height_and_width(&self, image: TensorId) -> Hw {
        let shape = &self.graph[image].shape;
        Hw::new(shape[1], shape[2])
    }

    pub(super) fn channels(&self, image: TensorId) -> usize {
        self.graph[image].shape[3]
    }

    /// The padding that `SAME` or `VALID` gives.
    pub(super) fn padding(&mut self, image: TensorId, size: Hw, stride: Hw) -> Padding {
        let same = !self.chance(4);
        if same {
            Padding::same(self.height_and_width(image), size, stride, Hw::square(1))
        } else {
            Padding::NONE
        }
    }

    pub(super) fn convolve(
        &mut self,
        input: TensorId,
        size: Hw,
        stride: Hw,
        groups: usize,
    ) -> Option<TensorId> {
        let channels = self.channels(input);
        let outputs = groups * self.size(256).div_ceil(groups);
        let filter = self.filter(vec![outputs, size.height, size.width, channels / groups], 0);
        let (padding, dilation) = (self.padding(input, size, stride), Hw::square(1));
        let taps = size.height * size.width * channels / groups;
        let op = |activation| Op::Conv2d(Conv2d { stride, dilation, padding, groups, activation });
        self.layer(taps, op, &[input, filter])
    }

    pub(super) fn convolve_depthwise(
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

    /// A fully connected layer on an input of rows of `depth` values.
    pub(super) fn connect(&mut self, input: TensorId, depth: usize, outputs: usize) -> Option<TensorId> {
        let filter = self.filter(vec![outputs, depth], 0);
        let op = |activation| Op::FullyConnected(FullyConnected { keep_dims: false, activation });
        self.layer(depth, op, &[input, filter])
    }
}
