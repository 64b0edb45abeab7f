//! Importing takes no more memory and time than a small multiple of the file.

use std::time::{Duration, Instant};

use allocation_counter::{AllocationInfo, measure};
use secateur_converter::import::ImportErrors;
use secateur_converter::import::tflite::import;

use crate::builder::{Model, Operator, Tensor};
use crate::files;

/// Most memory in use at a time, in multiples of the file.
const MULTIPLE: u64 = 40;

/// Imports a file within bounds.
fn measured(bytes: &[u8]) -> (AllocationInfo, Option<ImportErrors>) {
    let start = Instant::now();
    let mut errors = None;
    let info = measure(|| errors = import(bytes).err());
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
    let bound = MULTIPLE * (bytes.len() as u64 + 2048);
    assert!(info.bytes_max < bound, "{} bytes in use for a file of {}", info.bytes_max, bytes.len());
    (info, errors)
}

/// A model whose list of tensors names one tensor many times.
fn repeated(tensor: Tensor, repeats: usize) -> Vec<u8> {
    let mut model = Model::single(vec![tensor, Tensor::int8(&[1])], Operator::new(19, &[0], 1));
    model.repeats = repeats;
    model.bytes()
}

#[test]
fn an_intact_model_takes_little() {
    let bytes = files::read(files::project("golden/fashion_dscnn/fashion_dscnn_int8.tflite"));
    let (info, errors) = measured(&bytes);
    assert_eq!(errors, None);
    assert!(info.bytes_max < 4 * bytes.len() as u64, "{}", info.bytes_max);
}

#[test]
fn one_tensor_named_many_times_is_refused() {
    for (what, tensor) in [
        ("long name", Tensor::int8(&[1]).named(&"n".repeat(20_000))),
        ("long shape", Tensor::int8(&[1; 5_000])),
        ("many scales", Tensor::filter(&[5_000, 1], 0)),
        ("much data", Tensor::int32(&[7; 5_000])),
    ] {
        let errors = measured(&repeated(tensor, 20_000)).1.expect(what);
        assert!(errors.to_string().contains("its parts overlap"), "{what}: {errors}");
    }
}

#[test]
fn many_small_tensors_are_taken() {
    let tensors = vec![Tensor::int8(&[1]).named("a name"); 20_000];
    let model = Model::single(tensors, Operator::new(19, &[0], 19_999));
    let mut spread = model.clone();
    spread.inputs = vec![0];
    assert_eq!(measured(&spread.bytes()).1, None);
    // All 19,999 are inputs here, which is unusual but well-formed.
    assert_eq!(measured(&model.bytes()).1, None);
}

#[test]
fn many_faulty_operators_are_reported() {
    let tensors = vec![Tensor::int8(&[1; 5]).named(&"n".repeat(1000)); 3];
    let mut model = Model::single(tensors, Operator::new(3, &[0, 1], 2));
    model.operators = vec![model.operators[0].clone(); 5_000];
    let errors = measured(&model.bytes()).1.expect("strides are missing");
    assert!(errors.problems.len() >= 5_000);
    assert!(errors.to_string().lines().count() < 200);
}

#[test]
fn one_constant_read_many_times_is_not_copied_each_time() {
    let weights = Tensor::int8(&[2000]).with_data(&[1; 2000]);
    let mut tensors = vec![weights];
    let mut operators = Vec::new();
    for index in 1..3000 {
        tensors.push(Tensor::float(&[2000]));
        operators.push(Operator::new(6, &[0], index));
    }
    let model = Model { tensors, operators, outputs: vec![2999], ..Model::default() };
    let errors = measured(&model.bytes()).1.expect("too much to widen");
    assert!(errors.to_string().contains("its parts overlap"), "{errors}");
}
