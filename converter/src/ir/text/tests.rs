use super::*;
use crate::ir::attributes::*;
use crate::ir::{DType, Float, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Shape, Tensor};

const TINY: &str = r#"graph "tiny" quantized
%0 "image" i8[1,8,8,1] scale 0.5 zero -128
%1 "filter" i8[2,1,1,1] scale [0.1,0.2] zero [0,0] axis 0 = [5,-3]
%2 "con\"v 1;relu" i8[1,8,8,2] scale 0.25 zero 3
inputs %0
outputs %2
node "conv" Conv2d(%0, %1, _) -> %2 activation="Relu6" dilation=[1,1] groups=1 padding=[0,1,0,1] stride=[1,1]
"#;

#[test]
fn text_round_trips() {
    let graph = parse::<Quantized>(TINY).unwrap();
    assert_eq!(graph.to_string(), TINY);
}

#[test]
fn comments_blank_lines_and_other_numbers_are_accepted() {
    let text = "\n# A comment\ngraph \"\" float\n%7 \"x\" f32[2] = [1,NaN]\n\n  inputs\noutputs %7\n";
    let graph = parse::<Float>(text).unwrap();
    assert_eq!(graph.to_string(), "graph \"\" float\n%0 \"x\" f32[2] = [1.0,NaN]\ninputs\noutputs %0\n");
}

#[test]
fn every_operator_and_type_round_trips() {
    let mut graph = Graph::<Quantized>::new("all");
    let input = graph
        .add_tensor(Tensor::new("x", DType::I8, [1]).with_quantization(Quantization::per_tensor(0.1, 0)));
    let output = graph.add_tensor(Tensor::new("y", DType::I8, Shape::default()));
    for dtype in DType::ALL {
        graph.add_tensor(Tensor::new(dtype.name(), dtype, [2]).with_data(vec![1; 2 * dtype.size()]));
    }
    for op in every_op() {
        graph.add_node(Node::new(op.name(), op, [input], output));
    }
    graph.set_inputs(vec![input]);
    graph.set_outputs(vec![output]);
    let text = graph.to_string();
    assert_eq!(parse::<Quantized>(&text).unwrap(), graph, "{text}");
}

#[test]
fn long_constants_are_abbreviated_and_then_refused() {
    let graph = parse::<Quantized>(TINY).unwrap();
    let text = print(&graph, 1);
    assert!(text.contains("axis 0 = 2 bytes\n"), "{text}");
    assert_eq!(parse::<Quantized>(&text).map_err(|error| error.line), Err(3));
}

#[test]
fn errors_name_the_line() {
    for (broken, message) in [
        ("graph \"g\" float", "line 1: the graph must be quantized"),
        ("grap", "line 1: graph, a tensor, inputs, outputs or node expected at ''"),
        ("outputs %3", "line 1: tensor %3 is not described"),
        ("%0 \"x\" i8[1]\n%0 \"x\" i8[1]", "line 2: tensor %0 is described twice"),
        ("%0 \"x\" int8[1]", "line 1: an element type before this expected at '[1]'"),
        ("%0 \"x\" i8[1] = [300]", "line 1: elements in brackets, of the tensor's type, expected at '300]'"),
        ("node \"n\" Conv3d() -> beta=1", "line 1: unknown variant `Conv3d`"),
        ("node \"n\" Softmax() -> ", "line 1: missing field `beta`"),
    ] {
        let error = parse::<Quantized>(broken).unwrap_err().to_string();
        assert!(error.starts_with(message), "{broken}: {error}");
    }
}

/// One of each variant; the compiler's exhaustiveness does not reach here, so the count is compared.
fn every_op() -> Vec<Op> {
    let size = Hw::new(2, 3);
    let padding = Padding { top: 1, bottom: 2, left: 3, right: 4 };
    let activation = Activation::Relu;
    let pool = Pool2d { filter: size, stride: size, padding, count_padding: true, activation };
    let arithmetic = Arithmetic { activation: Activation::ReluN1To1 };
    let reduce = Reduce { axes: vec![1, 2], keep_dims: true };
    let resize = Resize { size, align_corners: true, half_pixel_centers: false };
    let slice = SliceAxis { begin: 1, count: 2, stride: -1 };
    let ops = vec![
        Op::Conv2d(Conv2d { stride: size, dilation: size, padding, groups: 2, activation }),
        Op::DepthwiseConv2d(DepthwiseConv2d {
            stride: size,
            dilation: size,
            padding,
            multiplier: 8,
            activation,
        }),
        Op::TransposeConv2d(TransposeConv2d { stride: size, padding, output: size, activation }),
        Op::FullyConnected(FullyConnected { keep_dims: true, activation: Activation::None }),
        Op::AveragePool2d(pool.clone()),
        Op::MaxPool2d(pool),
        Op::Add(arithmetic.clone()),
        Op::Sub(arithmetic.clone()),
        Op::Mul(arithmetic.clone()),
        Op::Div(Arithmetic::default()),
        Op::Maximum,
        Op::Minimum,
        Op::Relu,
        Op::Relu6,
        Op::ReluN1To1,
        Op::LeakyRelu(LeakyRelu { alpha: 0.1 }),
        Op::HardSwish,
        Op::Logistic,
        Op::Tanh,
        Op::Elu(Elu { alpha: 1.0 }),
        Op::Softmax(Softmax { beta: 1.0 }),
        Op::Reshape(Reshape { shape: [1, 2].into() }),
        Op::Pad(Pad { before: vec![0, 1], after: vec![2, 3], value: -0.5 }),
        Op::Mean(reduce.clone()),
        Op::Sum(reduce.clone()),
        Op::ReduceMax(reduce.clone()),
        Op::ReduceMin(reduce),
        Op::Concatenation(Concatenation { axis: 3, activation }),
        Op::Transpose(Transpose { permutation: vec![1, 0] }),
        Op::StridedSlice(StridedSlice { axes: vec![slice], shape: [1, 2].into() }),
        Op::Split(Split { axis: 0, sizes: vec![1, 2] }),
        Op::Pack(Stack { axis: 0 }),
        Op::Unpack(Stack { axis: 1 }),
        Op::Quantize,
        Op::Dequantize,
        Op::ArgMax(ArgExtreme { axis: 1 }),
        Op::ArgMin(ArgExtreme { axis: 1 }),
        Op::ResizeNearest(resize.clone()),
        Op::ResizeBilinear(resize),
        Op::Exp,
        Op::Log,
        Op::Sqrt,
        Op::Reciprocal,
        Op::Neg,
        Op::Abs,
        Op::Sign,
        Op::Erf,
        Op::Gelu(Gelu { tanh: true }),
        Op::HardSigmoid(HardSigmoid { alpha: 0.2, beta: 0.5 }),
        Op::Clip(Clip { low: f32::NEG_INFINITY, high: 0.25 }),
        Op::PRelu,
        Op::BatchNormalization(BatchNormalization { epsilon: 1e-5 }),
        Op::LogSoftmax,
        Op::ReduceProd(Reduce { axes: vec![0], keep_dims: false }),
        Op::BroadcastTo(BroadcastTo { shape: [4, 2].into() }),
        Op::Tile(Tile { repeats: vec![1, 2] }),
        Op::Gather(Gather { axis: 1 }),
        Op::Cast(Cast { to: DType::I32 }),
    ];
    assert_eq!(ops.len(), <Op as strum::EnumCount>::COUNT);
    ops
}
