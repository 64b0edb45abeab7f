//! Real models import and give the outputs that their trainer computed.

use std::path::Path;

use secateur_converter::float::Executor;
use secateur_converter::import::Imported;
use secateur_converter::import::onnx::{Options, import};
use secateur_converter::ir::{Float, Graph};
use secateur_converter::passes;

use crate::files;

/// The graph of a file.
fn graph(path: &Path) -> Graph<Float> {
    match import(&files::read(path), &Options::default()) {
        Ok(Imported::Float(graph)) => graph,
        Ok(_) => panic!("{} is not a float model", path.display()),
        Err(errors) => panic!("{}: {errors}", path.display()),
    }
}

fn outputs(graph: &Graph<Float>, inputs: &[f32], expected: &[f32]) -> f32 {
    let executor = Executor::new(graph).unwrap();
    let (width, results) = (784, 10);
    assert_eq!(inputs.len() / width, expected.len() / results);
    let mut worst = 0f32;
    for (input, expected) in inputs.chunks_exact(width).zip(expected.chunks_exact(results)) {
        let output = executor.run(&[input.to_vec()]).unwrap();
        let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        for (found, expected) in output[0].iter().zip(expected) {
            worst = worst.max((found - expected).abs() / largest);
        }
    }
    worst
}

/// Files of the models in a folder, with the vectors that belong to them.
const MODELS: [(&str, &str, &str); 8] = [
    ("torch/lenet5/lenet5.onnx", "inputs.bin", "outputs.bin"),
    ("torch/lenet5/lenet5_dynamo.onnx", "inputs.bin", "outputs.bin"),
    ("torch/lenet5/lenet5_qdq.onnx", "inputs.bin", "outputs_qdq.bin"),
    ("torch/dscnn/dscnn.onnx", "inputs.bin", "outputs.bin"),
    ("torch/dscnn/dscnn_bn.onnx", "inputs.bin", "outputs.bin"),
    ("torch/dscnn/dscnn_dynamo.onnx", "inputs.bin", "outputs.bin"),
    ("torch/dscnn/dscnn_qdq.onnx", "inputs.bin", "outputs_qdq.bin"),
    ("own/fashion_dscnn.onnx", "inputs_float.bin", "outputs_float.bin"),
];

#[test]
fn outputs_are_those_of_the_trainer() {
    for (model, inputs, expected) in MODELS {
        let Some(path) = files::shared(model) else { return };
        let folder = path.parent().unwrap();
        let (inputs, expected) = (files::floats(folder.join(inputs)), files::floats(folder.join(expected)));
        let mut graph = graph(&path);
        let literal = outputs(&graph, &inputs, &expected);
        assert!(literal < 1e-4, "{model}: {literal}");
        passes::normalize(&mut graph).unwrap();
        let normalized = outputs(&graph, &inputs, &expected);
        eprintln!(
            "{model:32} {literal:.1e} as it is, {normalized:.1e} normalized, {} nodes",
            graph.nodes().len()
        );
        assert!(normalized < 1e-4, "{model}: {normalized}");
    }
}
