//! Every form in which PyTorch saves weights gives what PyTorch reads from it.

use std::collections::BTreeMap;

use secateur_converter::import::torch::{Weight, Weights};

use crate::files;

#[test]
fn weights_are_those_that_pytorch_reads() {
    let expected: serde_json::Value =
        serde_json::from_slice(&files::small("expected.json")).expect("valid JSON");
    let expected = expected.as_object().expect("a file each");
    assert!(expected.len() > 10);
    for (file, expected) in expected {
        let weights = files::weights(&files::small(file));
        let expected = expected.as_object().expect("a tensor each");
        let mut names: Vec<_> = weights.iter().map(|weight| &weight.name).collect();
        names.sort();
        let mut expected_names: Vec<_> = expected.keys().collect();
        expected_names.sort();
        assert_eq!(names, expected_names, "{file}");
        for weight in weights.iter() {
            let expected = &expected[&weight.name];
            let shape: Vec<_> = weight.shape.iter().map(|&size| serde_json::Value::from(size)).collect();
            assert_eq!(expected["shape"].as_array(), Some(&shape), "{file} {}", weight.name);
            let values = expected["values"].as_array().expect("a list");
            let values: Vec<f32> = values.iter().filter_map(|value| Some(value.as_f64()? as f32)).collect();
            assert_eq!(weight.values, values, "{file} {}", weight.name);
        }
    }
}

#[test]
fn names_keep_the_order_of_the_state_dict() {
    let names = |file| -> Vec<String> {
        files::weights(&files::small(file)).iter().map(|weight| weight.name.clone()).collect()
    };
    let expected =
        ["0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var", "3.weight", "3.bias"];
    assert_eq!(names("zip.pt"), expected);
    assert_eq!(names("legacy.pt"), expected);
    assert_eq!(names("checkpoint.pt"), expected);
}

/// The tensors by name.
fn by_name(weights: &Weights) -> BTreeMap<&str, &Weight> {
    weights.iter().map(|weight| (weight.name.as_str(), weight)).collect()
}

#[test]
fn all_forms_of_real_models_hold_the_same() {
    for (folder, reference, others) in [
        ("torch/lenet5", "lenet5.pt", &["lenet5_legacy.pt", "lenet5_torch1_13.pt", "lenet5.safetensors"][..]),
        ("torch/dscnn", "dscnn.pt", &["dscnn.safetensors"]),
        ("own", "fashion_dscnn.pt", &["fashion_dscnn.safetensors"]),
    ] {
        let Some(folder) = files::shared(folder) else { return };
        let reference = files::weights(&files::read(folder.join(reference)));
        assert!(!reference.is_empty());
        for other in others {
            let weights = files::weights(&files::read(folder.join(other)));
            assert!(by_name(&weights) == by_name(&reference), "{other}");
        }
    }
}
