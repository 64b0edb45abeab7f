use std::fs;

use secateur_converter::io::{Elements, npy};

use crate::{CLASSES, IMAGE, VECTORS, Workplace, case, example, names_in};

#[test]
fn raw_vectors_give_the_golden_outputs() {
    let place = Workplace::new();
    place.convert();
    let inputs = example("int8_inputs.bin");
    let golden = fs::read(example("int8_outputs.bin")).unwrap();
    for model in ["model.sct", &example("fashion_dscnn_int8.tflite")] {
        let report = place.report(["run", model, "--input", &inputs, "--output", "out"]);
        assert!(report.contains("16 vectors on host"), "{report}");
        assert_eq!(fs::read(place.path("out/output.bin")).unwrap(), golden);
    }
    assert_eq!(names_in(&place.path("out")), ["output.bin"]);
}

#[test]
fn arrays_of_integers_and_of_real_numbers_give_the_golden_outputs() {
    let place = Workplace::new();
    place.convert();
    let bytes = fs::read(example("int8_inputs.bin")).unwrap();
    let integers: Vec<i8> = bytes.iter().map(|&byte| byte.cast_signed()).collect();
    // The model's input has scale 1/255 and zero point -128.
    let reals: Vec<f32> = integers.iter().map(|&value| (f32::from(value) + 128.0) / 255.0).collect();
    let pixels: Vec<u8> = bytes.iter().map(|byte| byte.wrapping_add(128)).collect();
    let shape = [VECTORS, 28, 28];
    let golden = fs::read(example("int8_outputs.bin")).unwrap();
    for (content, said) in [
        (npy::write(&shape, &integers).unwrap(), "int8 [16,28,28] as is"),
        (npy::write(&shape, &reals).unwrap(), "float32 [16,28,28], quantized"),
        (npy::write(&shape, &pixels).unwrap(), "uint8 [16,28,28] pixels, scaled and quantized"),
    ] {
        place.write("x.npy", &content);
        let report = place.report(["run", "model.sct", "-i", "x.npy", "-o", "out"]);
        assert!(report.contains(said), "{report}");
        assert_eq!(fs::read(place.path("out/output.bin")).unwrap(), golden, "{said}");
    }
}

#[test]
fn scale_and_mean_say_what_pixels_stand_for() {
    let place = Workplace::new();
    place.convert();
    place.write("x.npy", &npy::write(&[28, 28], &[3u8; IMAGE]).unwrap());
    place.write("real.npy", &npy::write(&[28, 28], &[0.5f32; IMAGE]).unwrap());
    place.report(["run", "model.sct", "-i", "x.npy", "-o", "a", "--scale", "1/4", "--mean", "1"]);
    place.report(["run", "model.sct", "-i", "real.npy", "-o", "b"]);
    let output = |directory: &str| fs::read(place.path(directory).join("output.bin")).unwrap();
    assert_eq!(output("a"), output("b"));
}

#[test]
fn outputs_can_be_arrays() {
    let place = Workplace::new();
    place.convert();
    place.report(["run", "model.sct", "-i", &example("int8_inputs.bin"), "-o", "out", "--format", "npy"]);
    let [name] = names_in(&place.path("out")).try_into().unwrap();
    let array = npy::read(&fs::read(place.path("out").join(name)).unwrap()).unwrap();
    let golden = fs::read(example("int8_outputs.bin")).unwrap();
    assert_eq!(array.shape, [VECTORS, CLASSES]);
    assert_eq!(array.elements, Elements::I8(golden.iter().map(|&byte| byte.cast_signed()).collect()));
}

#[test]
fn what_operators_write_can_be_kept() {
    let place = Workplace::new();
    place.convert();
    let inputs = example("int8_inputs.bin");
    let json =
        place.json(&["run", "model.sct", "-i", &inputs, "-o", "out", "--dump-tensors", "t", "--limit", "2"]);
    assert_eq!(json["vectors"], 2);
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("t/index.json")).unwrap()).unwrap();
    let tensors = index["tensors"].as_array().unwrap();
    assert_eq!(tensors.len() + 1, names_in(&place.path("t")).len());
    for tensor in tensors {
        let file = place.path("t").join(tensor["file"].as_str().unwrap());
        assert_eq!(fs::metadata(file).unwrap().len(), 2 * tensor["bytes"].as_u64().unwrap());
    }
    let last = place.path("t").join(tensors.last().unwrap()["file"].as_str().unwrap());
    assert_eq!(fs::read(last).unwrap(), fs::read(place.path("out/output.bin")).unwrap());
}

#[test]
fn inputs_are_found_by_name() {
    let place = Workplace::new();
    let model = case("add_equal_shapes.tflite");
    let json = place.json(&["inspect", &model]);
    let [first, second] = [0, 1].map(|index| &json["inputs"][index]);
    let elements = first["bytes"].as_u64().unwrap() as usize;
    let shape: Vec<usize> =
        first["shape"].as_array().unwrap().iter().map(|d| d.as_u64().unwrap() as usize).collect();
    let values = |start: i8| (0..elements).map(|i| start.wrapping_add(i as i8)).collect::<Vec<_>>();
    place.write("a.npy", &npy::write(&shape, &values(0)).unwrap());
    place.write("b.npy", &npy::write(&shape, &values(100)).unwrap());
    let named = |port: &serde_json::Value, file: &str| format!("{}={file}", port["name"].as_str().unwrap());
    place.report(["run", &model, "-i", "a.npy", "-i", "b.npy", "-o", "in_order"]);
    place.report([
        "run",
        &model,
        "-i",
        &named(second, "b.npy"),
        "-i",
        &named(first, "a.npy"),
        "-o",
        "by_name",
    ]);
    let output = |directory: &str| fs::read(place.path(directory).join("output.bin")).unwrap();
    assert_eq!(output("in_order"), output("by_name"));
    let message = place.error(["run", &model, "-i", "a.npy", "-o", "out"]);
    assert!(message.contains("the model has 2 inputs"), "{message}");
}

#[test]
fn wrong_lengths_are_refused_before_anything_is_written() {
    let place = Workplace::new();
    place.convert();
    place.write("short.bin", &[0; IMAGE + 1]);
    let message = place.error(["run", "model.sct", "-i", "short.bin", "-o", "out"]);
    assert!(message.contains("785 bytes are not a whole number of vectors; one vector has 784"), "{message}");
    place.write("wide.npy", &npy::write(&[28, 29], &[0i8; 28 * 29]).unwrap());
    let message = place.error(["run", "model.sct", "-i", "wide.npy", "-o", "out"]);
    assert!(message.contains("shape [28,29] does not suit input"), "{message}");
    assert!(!place.path("out").exists());
}
