use super::*;

fn weight(name: &str, values: &[f32]) -> Weight {
    Weight { name: name.into(), shape: [values.len()].into(), values: values.to_vec(), element: Element::F32 }
}

fn names(weights: &[Weight]) -> Vec<&str> {
    weights.iter().map(|weight| weight.name.as_str()).collect()
}

#[test]
fn prefixes_that_all_names_have_are_taken_off() {
    let mut all = vec![weight("_orig_mod.module.a", &[1.0]), weight("_orig_mod.module.b", &[1.0])];
    strip_prefixes(&mut all);
    assert_eq!(names(&all), ["a", "b"]);
    let mut some = vec![weight("module.a", &[1.0]), weight("b", &[1.0])];
    strip_prefixes(&mut some);
    assert_eq!(names(&some), ["module.a", "b"]);
    strip_prefixes(&mut []);
}

#[test]
fn masks_are_multiplied_in() {
    let mut weights = vec![
        weight("fc.bias", &[5.0]),
        weight("fc.weight_orig", &[1.0, 2.0, 3.0]),
        weight("fc.weight_mask", &[1.0, 0.0, 1.0]),
        weight("attention_mask", &[1.0]),
    ];
    let mut problems = Vec::new();
    apply_masks(&mut weights, &mut problems);
    assert!(problems.is_empty());
    assert_eq!(names(&weights), ["fc.bias", "fc.weight", "attention_mask"]);
    assert_eq!(weights[1].values, [1.0, 0.0, 3.0]);
}

#[test]
fn masks_of_another_shape_are_reported() {
    let mut weights = vec![weight("a_orig", &[1.0, 2.0]), weight("a_mask", &[1.0])];
    let mut problems = Vec::new();
    apply_masks(&mut weights, &mut problems);
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["tensor 0 'a': has shape [2], but its mask has [1]"]);
}

#[test]
fn together_tensors_take_no_more_than_the_file_accounts_for() {
    let storage = [0; 4];
    let many = |count: usize| {
        let view = View { offset: 0, shape: vec![1 << 16], strides: vec![0] };
        let stored = |index| Stored {
            name: format!("t{index}"),
            element: Element::F32,
            view: view.clone(),
            storage: &storage,
        };
        (0..count).map(stored).collect::<Vec<_>>()
    };
    assert!(weights(many(1), 100).is_ok());
    assert!(weights(many(2), 100).is_err());
}
