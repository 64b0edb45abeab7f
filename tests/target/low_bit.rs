//! Weights of few bits: what layers on them take on a Cortex-M4, and in flash.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use secateur::{Model, kernels};
use secateur_converter::describe::Description;
use secateur_converter::ir::attributes::{Conv2d, DepthwiseConv2d, FullyConnected};
use secateur_converter::ir::infer::infer;
use secateur_converter::ir::{
    Activation, DType, Graph, Hw, Node, Op, Padding, Quantization, Quantized, Tensor,
};
use secateur_converter::pipeline::{self, Options};
use secateur_tests::target::Bench;

const BOARD: &str = "mps2-an386";

/// A layer, and the most that it may take.
struct Case {
    name: &'static str,
    weights: DType,
    /// Whether its inputs are signs.
    binary: bool,
    input: &'static [usize],
    filter: &'static [usize],
    /// Estimated cycles per multiply-accumulate of the whole layer.
    cycles: f64,
    /// Bytes per weight.
    bytes: f64,
}

/// Pixels of keyword spotting's pointwise convolutions.
const PIXELS: &[usize] = &[1, 25, 5, 64];
const POINTWISE: &[usize] = &[64, 1, 1, 64];
const INT4: f64 = 0.5 * 1.02;
const BIT: f64 = 0.125 * 1.02;

const CASES: &[Case] = &[
    case("int4 1x1", DType::I4, PIXELS, POINTWISE, 1.45, INT4),
    case("int4 3x3", DType::I4, &[1, 25, 5, 16], &[16, 3, 3, 16], 1.55, INT4),
    case("int4 fully connected", DType::I4, &[1, 640], &[128, 640], 1.4, INT4),
    case("int4 depthwise", DType::I4, PIXELS, &[1, 3, 3, 64], 3.6, INT4),
    case("1-bit 1x1", DType::B1, PIXELS, POINTWISE, 0.9, BIT),
    case("1-bit 3x3", DType::B1, &[1, 25, 5, 64], &[64, 3, 3, 64], 0.85, BIT),
    case("1-bit fully connected", DType::B1, &[1, 640], &[128, 640], 2.25, BIT),
    Case { binary: true, ..case("binary 1x1", DType::B1, PIXELS, POINTWISE, 0.9, BIT) },
    Case { binary: true, ..case("binary 3x3", DType::B1, PIXELS, &[64, 3, 3, 64], 0.85, BIT) },
    Case { binary: true, ..case("binary fully connected", DType::B1, &[1, 640], &[128, 640], 0.75, BIT) },
];

const fn case(
    name: &'static str,
    weights: DType,
    input: &'static [usize],
    filter: &'static [usize],
    cycles: f64,
    bytes: f64,
) -> Case {
    Case { name, weights, binary: false, input, filter, cycles, bytes }
}

#[test]
fn layers_take_no_more_than_stated() -> Result<()> {
    let Some(bench) = Bench::find(BOARD, "low_bit::layers_take_no_more_than_stated")? else { return Ok(()) };
    let profiler = bench.profiler()?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("low_bit");
    fs::create_dir_all(&folder)?;
    let mut faults = Vec::new();
    for case in CASES {
        let converted = pipeline::convert_graph(case.graph(), &Options::default())?;
        let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
        let operators = Description::of(&model).operators;
        let layer = operators.last().context("no operator")?;
        let weights = layer.weights.as_ref().context("no weights")?;
        let bytes = weights.bytes as f64 / weights.count as f64;
        let file = folder.join("layer.sct");
        fs::write(&file, converted.file.bytes())?;
        let counts = *profiler.measure(&file)?.nodes.last().context("no node")?;
        let cycles = counts.cycles as f64 / layer.macs.context("no products")? as f64;
        let line = format!("{} ({}): {cycles:.3} cycles, {bytes:.4} bytes", case.name, weights.packing);
        eprintln!("{line}");
        if cycles > case.cycles || bytes > case.bytes {
            faults.push(line);
        }
    }
    ensure!(faults.is_empty(), "layers take more than they may:\n{}", faults.join("\n"));
    Ok(())
}

impl Case {
    fn graph(&self) -> Graph<Quantized> {
        let mut graph = Graph::new(self.name);
        let rng = &mut Rng::with_seed(7);
        let activations = Quantization::per_tensor(0.05, -128);
        let tensor = Tensor::new("input", DType::I8, self.input).with_quantization(activations.clone());
        let source = graph.add_tensor(tensor.clone());
        graph.set_inputs(vec![source]);
        let mut input = source;
        if self.binary {
            input = graph.add_tensor(tensor.with_quantization(Quantization::per_tensor(1.0, 0)));
            graph.add_node(Node::new("sign", Op::Sign, [source], input));
        }
        let weight = |_| match self.weights {
            DType::B1 => [-1, 1][usize::from(rng.bool())],
            _ => rng.i8(-3..4) + rng.i8(-3..4),
        };
        let weights: Vec<i8> = (0..self.filter.iter().product()).map(weight).collect();
        let (axis, scale) = (if self.filter[0] == 1 { 3 } else { 0 }, vec![0.02; self.channels()]);
        let filter = Tensor { dtype: self.weights, ..Tensor::constant_i8("filter", self.filter, &weights) };
        let filter = graph.add_tensor(filter.with_quantization(Quantization::per_channel(scale, axis)));
        let op = self.operator();
        let operands = [Some(&graph[input]), Some(&graph[filter])];
        let shape = infer(&op, &operands).expect("a layer of fitting operands").swap_remove(0).shape;
        let output = Tensor::new("output", DType::I8, shape).with_quantization(activations);
        let output = graph.add_tensor(output);
        graph.add_node(Node::new("layer", op, [input, filter], output));
        graph.set_outputs(vec![output]);
        graph
    }

    fn channels(&self) -> usize {
        if self.filter[0] == 1 { self.filter[3] } else { self.filter[0] }
    }

    fn operator(&self) -> Op {
        let (stride, dilation, activation) = (Hw::square(1), Hw::square(1), Activation::Relu);
        let [outputs, height, width, _] = self.filter else {
            return Op::FullyConnected(FullyConnected { keep_dims: false, activation });
        };
        let (top, left) = (height / 2, width / 2);
        let padding = Padding { top, bottom: top, left, right: left };
        if *outputs == 1 {
            return Op::DepthwiseConv2d(DepthwiseConv2d {
                stride,
                dilation,
                padding,
                multiplier: 1,
                activation,
            });
        }
        Op::Conv2d(Conv2d { stride, dilation, padding, groups: 1, activation })
    }
}
