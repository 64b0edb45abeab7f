//! The architecture of an ONNX file with other weights.

use secateur_converter::float::Executor;
use secateur_converter::import::torch::{Weight, Weights, architecture, replace_weights};
use secateur_converter::import::{Imported, onnx};
use secateur_converter::ir::{Float, Graph};

use crate::files;
use crate::networks::{DSCNN, lenet};

fn import(bytes: &[u8]) -> Graph<Float> {
    match onnx::import(bytes, &onnx::Options::default()) {
        Ok(Imported::Float(graph)) => graph,
        other => panic!("{other:?}"),
    }
}

/// Other weights than those of the ONNX files.
fn halved(weights: &Weights) -> Weights {
    let halve = |weight: &Weight| {
        let values = weight.values.iter().map(|value| value / 2.0).collect();
        Weight { values, ..weight.clone() }
    };
    weights.iter().map(halve).collect()
}

#[test]
fn other_weights_give_what_a_description_with_them_gives() {
    for (folder, weights, models, description) in [
        ("torch/lenet5", "lenet5.pt", &["lenet5.onnx", "lenet5_dynamo.onnx"][..], lenet()),
        ("torch/dscnn", "dscnn.safetensors", &["dscnn_bn.onnx"], DSCNN.to_owned()),
    ] {
        let Some(folder) = files::shared(folder) else { return };
        let weights = halved(&files::weights(&files::read(folder.join(weights))));
        let described = architecture::build(&description, &weights).expect("a valid description");
        let image: Vec<f32> = (0..784u16).map(|index| f32::from(index % 29) / 29.0).collect();
        let run = |graph: &Graph<Float>| {
            Executor::new(graph)
                .and_then(|executor| executor.run(std::slice::from_ref(&image)))
                .expect("a valid graph")
        };
        let expected = run(&described);
        for model in models {
            let mut graph = import(&files::read(folder.join(model)));
            let before = run(&graph);
            let report =
                replace_weights(&mut graph, &weights).unwrap_or_else(|errors| panic!("{model}: {errors}"));
            assert_eq!(report.replaced.len(), weights.len(), "{model}");
            let after = run(&graph);
            assert_ne!(before, after);
            for (found, expected) in after[0].iter().zip(&expected[0]) {
                assert!((found - expected).abs() < 1e-4, "{model}: {after:?}, not {expected:?}");
            }
        }
    }
}

#[test]
fn models_with_folded_batch_normalization_are_refused() {
    let Some(folder) = files::shared("torch/dscnn") else { return };
    let weights = files::weights(&files::read(folder.join("dscnn.pt")));
    for model in ["dscnn.onnx", "dscnn_dynamo.onnx"] {
        let mut graph = import(&files::read(folder.join(model)));
        let before = graph.clone();
        let errors = replace_weights(&mut graph, &weights).expect_err(model).to_string();
        assert!(
            errors.contains("'stem.1.running_mean': the model has no batch normalization of this name"),
            "{errors}"
        );
        assert_eq!(graph, before);
    }
}
