//! Models that are well-formed but too large are refused by one clear error, before they cost time or memory.

use std::time::{Duration, Instant};

use allocation_counter::measure;
use secateur_converter::pipeline::{Options, convert};

use crate::builder::{Model, Operator, Tensor, Value};

/// Operators by number.
const ADD: i32 = 0;
const CONV_2D: i32 = 3;
const RELU: i32 = 19;
const TRANSPOSE_CONV: i32 = 67;

/// Most time for a refusal, on a machine that is busy with other tests.
const TIME: Duration = Duration::from_secs(8);

/// Most bytes in use at a time.
const MEMORY: u64 = 200 << 20;

/// Converts within bounds, and gives what is said about the model, if it is refused.
fn refusal(model: &Model) -> Option<String> {
    let bytes = model.bytes();
    let start = Instant::now();
    let mut message = None;
    let used = measure(|| {
        let result = convert(&bytes, "large.tflite", &Options::default());
        message = result.err().map(|error| format!("{:#}", anyhow::Error::from(error)));
    });
    let took = start.elapsed();
    assert!(took < TIME, "takes {took:?}: {message:?}");
    assert!(used.bytes_max < MEMORY, "takes {} bytes", used.bytes_max);
    message
}

fn assert_refused(model: &Model, part: &str) {
    let message = refusal(model).expect("the model is refused");
    assert!(message.contains(part) && !message.contains("please report"), "{message}");
}

#[test]
fn a_huge_image_is_refused() {
    let image = Tensor::int8(&[1, 30_000, 30_000, 1]);
    let relu = Model::single(vec![image.clone(), image], Operator::new(RELU, &[0], 1));
    assert_refused(&relu, "bytes of RAM");
}

#[test]
fn endless_work_is_refused() {
    let image = Tensor::int8(&[1, 400, 400, 128]);
    let filter = Tensor::filter(&[128, 15, 15, 128], 0);
    let mut conv = Operator::new(CONV_2D, &[0, 1], 2);
    conv.options_kind = 1;
    conv.options = vec![(1, Value::Int(1)), (2, Value::Int(1))];
    let mut model = Model::single(vec![image.clone(), filter, image], conv);
    model.inputs = vec![0];
    assert_refused(&model, "steps");
}

#[test]
fn endless_phases_are_refused() {
    let (stride, filter) = (30_000, Tensor::filter(&[100, 1, 1, 1], 0));
    let tensors =
        vec![Tensor::int32(&[1, 1, 1, 100]), filter, Tensor::int8(&[1; 4]), Tensor::int8(&[1, 1, 1, 100])];
    let mut transposed = Operator::new(TRANSPOSE_CONV, &[0, 1, 2], 3);
    transposed.options_kind = 49;
    transposed.options = vec![(1, Value::Int(stride)), (2, Value::Int(stride))];
    let mut model = Model::single(tensors, transposed);
    model.inputs = vec![2];
    assert_refused(&model, "stride");
}

/// `count` activations of one tensor, all of them outputs.
fn wide(count: i32) -> Model {
    Model {
        tensors: vec![Tensor::int8(&[8]); count as usize + 1],
        operators: (1..=count).map(|output| Operator::new(RELU, &[0], output)).collect(),
        inputs: vec![0],
        outputs: (1..=count).collect(),
        ..Model::default()
    }
}

#[test]
fn very_many_tensors_alive_at_once_are_refused() {
    assert_eq!(refusal(&wide(1000)), None);
    for count in [3000, 30_000] {
        assert_refused(&wide(count), "alive");
    }
}

/// `count` activations, one after another.
fn deep(count: i32) -> Model {
    Model {
        tensors: vec![Tensor::int8(&[8]); count as usize + 1],
        operators: (1..=count).map(|output| Operator::new(RELU, &[output - 1], output)).collect(),
        inputs: vec![0],
        outputs: vec![count],
        ..Model::default()
    }
}

#[test]
fn deep_models_are_planned_in_time() {
    assert_eq!(refusal(&deep(30_000)), None);
    assert_refused(&deep(66_000), "at most 65535");
}

#[test]
fn tangled_models_are_planned_in_time() {
    let mut random = fastrand::Rng::with_seed(1);
    let count = 3000;
    // Sums of two earlier tensors each, all of which a later one depends on.
    let sum = |output: i32| Operator::new(ADD, &[random.i32(0..output), output - 1], output);
    let operators = (1..=count).map(sum).collect();
    let tensors = vec![Tensor::int8(&[8]); count as usize + 1];
    let message =
        refusal(&Model { tensors, operators, inputs: vec![0], outputs: vec![count], ..Model::default() });
    assert!(message.is_none_or(|message| message.contains("alive")));
}

#[test]
fn one_filter_read_by_very_many_layers_is_refused() {
    let filter = Tensor::filter(&[64, 1, 1, 8000], 0);
    let mut tensors = vec![Tensor::int8(&[1, 1, 1, 8000]), filter];
    let mut operators = Vec::new();
    for output in 2..4000 {
        tensors.push(Tensor::int8(&[1, 1, 1, 64]));
        let mut conv = Operator::new(CONV_2D, &[0, 1], output);
        conv.options_kind = 1;
        conv.options = vec![(1, Value::Int(1)), (2, Value::Int(1))];
        operators.push(conv);
    }
    let outputs = (2..4000).collect();
    let model = Model { tensors, operators, inputs: vec![0], outputs, ..Model::default() };
    assert_refused(&model, "1 node cannot be executed");
    assert_refused(&model, "bytes of weights");
}

#[test]
fn an_activation_of_a_constant_is_refused() {
    let tensors = vec![
        Tensor::int8(&[2]).with_data(&[1, 2]),
        Tensor::int8(&[2]),
        Tensor::int8(&[2]),
        Tensor::int8(&[2]),
    ];
    let operators = vec![Operator::new(RELU, &[0], 2), Operator::new(ADD, &[1, 2], 3)];
    let model = Model { tensors, operators, inputs: vec![1], outputs: vec![3], ..Model::default() };
    assert_refused(&model, "its input is a constant");
}
