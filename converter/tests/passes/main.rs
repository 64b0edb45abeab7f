//! The passes on float graphs, on models as users have them.

use std::path::PathBuf;

use secateur_converter::float::{Executor, evaluate};
use secateur_converter::import::{Imported, onnx, tflite};
use secateur_converter::ir::attributes::Transpose;
use secateur_converter::ir::{Float, Graph, Op, Tensor, TensorId};
use secateur_converter::passes::{Report, normalize};

/// Models with the operators that are left of them.
const MODELS: [(&str, &str); 14] = [
    ("torch/lenet5/lenet5.onnx", LENET),
    ("torch/lenet5/lenet5_dynamo.onnx", LENET),
    ("torch/lenet5/lenet5_qdq.onnx", ""),
    ("torch/dscnn/dscnn.onnx", DSCNN),
    ("torch/dscnn/dscnn_bn.onnx", DSCNN),
    ("torch/dscnn/dscnn_dynamo.onnx", DSCNN),
    ("torch/dscnn/dscnn_qdq.onnx", ""),
    ("own/fashion_dscnn.onnx", ""),
    ("own/fashion_dscnn_float.tflite", ""),
    ("models/ad01_fp32.tflite", ""),
    ("models/hello_world_float.tflite", ""),
    ("models/kws_ref_model_float32.tflite", ""),
    ("models/pretrainedResnet.tflite", ""),
    ("models/vww_96_float.tflite", ""),
];

const LENET: &str = "Conv2d MaxPool2d Conv2d MaxPool2d FullyConnected FullyConnected FullyConnected";
const DSCNN: &str =
    "Conv2d DepthwiseConv2d Conv2d DepthwiseConv2d Conv2d DepthwiseConv2d Conv2d Mean FullyConnected";

#[test]
fn real_models_lose_their_transpositions_and_keep_their_results() {
    for (name, expected) in MODELS {
        let Some(path) = shared(name) else { return };
        let before = import(&path);
        let mut after = before.clone();
        let report = normalize(&mut after).unwrap_or_else(|error| panic!("{name}: {error}"));
        let operators: Vec<&str> = after.nodes().iter().map(|node| node.op.name()).collect();
        eprintln!("{name}: {} nodes, then {}: {:?}", before.nodes().len(), operators.len(), report.rewrites);
        let unwanted = ["Transpose", "BatchNormalization", "Pad"];
        assert!(!operators.iter().any(|name| unwanted.contains(name)), "{name}: {after}");
        assert!(expected.is_empty() || operators.join(" ") == expected, "{name}: {after}");
        // A rounding that falls the other way is a step of an integer.
        let tolerance = if name.contains("qdq") { 0.05 } else { 1e-4 };
        compare(name, &before, &after, &report, tolerance);
    }
}

/// A file of the data beside the project; `None`, with a note, if there is none on this machine.
fn shared(path: &str) -> Option<PathBuf> {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let root =
        std::env::var_os("SECATEUR_DATA").map_or_else(|| package.join("../../shared/data"), PathBuf::from);
    let path = root.join(path);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn import(path: &PathBuf) -> Graph<Float> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let is_onnx = path.extension().is_some_and(|extension| extension == "onnx");
    let imported =
        if is_onnx { onnx::import(&bytes, &onnx::Options::default()) } else { tflite::import(&bytes) };
    match imported.unwrap_or_else(|errors| panic!("{}: {errors}", path.display())) {
        Imported::Float(graph) | Imported::Hybrid(graph) => graph,
        Imported::Quantized(_) => panic!("{} is quantized", path.display()),
    }
}

/// Runs both graphs on random inputs.
fn compare(name: &str, before: &Graph<Float>, after: &Graph<Float>, report: &Report, tolerance: f32) {
    let (first, second) = (Executor::new(before).unwrap(), Executor::new(after).unwrap());
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..2 {
        let size = |&id: &TensorId| before[id].shape.iter().product::<usize>();
        let inputs: Vec<Vec<f32>> =
            before.inputs().iter().map(|id| (0..size(id)).map(|_| random.f32()).collect()).collect();
        let mut turned = inputs.clone();
        for (values, &id) in turned.iter_mut().zip(before.inputs()) {
            let turns = report.turned_inputs.iter().filter(|turned| turned.name == before[id].name);
            for turn in turns {
                let tensor = Tensor::constant_f32("", turn.before.clone(), values);
                let op = Op::Transpose(Transpose { permutation: turn.permutation.clone() });
                *values = evaluate(&op, &[Some(&tensor)]).and_then(|t| t.first()?.f32_values()).unwrap();
            }
        }
        let (expected, found) = (first.run(&inputs).unwrap(), second.run(&turned).unwrap());
        assert_eq!(expected.len(), found.len());
        for (expected, found) in expected.iter().zip(&found) {
            let most = expected.iter().fold(1e-6f32, |most, value| most.max(value.abs()));
            let worst = expected.iter().zip(found).fold(0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst <= tolerance * most && expected.len() == found.len(), "{name}: {worst} of {most}");
        }
    }
}
