use secateur::{Model, kernels};

use super::*;
use crate::calibrate::CalibrateError;
use crate::execute;
use crate::float::Executor;
use crate::ir::{DType, text};
use crate::pipeline::{Options, convert_graph};

const NETWORK: &str = r#"graph "g" float
%0 "x" f32[1,4,4,2]
%1 "w1" f32[3,1,1,2] = [1.0,-2.0,0.5,0.25,-0.125,3.0]
%2 "b1" f32[3] = [0.1,-0.2,0.3]
%3 "a" f32[1,4,4,3]
%4 "w2" f32[1,3,3,3] = [0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,-0.1,-0.2,-0.3,-0.4,-0.5,-0.6,-0.7,-0.8,-0.9,1.0,2.0,3.0,1.0,2.0,3.0,1.0,2.0,3.0]
%5 "b" f32[1,4,4,3]
%6 "c" f32[1,3]
%7 "w3" f32[2,3] = [0.01,-0.02,0.03,-0.005,0.0025,0.00125]
%8 "d" f32[1,2]
%9 "y" f32[1,2]
inputs %0
outputs %9
node "conv" Conv2d(%0, %1, %2) -> %3 activation="Relu" dilation=[1,1] groups=1 stride=[1,1]
node "depthwise" DepthwiseConv2d(%3, %4, _) -> %5 activation="Relu" dilation=[1,1] multiplier=1 padding=[1,1,1,1] stride=[1,1]
node "mean" Mean(%5) -> %6 axes=[1,2] keep_dims=false
node "head" FullyConnected(%6, %7, _) -> %8 keep_dims=false
node "tanh" Tanh(%8) -> %9
"#;

fn samples(count: usize, len: usize) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(5);
    (0..count).map(|_| vec![(0..len).map(|_| random.f32() * 2.0 - 1.0).collect()]).collect()
}

fn network(text: &str) -> Graph<Float> {
    text::parse(text).unwrap()
}

fn quantized(
    text: &str,
    samples: &[Sample],
    recipe: &Recipe,
) -> Result<(Graph<Quantized>, Report), QuantizeError> {
    post_training(network(text), samples, recipe, &|_| ())
}

#[test]
fn a_network_survives_quantization() {
    let samples = samples(32, 32);
    for recipe in [
        Recipe { float_io: true, ..Recipe::default() },
        Recipe { float_io: true, equalize: false, ..Recipe::default() },
        Recipe { float_io: true, bias_correction: false, ..Recipe::default() },
    ] {
        let (graph, report) = quantized(NETWORK, &samples, &recipe).unwrap();
        assert_eq!(
            report.layers.iter().map(|l| l.name.as_str()).collect::<Vec<_>>(),
            ["conv", "depthwise", "head"]
        );
        assert_eq!((report.weight_bytes(), report.warnings), (6 + 27 + 6, vec![]));
        let file = convert_graph(graph, &Options::default()).unwrap().file;
        let model = Model::load(file.bytes(), &kernels::ALL).unwrap();
        let float = network(NETWORK);
        let executor = Executor::new(&float).unwrap();
        for sample in &samples {
            let bytes: Vec<u8> = sample[0].iter().flat_map(|value| value.to_le_bytes()).collect();
            let found = execute::run_batch(&model, &bytes, || ()).unwrap();
            let found = found.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
            for (expected, found) in executor.run(sample).unwrap()[0].iter().zip(found) {
                assert!((expected - found).abs() < 0.05, "{expected} {found}");
            }
        }
    }
}

#[test]
fn tensors_that_are_only_moved_share_a_scale() {
    let text = r#"graph "g" float
%0 "x" f32[1,4,4,2]
%1 "p" f32[1,2,2,2]
%2 "q" f32[1,2,2,2]
%3 "j" f32[1,2,2,4]
%4 "l" f32[1,2,2,4]
%5 "r" f32[1,16]
%6 "k" f32[1,16]
inputs %0
outputs %6
node "max" MaxPool2d(%0) -> %1 filter=[2,2] stride=[2,2]
node "mul" Mul(%1, %1) -> %2
node "join" Concatenation(%1, %2) -> %3 axis=3
node "logistic" Logistic(%3) -> %4
node "flat" Reshape(%4) -> %5 shape=[1,16]
node "relu" Relu(%5) -> %6
"#;
    let (graph, _) = quantized(text, &samples(16, 32), &Recipe::default()).unwrap();
    let of = |name: &str| {
        let tensor = graph.tensors().iter().find(|tensor| tensor.name == name).unwrap();
        tensor.quantization.as_ref().unwrap().single().unwrap()
    };
    assert!(of("x") == of("p") && of("p") == of("q") && of("q") == of("j"));
    assert_eq!((of("l"), of("r")), ((1.0 / 256.0, -128), (1.0 / 256.0, -128)));
    convert_graph(graph, &Options::default()).unwrap();
}

