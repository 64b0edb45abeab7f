use std::fs;

use crate::{Workplace, example, names_in, pruned_example};

#[test]
fn the_report_says_what_was_made() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    let report = place.report(["convert", &model, "-o", "model.sct"]);
    for label in ["model ", "written ", "operators ", "weights ", "work ", "arena ", "plan ", "verified "] {
        assert!(report.lines().any(|line| line.starts_with(label)), "{label}: {report}");
    }
    let length = fs::metadata(place.path("model.sct")).unwrap().len();
    let json = place.json(&["convert", &model, "-o", "again.sct"]);
    assert_eq!(json["output"]["bytes"], length);
    assert!(json["arena"]["excess_percent"].as_f64().unwrap() <= 2.0);
    assert_eq!(json["verification"]["hashed_operators"], json["operators"]);
    assert_eq!(place.names(), ["again.sct", "model.sct"]);
}

#[test]
fn converting_twice_gives_the_same_bytes() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    place.report(["convert", &model, "-o", "a.sct"]);
    place.report(["convert", &model, "-o", "b.sct"]);
    assert_eq!(fs::read(place.path("a.sct")).unwrap(), fs::read(place.path("b.sct")).unwrap());
}

#[test]
fn the_core_decides_the_packing() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    for (core, packing) in [("cortex-m0", "plain"), ("m3", "plain"), ("cortex-m4", "lanes"), ("m33", "lanes")]
    {
        place.report(["convert", &model, "-o", "model.sct", "--core", core]);
        let json = place.json(&["inspect", "model.sct"]);
        let packings: Vec<_> =
            json["operators"].as_array().unwrap().iter().map(|o| &o["weights"]["packing"]).collect();
        assert!(packings.iter().any(|&found| found == packing), "{core}: {packings:?}");
    }
}

#[test]
fn constant_channels_are_folded_unless_told_otherwise() {
    let place = Workplace::new();
    place.write("pruned.tflite", &pruned_example());
    let folded = place.report(["convert", "pruned.tflite", "-o", "folded.sct"]);
    for words in ["folded     1 channel; 2 layers are smaller", "exact      what goes is constant", "96 > 95"]
    {
        assert!(folded.contains(words), "{words}: {folded}");
    }
    let whole = place.report(["convert", "pruned.tflite", "-o", "whole.sct", "--no-fold"]);
    assert!(!whole.contains("folded"), "{whole}");
    let inputs = example("int8_inputs.bin");
    let json = place.json(&["compare", "whole.sct", "folded.sct", "--inputs", &inputs, "--exact"]);
    assert_eq!(json["outputs"][0]["equal_share"], 1.0);
    // What the convolution and the mean after it write has another shape.
    assert_eq!(json["only_in_model"].as_array().unwrap().len(), 2, "{json}");

    let json = place.json(&["convert", "pruned.tflite", "-o", "whole.sct", "--no-fold"]);
    assert_eq!(json.as_object().unwrap().get("folding"), Some(&serde_json::Value::Null));
}

#[test]
fn a_model_without_constant_channels_stays_whole() {
    let place = Workplace::new();
    let report = place.report(["convert", &example("fashion_dscnn_int8.tflite"), "-o", "model.sct"]);
    assert!(report.contains("folded     nothing"), "{report}");
}

#[test]
fn a_failed_conversion_leaves_the_older_file_and_nothing_else() {
    let place = Workplace::new();
    place.write("bad.tflite", b"\x10\x00\x00\x00TFL3 this is no model");
    place.write("out.sct", b"older");
    let message = place.error(["convert", "bad.tflite", "-o", "out.sct"]);
    assert!(message.contains("bad.tflite"), "{message}");
    assert_eq!(fs::read(place.path("out.sct")).unwrap(), b"older");
    assert_eq!(place.names(), ["bad.tflite", "out.sct"]);
}

#[cfg(unix)]
#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let place = Workplace::new();
    fs::create_dir(place.path("full")).unwrap();
    let model = example("fashion_dscnn_int8.tflite");
    let message = place.error(["convert", &model, "-o", "full/deeper/out.sct"]);
    assert!(message.contains("there is no directory full/deeper; create it first"), "{message}");
    assert!(names_in(&place.path("full")).is_empty());
}

#[test]
fn mistaken_outputs_are_refused() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    fs::create_dir(place.path("dir.sct")).unwrap();
    let message = place.error(["convert", &model, "-o", "dir.sct"]);
    assert!(message.contains("dir.sct: this is a directory"), "{message}");
    let message = place.error(["convert", &model, "-o", "model.tflite"]);
    assert!(message.contains("must end in .sct"), "{message}");
    let sct = place.convert();
    let message = place.error(["convert", sct.to_str().unwrap(), "-o", "model.sct"]);
    assert!(message.contains("would overwrite the model"), "{message}");
    let message = place.error(["convert", "model.sct", "-o", "other.sct"]);
    assert!(message.contains("is a .sct file already"), "{message}");
}

#[test]
fn a_rust_module_names_the_file_the_operators_and_the_labels() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    let labels: String = (0..10).map(|class| format!("class \"{class}\"\n")).collect();
    place.write("labels.txt", labels.as_bytes());
    fs::create_dir(place.path("src")).unwrap();
    let convert = |core: &str| {
        place.report([
            "convert",
            &model,
            "-o",
            "model.sct",
            "--core",
            core,
            "--labels",
            "labels.txt",
            "--rust",
            "src/model.rs",
        ]);
        fs::read_to_string(place.path("src/model.rs")).unwrap()
    };
    let module = convert("cortex-m0");
    assert!(module.contains("include_model!(\"../model.sct\");"), "{module}");
    assert!(
        module.contains("pub(crate) static LABELS: [&str; 10] = [\n    \"class \\\"0\\\"\","),
        "{module}"
    );
    let operators = |module: &str| {
        module
            .lines()
            .filter_map(|line| line.trim().strip_prefix("&kernels::").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let plain = ["conv2d", "depthwise_conv2d", "fully_connected", "mean"];
    assert_eq!(operators(&module), plain.map(|name| format!("{name}::OPERATOR,")));
    assert!(convert("cortex-m4").contains("&kernels::conv2d_lanes::OPERATOR,"));
    let inspected = place.json(&["inspect", "model.sct"]);
    assert_eq!(inspected["labels"][3], "class \"3\"");
}

#[test]
fn labels_must_be_as_many_as_scores() {
    let place = Workplace::new();
    place.write("labels.txt", b"cat\ndog\n");
    let model = example("fashion_dscnn_int8.tflite");
    let error = place.error(["convert", &model, "-o", "model.sct", "--labels", "labels.txt"]);
    assert!(
        error.contains("2 labels, but the first output of") && error.contains("has 10 values"),
        "{error}"
    );
    assert!(!place.path("model.sct").exists());
}

#[test]
fn the_readme_shows_what_is_printed() {
    let place = Workplace::new();
    let model = "tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite";
    fs::create_dir_all(place.path("tests/golden/fashion_dscnn")).unwrap();
    fs::copy(example("fashion_dscnn_int8.tflite"), place.path(model)).unwrap();
    let report = place.report(["convert", model, "-o", "model.sct"]);
    let shown: String = report.lines().map(|line| format!("    {line}\n")).collect();
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    assert!(readme.contains(&shown), "not in README.md:\n{shown}");
}
