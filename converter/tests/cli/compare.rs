use std::fs;

use secateur_converter::io::npy;

use crate::{CLASSES, VECTORS, Workplace, example};

#[test]
fn a_model_equals_its_source_and_its_golden_outputs() {
    let place = Workplace::new();
    place.convert();
    let inputs = example("int8_inputs.bin");
    for reference in ["fashion_dscnn_int8.tflite", "int8_outputs.bin"] {
        let arguments = ["compare", &example(reference), "model.sct", "--inputs", &inputs, "--exact"];
        let report = place.report(arguments);
        assert!(report.contains("every element is equal"), "{report}");
    }
    let json =
        place.json(&["compare", &example("fashion_dscnn_int8.tflite"), "model.sct", "--inputs", &inputs]);
    let operators = place.json(&["inspect", "model.sct"])["operators"].as_array().unwrap().len();
    assert_eq!(json["layers"].as_array().unwrap().len(), operators);
    assert_eq!(json["only_in_model"], serde_json::json!([]));
}

#[test]
fn a_difference_is_measured_and_fails_where_equality_is_demanded() {
    let place = Workplace::new();
    place.convert();
    let mut golden = fs::read(example("int8_outputs.bin")).unwrap();
    golden[3] = golden[3].wrapping_add(1);
    place.write("golden.bin", &golden);
    let inputs = example("int8_inputs.bin");
    let json = place.json(&["compare", "golden.bin", "model.sct", "--inputs", &inputs]);
    assert_eq!(json["equal"], false);
    let output = &json["outputs"][0];
    let elements = (VECTORS * CLASSES) as f64;
    assert_eq!(output["equal_share"].as_f64().unwrap(), (elements - 1.0) / elements);
    // One step of the output's scale.
    assert!((output["max_abs_error"].as_f64().unwrap() - 0.12857).abs() < 1e-5);
    assert!(output["sqnr_db"].as_f64().unwrap() > 20.0);

    let ran = place.run(["compare", "golden.bin", "model.sct", "--inputs", &inputs, "--exact"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert!(ran.stdout.contains("not all elements are equal"), "{}", ran.stdout);
    assert!(ran.stdout.contains("99.4 %"), "{}", ran.stdout);
}

#[test]
fn real_outputs_of_another_framework_are_compared_as_real_numbers() {
    let place = Workplace::new();
    place.convert();
    place.write("logits.npy", &npy::write(&[1, CLASSES], &[0f32; CLASSES]).unwrap());
    let inputs = example("int8_inputs.bin");
    let json = place.json(&["compare", "logits.npy", "model.sct", "--inputs", &inputs, "--limit", "1"]);
    assert_eq!((&json["equal"], &json["vectors"]), (&false.into(), &1.into()));
    let message = place.error(["compare", "logits.npy", "model.sct", "--inputs", &inputs]);
    assert!(message.contains("10 elements for output"), "{message}");
}
