//! The keys of the JSON reports are those that `docs/json.md` lists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{Workplace, case, example, pruned_example};

/// The keys that the documentation lists below a heading: the first column of its tables.
fn documented(section: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json.md");
    let text = fs::read_to_string(path).unwrap();
    let heading = format!("## {section}");
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    let rows = lines.take_while(|line| !line.starts_with("## ")).filter_map(|line| line.strip_prefix("| `"));
    let keys: BTreeSet<String> = rows.map(|row| row.split('`').next().unwrap().to_owned()).collect();
    assert!(!keys.is_empty(), "no keys below {heading}");
    keys
}

/// Paths of all keys of a document: `a.b`, elements of lists as `a[].b`.
fn keys(value: &Value) -> BTreeSet<String> {
    fn visit(value: &Value, path: &str, keys: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    keys.insert(path.clone());
                    visit(value, &path, keys);
                }
            }
            Value::Array(elements) => {
                elements.iter().for_each(|element| visit(element, &format!("{path}[]"), keys));
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    visit(value, "", &mut found);
    found
}

fn check(section: &str, document: &Value) {
    let (documented, emitted) = (documented(section), keys(document));
    let undocumented: Vec<_> = emitted.difference(&documented).collect();
    let absent: Vec<_> = documented.difference(&emitted).collect();
    assert!(undocumented.is_empty() && absent.is_empty(), "{section}: {undocumented:?}, absent: {absent:?}");
    assert_eq!(document["schema"], 1);
}

/// Checks what stands below one key, which other runs of the command leave null.
fn check_part(section: &str, key: &str, document: &Value) {
    let below = |keys: BTreeSet<String>| -> BTreeSet<String> {
        keys.into_iter().filter(|found| found.starts_with(&format!("{key}."))).collect()
    };
    assert_eq!(documented(section), below(keys(document)), "{section}");
}

#[test]
fn reports_have_the_documented_keys() {
    let place = Workplace::new();
    let model = example("fashion_dscnn_int8.tflite");
    let inputs = example("int8_inputs.bin");
    place.write("pruned.tflite", &pruned_example());
    check("convert", &place.json(&["convert", "pruned.tflite", "-o", "pruned.sct", "--rust", "pruned.rs"]));
    place.write("one.npy", &secateur_converter::io::npy::write(&[1, 28, 28], &[9u8; 784]).unwrap());
    let float = example("fashion_dscnn.onnx");
    let quantized =
        place.json(&["convert", &float, "-o", "quantized.sct", "--calibrate", "one.npy", "--no-fold"]);
    check_part("convert: quantization", "quantization", &quantized);
    let images = format!("{}/../tests/data/fashion_mnist_1000", env!("CARGO_MANIFEST_DIR"));
    let mut search = vec!["convert", &float, "-o", "searched.sct", "--calibrate", "one.npy"];
    search.extend(["--max-drop", "100%", "--evaluate", &images, "--evaluation-samples", "4"]);
    check_part("convert: search", "search", &place.json(&search));
    let floats = example("inputs_float.bin");
    check("compare with a float model", &place.json(&["compare", &float, "quantized.sct", "-i", &floats]));
    check("inspect of a float model", &place.json(&["inspect", &float]));
    place.convert();
    check("inspect", &place.json(&["inspect", "model.sct", "--plan", "--cycles"]));
    check("inspect --graph", &place.json(&["inspect", &model, "--graph"]));
    check("run", &place.json(&["run", "model.sct", "-i", &inputs, "-o", "out", "--dump-tensors", "t"]));
    let index = fs::read(place.path("t/index.json")).unwrap();
    let (documented, emitted) =
        (documented("index.json of --dump-tensors"), keys(&serde_json::from_slice(&index).unwrap()));
    assert_eq!(documented, emitted);
    place.write("x.npy", &secateur_converter::io::npy::write(&[1, 28, 28], &[0u8; 784]).unwrap());
    place.write("y.npy", &secateur_converter::io::npy::write(&[1], &[0u8]).unwrap());
    check("evaluate", &place.json(&["evaluate", "model.sct", "--dataset", "x.npy", "--labels", "y.npy"]));
    check("compare", &place.json(&["compare", &model, "model.sct", "--inputs", &inputs]));
}

#[test]
fn keys_without_a_value_are_null_and_not_left_out() {
    let place = Workplace::new();
    let json = place.json(&["inspect", &case("add_equal_shapes.tflite")]);
    let operator = json["operators"][0].as_object().unwrap();
    assert_eq!(operator.get("weights"), Some(&Value::Null));
    assert_eq!(json.as_object().unwrap().get("plan"), Some(&Value::Null));
}
