//! Float models: run as they are, quantized by `convert`.

use std::fs;

use secateur_converter::io::npy;

use crate::{Workplace, example};

/// Images of a data set in the repository: enough to calibrate a test's model.
fn images() -> String {
    format!("{}/../tests/data/fashion_mnist_1000", env!("CARGO_MANIFEST_DIR"))
}

/// Converts a float model on few samples.
fn convert<'a>(model: &'a str, images: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let usual = ["convert", model, "-o", "model.sct", "--calibrate", images, "--calibration-samples", "64"];
    usual.into_iter().chain(options.iter().copied()).collect()
}

fn accuracy(place: &Workplace, model: &str) -> f64 {
    let json = place.json(&["evaluate", model, "--dataset", &images(), "--limit", "200"]);
    json["accuracy"].as_f64().unwrap()
}

#[test]
fn an_onnx_model_is_quantized_and_keeps_its_accuracy() {
    let place = Workplace::new();
    let (model, images) = (example("fashion_dscnn.onnx"), images());
    let float = accuracy(&place, &model);
    let report = place.report(convert(&model, &images, &[]));
    assert!(report.contains("quantized  10 layers: 10 int8"), "{report}");
    assert!(accuracy(&place, "model.sct") > float - 0.03);
    let whole = place.json(&["inspect", "model.sct"])["totals"]["weight_bytes"].as_u64().unwrap();

    let json = place.json(&convert(&model, &images, &["--weights", "int4", "--keep", "first,last"]));
    let widths: Vec<_> = json["quantization"]["layers"].as_array().unwrap().iter().collect();
    assert_eq!((widths[0]["weights"].as_str(), widths[9]["weights"].as_str()), (Some("int8"), Some("int8")));
    assert_eq!(widths[4]["weights"], "int4");
    let packed = json["weight_bytes"].as_u64().unwrap();
    assert!(packed * 10 < whole * 6, "{packed} of {whole}");
    assert!(accuracy(&place, "model.sct") > float - 0.2);
}

#[test]
fn weights_of_pytorch_run_with_a_description_or_in_an_onnx_model() {
    let place = Workplace::new();
    let (weights, description) = (example("fashion_dscnn.pt"), example("fashion_dscnn.toml"));
    let error = place.error(["inspect", &weights]);
    assert!(error.contains("--architecture NET.toml"), "{error}");
    let run = |model: &str, options: &[&str]| {
        let inputs = example("inputs_float.bin");
        let command = ["run", model, "--input", &inputs, "--output", "out"];
        place.report(command.iter().chain(options));
        fs::read(place.path("out/output.bin")).unwrap()
    };
    let described = run(&weights, &["--architecture", &description]);
    let exported = run(&example("fashion_dscnn.onnx"), &[]);
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    };
    let expected = floats(&fs::read(example("outputs_float.bin")).unwrap());
    let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
    for found in [described, exported] {
        let found = floats(&found);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found - expected).abs() <= 1e-4 * largest, "{found} {expected}");
        }
    }
}

#[test]
fn float_models_are_compared_with_expected_outputs() {
    let place = Workplace::new();
    let (model, expected) = (example("fashion_dscnn.onnx"), example("outputs_float.bin"));
    let json = place.json(&["compare", &expected, &model, "--inputs", &example("inputs_float.bin")]);
    assert!(json["outputs"][0]["sqnr_db"].as_f64().unwrap() > 90.0, "{json}");
}

#[test]
fn every_layer_of_a_quantized_model_is_near_the_float_model() {
    let place = Workplace::new();
    let (model, images) = (example("fashion_dscnn.onnx"), images());
    for option in [&[][..], &["--no-equalize"]] {
        place.report(convert(&model, &images, option));
        let inputs = example("inputs_float.bin");
        let json = place.json(&["compare", &model, "model.sct", "--inputs", &inputs]);
        let layers = json["layers"].as_array().unwrap();
        assert!(layers.len() >= 10, "{json}");
        for layer in layers {
            assert!(layer["sqnr_db"].as_f64().unwrap() > 15.0, "{option:?}: {layer}");
        }
    }
    let text = place.report(["compare", &model, "model.sct", "--inputs", &example("inputs_float.bin")]);
    assert!(text.contains("worst first") && text.contains("likely causes"), "{text}");
    let error = place.error(["compare", &model, "model.sct", "-i", &example("inputs_float.bin"), "--exact"]);
    assert!(error.contains("--exact is for models of integers"), "{error}");
}