#[test]
fn fully_connected_networks_need_no_calibration_when_dynamic() {
    let text = r#"graph "g" float
%0 "x" f32[1,4]
%1 "w" f32[2,4] = [1.0,2.0,3.0,4.0,-1.0,-2.0,-3.0,-4.0]
%2 "b" f32[2] = [0.5,-0.5]
%3 "h" f32[1,2]
%4 "v" f32[1,2] = [1.0,1.0]
%5 "y" f32[1,1]
inputs %0
outputs %5
node "a" FullyConnected(%0, %1, %2) -> %3 activation="Relu" keep_dims=false
node "b" FullyConnected(%3, %4, _) -> %5 keep_dims=false
"#;
    let recipe = Recipe { activations: Activations::Dynamic, ..Recipe::default() };
    let (graph, report) = quantized(text, &[], &recipe).unwrap();
    let types: Vec<DType> = graph
        .nodes()
        .iter()
        .flat_map(|node| node.inputs.iter().flatten())
        .map(|&id| graph[id].dtype)
        .collect();
    assert_eq!(types, [DType::F32, DType::I8, DType::F32, DType::F32, DType::I8]);
    assert!(report.layers.iter().all(|layer| layer.activations == "dynamic"));
    let error = quantized(text, &[], &Recipe::default()).unwrap_err().to_string();
    assert!(error.contains("'x'") && error.contains("calibration data"), "{error}");
}

#[test]
fn widths_become_types() {
    let recipe = Recipe::from_toml("weights = \"1bit\"\nkeep = [\"last\"]").unwrap();
    let (graph, report) = quantized(NETWORK, &samples(16, 32), &recipe).unwrap();
    let types: Vec<DType> =
        graph.nodes().iter().filter_map(|node| graph.input_of(node, 1)).map(|t| t.dtype).collect();
    assert_eq!(types, [DType::B1, DType::I4, DType::I8]);
    assert_eq!(report.layers.iter().map(|layer| layer.weight_bytes).collect::<Vec<_>>(), [1, 14, 6]);
}

#[test]
fn dead_tensors_and_bad_values_are_named() {
    let zeros = vec![vec![vec![0.0; 32]]; 16];
    let text = NETWORK.replace("[0.1,-0.2,0.3]", "[-0.1,-0.2,-0.3]");
    let (_, report) = quantized(&text, &zeros, &Recipe::default()).unwrap();
    assert!(
        report.warnings.contains(&Warning::AlwaysZero { tensor: "a".to_owned() }),
        "{:?}",
        report.warnings
    );
    let bad = vec![vec![vec![f32::NAN; 32]]];
    let error = quantized(NETWORK, &bad, &Recipe::default()).unwrap_err();
    assert!(matches!(error, QuantizeError::Calibrate(CalibrateError::NotFinite { .. })), "{error}");
}

#[test]
fn equalization_evens_out_and_changes_no_result() {
    let text = NETWORK.replace("0.5,0.25,-0.125,3.0]", "50.0,25.0,-0.00125,0.003]");
    let before = network(&text);
    let mut after = before.clone();
    assert_eq!(equalize::equalize(&mut after), 2);
    assert_ne!(before, after);
    let (old, new) = (Executor::new(&before).unwrap(), Executor::new(&after).unwrap());
    for sample in samples(8, 32) {
        for (old, new) in old.run(&sample).unwrap()[0].iter().zip(&new.run(&sample).unwrap()[0]) {
            assert!((old - new).abs() < 1e-4, "{old} {new}");
        }
    }
    let relu6 = network(&NETWORK.replace("activation=\"Relu\"", "activation=\"Relu6\""));
    let mut unchanged = relu6.clone();
    assert_eq!((equalize::equalize(&mut unchanged), unchanged), (0, relu6));
}

#[test]
fn corrected_biases_have_no_mean_error() {
    let recipe = Recipe { equalize: false, ..Recipe::default() };
    let prepared = Prepared::new(network(NETWORK), &samples(16, 32), &recipe, &|_| ()).unwrap();
    let layer = &prepared.layers()[0];
    let mean = vec![0.5; 32];
    // Each weight a tenth too small, on inputs of 1/2: a twentieth of the sum of a channel's weights is missing.
    let weights: Vec<f32> = vec![0.9, -2.1, 0.4, 0.15, -0.225, 2.9];
    let error = bias_correction::mean_error(prepared.graph(), layer, &mean, &weights).unwrap();
    assert!(error.iter().all(|error| (error - 0.1).abs() < 1e-6), "{error:?}");
}
