use std::fs;

use crate::{Workplace, example};

#[test]
fn wrong_usage_ends_with_2_and_no_report() {
    let place = Workplace::new();
    for arguments in [
        &["no-such-command"][..],
        &["convert"],
        &["convert", "model.tflite"],
        &["run", "model.sct"],
        &["inspect", "a", "b"],
        &["convert", "m.tflite", "-o", "m.sct", "--core", "cortex-a9"],
        &["run", "m.sct", "-i", "x.bin", "-o", "out", "--limit", "0"],
        &["run", "m.sct", "-i", "x.bin", "-o", "out", "--scale", "one"],
    ] {
        let ran = place.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.stderr.contains("Usage") || ran.stderr.contains("--help"), "{}", ran.stderr);
    }
}

#[test]
fn help_and_version_end_with_0() {
    let place = Workplace::new();
    for command in ["convert", "inspect", "run", "evaluate", "compare"] {
        let help = place.report([command, "--help"]);
        assert!(help.contains("--json"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    assert!(place.report(["--version"]).starts_with("secateur "));
}

#[test]
fn files_that_cannot_be_models_are_named_with_the_reason() {
    let place = Workplace::new();
    place.write("empty.sct", b"");
    place.write("text.sct", b"this is text, not a model");
    place.write("x.npy", b"\x93NUMPY\x01\x00");
    place.write("net.onnx", b"\x08\x07");
    fs::create_dir(place.path("folder")).unwrap();
    for (file, reason) in [
        ("absent.sct", "there is no such file"),
        ("folder", "this is a directory, but a file is expected"),
        ("empty.sct", "the file is empty"),
        ("text.sct", "not those of a .sct file"),
        ("x.npy", "a NumPy array, not a model"),
        ("net.onnx", "no graph: this is no ONNX model"),
    ] {
        let message = place.error(["inspect", file]);
        assert!(message.starts_with(&format!("error: {file}: ")) && message.contains(reason), "{message}");
        assert!(!message.contains("Error {") && !message.contains("backtrace"), "{message}");
    }
}

#[test]
fn exchanged_arguments_are_recognized() {
    let place = Workplace::new();
    place.convert();
    let inputs = place.write("x.npy", b"\x93NUMPY\x01\x00");
    let message = place.error(["run", inputs.to_str().unwrap(), "-i", "model.sct", "-o", "out"]);
    assert!(message.contains("are two arguments exchanged?"), "{message}");
    let message = place.error(["run", "model.sct", "-i", "model.sct", "-o", "out"]);
    assert!(message.contains("this is a model, but input values are expected"), "{message}");
}

#[test]
fn every_cut_of_a_model_is_refused() {
    let place = Workplace::new();
    let model = fs::read(place.convert()).unwrap();
    for length in [1, 4, 95, 96, 97, model.len() / 2, model.len() - 1] {
        place.write("cut.sct", &model[..length]);
        let message = place.error(["inspect", "cut.sct"]);
        assert!(message.starts_with("error: cut.sct: "), "{length}: {message}");
    }
}

#[test]
fn a_damaged_model_is_refused_with_the_checksums() {
    let place = Workplace::new();
    let mut model = fs::read(place.convert()).unwrap();
    let middle = model.len() / 2;
    model[middle] ^= 0x10;
    place.write("damaged.sct", &model);
    let message = place.error(["inspect", "damaged.sct"]);
    assert!(message.contains("damaged: CRC-32 is"), "{message}");
}

#[test]
fn outputs_go_into_directories_that_exist() {
    let place = Workplace::new();
    place.convert();
    let inputs = example("int8_inputs.bin");
    let message = place.error(["run", "model.sct", "-i", &inputs, "-o", "a/b"]);
    assert!(message.contains("there is no directory a; create it first"), "{message}");
    let message = place.error(["run", "model.sct", "-i", &inputs, "-o", "model.sct"]);
    assert!(message.starts_with("error: model.sct: "), "{message}");
}