#[test]
fn the_smallest_model_within_a_loss_is_found_and_layers_are_scanned() {
    let place = Workplace::new();
    let (model, images) = (example("fashion_dscnn.onnx"), images());
    let few = ["--evaluate", &images, "--evaluation-samples", "100"];
    let search = [&["--max-drop", "3%", "--save-recipe", "r.toml"][..], &few].concat();
    let json = place.json(&convert(&model, &images, &search));
    let found = &json["search"]["found"];
    let float = json["search"]["float_accuracy"].as_f64().unwrap();
    assert!(found["accuracy"].as_f64().unwrap() >= float - 0.03, "{json}");
    let bytes = json["weight_bytes"].as_u64().unwrap();
    // What was found is what its recipe gives.
    let again = place.json(&convert(&model, &images, &["--recipe", "r.toml"]));
    assert_eq!(again["weight_bytes"], bytes);
    assert_eq!(again["search"], serde_json::Value::Null);

    let floats = fs::read(example("inputs_float.bin")).unwrap();
    let floats: Vec<f32> = floats.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    place.write("x.npy", &npy::write(&[16, 28, 28], &floats).unwrap());
    let scan = place.report(convert(&model, &images, &["--scan", "--evaluate", "x.npy"]));
    assert!(scan.contains("each layer alone") && scan.contains("1bit"), "{scan}");
    let error = place.error(convert(&model, &images, &["--max-drop", "1%", "--evaluate", "x.npy"]));
    assert!(error.contains("no samples with labels"), "{error}");
}

#[test]
fn a_network_quantized_at_run_time_gives_what_onnxruntime_gives() {
    let place = Workplace::new();
    let file = |name: &str| format!("{}/../tests/golden/dynamic_mlp/{name}", env!("CARGO_MANIFEST_DIR"));
    let report = place.report(["convert", &file("mlp_dynamic.onnx"), "-o", "model.sct"]);
    assert!(report.contains("2 DynamicFullyConnected"), "{report}");
    place.report(["compare", &file("outputs.bin"), "model.sct", "-i", &file("inputs.bin"), "--exact"]);
    place.write("r.toml", b"weights = \"int4\"\n[layer.\"m1_quant_output_scale_mul\"]\nweights = \"int4\"");
    let recipe = ["convert", &file("mlp_dynamic.onnx"), "-o", "other.sct", "--recipe", "r.toml"];
    let error = place.error(recipe);
    assert!(error.contains("int8 in the source model already"), "{error}");
}

#[test]
fn mistakes_with_float_models_say_what_to_do() {
    let place = Workplace::new();
    let (float, quantized) = (example("fashion_dscnn.onnx"), example("fashion_dscnn_int8.tflite"));
    let images = images();
    let error = place.error(["convert", &float, "-o", "model.sct"]);
    assert!(error.contains("a float model") && error.contains("--calibrate PATH"), "{error}");
    let error = place.error(convert(&quantized, &images, &[]));
    assert!(error.contains("quantized already, so --calibrate has no effect"), "{error}");
    let error =
        place.error(["run", &float, "-i", &example("inputs_float.bin"), "-o", "out", "--on", "mps2-an386"]);
    assert!(error.contains("runs on the host only"), "{error}");
    let error = place.error(["inspect", &float, "--cycles"]);
    assert!(error.contains("quantize it first: `secateur convert"), "{error}");
    place.write("r.toml", b"weights = \"int3\"");
    let error = place.error(convert(&float, &images, &["--recipe", "r.toml"]));
    assert!(error.contains("r.toml: not a recipe") && error.contains("line 1"), "{error}");
    let error = place.error(convert(&float, &images, &["--keep", "nothing-like-that"]));
    assert!(error.contains("'nothing-like-that'"), "{error}");
    place.write("x.npy", &npy::write(&[2, 3, 5], &[0f32; 30]).unwrap());
    let error = place.error(convert(&float, "x.npy", &[]));
    assert!(error.contains("x.npy: shape [2,3,5] does not suit input"), "{error}");
    assert!(!place.names().contains(&"model.sct".to_owned()));
}

#[test]
fn a_float_model_is_shown_layer_by_layer() {
    let place = Workplace::new();
    let model = example("fashion_dscnn.onnx");
    let report = place.report(["inspect", &model]);
    assert!(report.contains("(float)") && report.contains("2,254,176"), "{report}");
    let graph = place.report(["inspect", &model, "--graph"]);
    assert!(graph.starts_with("graph ") && graph.contains(" float\n"), "{graph}");
}
