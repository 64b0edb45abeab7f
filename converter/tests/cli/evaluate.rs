use std::fs;
use std::io::Write as _;

use crate::{CLASSES, IMAGE, VECTORS, Workplace, example};

/// The golden images as pixels, labelled by the class that the golden outputs say, but for the last one.
fn samples() -> (Vec<u8>, Vec<u8>) {
    let images =
        fs::read(example("int8_inputs.bin")).unwrap().iter().map(|byte| byte.wrapping_add(128)).collect();
    let outputs = fs::read(example("int8_outputs.bin")).unwrap();
    let first_greatest = |scores: &[u8]| {
        let score = |&index: &usize| scores[index].cast_signed();
        (0..CLASSES).rev().max_by_key(score).unwrap() as u8
    };
    let mut labels: Vec<u8> = outputs.chunks_exact(CLASSES).map(first_greatest).collect();
    labels[VECTORS - 1] = (labels[VECTORS - 1] + 1) % 10;
    (images, labels)
}

fn idx(dimensions: &[u32], data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    dimensions.iter().for_each(|dimension| bytes.extend(dimension.to_be_bytes()));
    bytes.extend(data);
    bytes
}

fn check(place: &Workplace, arguments: &[&str]) {
    let json = place.json(&[&["evaluate", "model.sct"], arguments].concat());
    assert_eq!((&json["samples"], &json["correct"]), (&VECTORS.into(), &(VECTORS - 1).into()));
    let accuracy = (VECTORS - 1) as f64 / VECTORS as f64;
    assert_eq!(json["accuracy"].as_f64().unwrap(), accuracy);
    let confusion = json["confusion"].as_array().unwrap();
    let all: u64 =
        confusion.iter().flat_map(|row| row.as_array().unwrap()).map(|n| n.as_u64().unwrap()).sum();
    assert_eq!((confusion.len(), all), (CLASSES, VECTORS as u64));
}

#[test]
fn a_described_directory_is_scored_with_the_names_of_its_classes() {
    let place = Workplace::new();
    place.convert();
    let (images, labels) = samples();
    fs::create_dir(place.path("set")).unwrap();
    place.write("set/images.bin", &images);
    place.write("set/labels.bin", &labels);
    let classes: Vec<String> = (0..CLASSES).map(|class| format!("class {class}")).collect();
    let info = serde_json::json!({
        "classes": classes,
        "files": {
            "images.bin": {"dtype": "uint8", "shape": [VECTORS, 28, 28]},
            "labels.bin": {"dtype": "uint8", "shape": [VECTORS]},
        }
    });
    place.write("set/info.json", info.to_string().as_bytes());
    check(&place, &["--dataset", "set"]);
    let report = place.report(["evaluate", "model.sct", "--dataset", "set"]);
    assert!(report.contains("93.8 % (15 of 16)"), "{report}");
    assert!(report.contains("class 7") && report.contains("confusion"), "{report}");
    let json = place.json(&["evaluate", "model.sct", "--dataset", "set", "--limit", "3"]);
    assert_eq!((&json["samples"], &json["accuracy"]), (&3.into(), &1.0.into()));
}

#[test]
fn idx_files_and_archives_are_scored() {
    let place = Workplace::new();
    place.convert();
    let (images, labels) = samples();
    fs::create_dir(place.path("mnist")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&idx(&[VECTORS as u32, 28, 28], &images)).unwrap();
    place.write("mnist/t10k-images-idx3-ubyte.gz", &gzip.finish().unwrap());
    place.write("mnist/t10k-labels-idx1-ubyte", &idx(&[VECTORS as u32], &labels));
    check(&place, &["--dataset", "mnist"]);
    check(
        &place,
        &["--dataset", "mnist/t10k-images-idx3-ubyte.gz", "--labels", "mnist/t10k-labels-idx1-ubyte"],
    );
    let message = place.error(["evaluate", "model.sct", "--dataset", "mnist/t10k-labels-idx1-ubyte"]);
    assert!(message.contains("t10k-labels-idx1-ubyte"), "{message}");
}

#[test]
fn labels_that_are_no_classes_are_refused() {
    let place = Workplace::new();
    place.convert();
    place.write("x", &idx(&[1, 28, 28], &[0; IMAGE]));
    place.write("y", &idx(&[1], &[10]));
    let message = place.error(["evaluate", "model.sct", "--dataset", "x", "--labels", "y"]);
    assert!(message.contains("sample 0 has label 10, but the model has 10 classes (0 to 9)"), "{message}");
}
