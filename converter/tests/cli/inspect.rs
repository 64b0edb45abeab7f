use std::io::Read as _;
use std::process::Stdio;

use crate::{Workplace, example};

#[test]
fn the_table_has_a_line_per_operator_and_fits_the_width() {
    let place = Workplace::new();
    place.convert();
    let report = place.report(["inspect", "model.sct", "--plan"]);
    let json = place.json(&["inspect", "model.sct"]);
    let operators = json["operators"].as_array().unwrap();
    for operator in operators {
        let start = format!("{} ", operator["index"]);
        let kind = operator["kind"].as_str().unwrap();
        assert!(
            report.lines().any(|line| line.trim_start().starts_with(&start) && line.contains(kind)),
            "{start}{kind}: {report}"
        );
    }
    let longest = report.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest <= 100, "{longest}: {report}");
    assert!(report.contains("lower bound"), "{report}");
}

#[test]
fn sums_are_those_of_the_operators() {
    let place = Workplace::new();
    let json = place.json(&["inspect", &example("fashion_dscnn_int8.tflite")]);
    let operators = json["operators"].as_array().unwrap();
    let sum = |f: &dyn Fn(&serde_json::Value) -> Option<u64>| operators.iter().filter_map(f).sum::<u64>();
    assert_eq!(json["totals"]["work"], sum(&|operator| operator["work"].as_u64()));
    assert_eq!(json["totals"]["weight_bytes"], sum(&|operator| operator["weights"]["bytes"].as_u64()));
    assert_eq!(json["totals"]["operators"], operators.len());
    assert_eq!(json["inputs"][0]["shape"], serde_json::json!([1, 28, 28, 1]));
}

#[test]
fn both_packings_have_the_same_weights_and_zeros() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    let counts = |core: &str| {
        place.report(["convert", &model, "-o", "model.sct", "--core", core]);
        let json = place.json(&["inspect", "model.sct"]);
        let weights =
            json["operators"].as_array().unwrap().iter().map(|operator| operator["weights"].clone());
        weights.map(|weights| (weights["count"].as_u64(), weights["zeros"].as_u64())).collect::<Vec<_>>()
    };
    let plain = counts("cortex-m0");
    assert_eq!(plain, counts("cortex-m4"));
    assert!(plain.iter().any(|&(_, zeros)| zeros > Some(0)));
}

#[test]
fn the_graph_of_a_source_model_is_printed() {
    let place = Workplace::new();
    let graph = place.report(["inspect", &example("fashion_dscnn_int8.tflite"), "--graph"]);
    assert!(graph.starts_with("graph "), "{graph}");
    assert!(graph.contains("Conv2d("), "{graph}");
    place.convert();
    let message = place.error(["inspect", "model.sct", "--graph"]);
    assert!(message.contains("give the source model"), "{message}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Workplace::new();
    let mut command = place.command(["inspect", &example("fashion_dscnn_int8.tflite"), "--plan"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut message = String::new();
    child.stderr.take().unwrap().read_to_string(&mut message).unwrap();
    assert_eq!((child.wait().unwrap().code(), message.as_str()), (Some(0), ""));
}
