//! Each kind of layer, and changes of order between layers, compute what PyTorch computes.

use secateur_converter::float::Executor;
use secateur_converter::import::torch::{Element, Weight, Weights, architecture};
use serde::Deserialize;

use crate::files;
use crate::networks::{DSCNN, FASHION_DSCNN, lenet};

/// A small network and what PyTorch makes of an input.
#[derive(Deserialize)]
struct Case {
    name: String,
    description: String,
    weights: std::collections::BTreeMap<String, Array>,
    input: Vec<f32>,
    shape: Vec<usize>,
    output: Vec<f32>,
}

#[derive(Deserialize)]
struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

/// How far a result is off, relative to the largest result.
fn relative_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(f32::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    let errors = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs() / largest);
    errors.fold(0.0, |worst, error| if error.is_nan() { f32::INFINITY } else { worst.max(error) })
}

#[test]
fn layers_compute_what_pytorch_computes() {
    let cases: Vec<Case> = serde_json::from_slice(&files::small("layers.json")).expect("valid JSON");
    assert!(cases.len() > 80);
    let mut wrong = Vec::new();
    for case in cases {
        let weights: Weights = case
            .weights
            .into_iter()
            .map(|(name, Array { shape, values })| Weight {
                name,
                shape: shape.into(),
                values,
                element: Element::F32,
            })
            .collect();
        let graph = match architecture::build(&case.description, &weights) {
            Ok(graph) => graph,
            Err(errors) => {
                wrong.push(format!("{}: {errors}", case.name));
                continue;
            }
        };
        let shape = &graph[graph.outputs()[0]].shape;
        if **shape != *case.shape {
            wrong.push(format!("{}: shape {shape}, not {:?}", case.name, case.shape));
            continue;
        }
        let outputs = Executor::new(&graph).and_then(|executor| executor.run(&[case.input]));
        match outputs {
            Err(error) => wrong.push(format!("{}: {error}", case.name)),
            Ok(outputs) => {
                let error = relative_error(&outputs[0], &case.output);
                if error > 1e-5 {
                    wrong.push(format!("{}: off by {error}", case.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// Runs 16 images through a network, and holds the results against PyTorch's.
fn assert_equals_golden(description: &str, weights: &[u8], inputs: &[u8], outputs: &[u8]) {
    let graph = architecture::build(description, &files::weights(weights))
        .unwrap_or_else(|errors| panic!("{errors}"));
    let executor = Executor::new(&graph).expect("a valid graph");
    let (inputs, outputs) = (floats(inputs), floats(outputs));
    assert_eq!((inputs.len(), outputs.len()), (16 * 784, 160));
    for (image, expected) in inputs.chunks(784).zip(outputs.chunks(10)) {
        let found = executor.run(&[image.to_vec()]).expect("an image");
        let error = relative_error(&found[0], expected);
        assert!(error < 1e-4, "off by {error}");
    }
}

#[test]
fn the_projects_own_model_computes_what_pytorch_computes() {
    let file = |name| files::project(&format!("tests/golden/fashion_dscnn/{name}"));
    let (weights, inputs) = (file("fashion_dscnn.pt"), file("inputs_float.bin"));
    assert_equals_golden(FASHION_DSCNN, &weights, &inputs, &file("outputs_float.bin"));
}

#[test]
fn real_models_compute_what_pytorch_computes() {
    for (folder, description, weights) in [
        (
            "torch/lenet5",
            lenet(),
            &["lenet5.pt", "lenet5_legacy.pt", "lenet5_torch1_13.pt", "lenet5.safetensors"][..],
        ),
        ("torch/dscnn", DSCNN.to_owned(), &["dscnn.pt", "dscnn.safetensors"]),
    ] {
        let Some(folder) = files::shared(folder) else { return };
        let read = |name: &str| files::read(folder.join(name));
        for file in weights {
            assert_equals_golden(&description, &read(file), &read("inputs.bin"), &read("outputs.bin"));
        }
    }
}
