use fastrand::Rng;

use super::naive::{self, Array};
use super::random::{self, Case};
use crate::float::{evaluate, evaluate_as};
use crate::ir::attributes::*;
use crate::ir::{DType, Op, Quantization, Tensor};

fn real(tensor: &Tensor) -> Vec<f64> {
    match tensor.f32_values() {
        Some(values) => values.into_iter().map(f64::from).collect(),
        None => tensor.integer_values().unwrap().into_iter().map(|value| value as f64).collect(),
    }
}

/// Random operators equal their definitions.
fn check(cases: usize, case: impl Fn(&mut Rng) -> Case) {
    for seed in 0..cases as u64 {
        let case = case(&mut Rng::with_seed(seed));
        let inputs: Vec<Option<&Tensor>> = case.inputs.iter().map(Some).collect();
        let outputs = evaluate(&case.op, &inputs).unwrap_or_else(|| panic!("seed {seed}: {:?}", case.op));
        let arrays: Vec<Array> = case
            .inputs
            .iter()
            .map(|input| Array { shape: input.shape.to_vec(), values: real(input) })
            .collect();
        for (index, output) in outputs.iter().enumerate() {
            let expected = naive::values(&case.op, &arrays, index, &output.shape);
            let found = real(output);
            assert_eq!(found.len(), expected.len());
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let near = (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
                assert!(near, "seed {seed}, element {at}: {found}, not {expected}: {:?} {inputs:?}", case.op);
            }
        }
    }
}

#[test]
fn convolutions_equal_their_definition() {
    check(200, random::conv2d);
}

#[test]
fn depthwise_convolutions_equal_their_definition() {
    check(200, random::depthwise_conv2d);
}

#[test]
fn transposed_convolutions_equal_their_definition() {
    check(200, random::transpose_conv2d);
}

#[test]
fn fully_connected_layers_equal_their_definition() {
    check(200, random::fully_connected);
}

#[test]
fn pools_equal_their_definition() {
    check(200, random::pool2d);
}

#[test]
fn arithmetic_equals_its_definition() {
    check(500, random::binary);
}

#[test]
fn channelwise_operators_equal_their_definition() {
    check(200, random::channelwise);
}

#[test]
fn functions_equal_their_definition() {
    check(500, random::unary);
}

#[test]
fn softmaxes_equal_their_definition() {
    check(200, random::softmax);
}

#[test]
fn reductions_equal_their_definition() {
    check(500, random::reduce);
}

#[test]
fn moves_equal_their_definition() {
    check(1000, random::layout);
}

#[test]
fn resizes_equal_their_definition() {
    check(500, random::resize);
}

fn one(op: &Op, inputs: &[&Tensor]) -> Tensor {
    let inputs: Vec<_> = inputs.iter().map(|&input| Some(input)).collect();
    evaluate(op, &inputs).unwrap().remove(0)
}

#[test]
fn large_numbers_do_not_overflow_a_softmax() {
    let input = Tensor::constant_f32("", [3], &[1000.0, 999.0, -1000.0]);
    let output = one(&Op::Softmax(Softmax { beta: 1.0 }), &[&input]).f32_values().unwrap();
    assert!((output[0] - 0.7310586).abs() < 1e-6 && output[2] == 0.0, "{output:?}");
    let output = one(&Op::LogSoftmax, &[&input]).f32_values().unwrap();
    assert!((output[2] + 2000.3132).abs() < 1e-3, "{output:?}");
}

#[test]
fn the_sign_of_zero_is_positive_and_nan_survives_clamps() {
    let input = Tensor::constant_f32("", [3], &[0.0, -0.0, -1e-30]);
    assert_eq!(one(&Op::Sign, &[&input]).f32_values().unwrap(), [1.0, 1.0, -1.0]);
    let nan = Tensor::constant_f32("", [1], &[f32::NAN]);
    for op in [Op::Relu, Op::Relu6, Op::Clip(Clip { low: 0.0, high: 1.0 }), Op::HardSwish] {
        assert!(one(&op, &[&nan]).f32_values().unwrap()[0].is_nan(), "{}", op.name());
    }
}

#[test]
fn integers_stay_integers() {
    let left = Tensor::constant_i32("", [2], &[i32::MAX, -7]);
    let right = Tensor::constant_i32("", [1], &[2]);
    let arithmetic = Arithmetic::default();
    let values = |op| one(&op, &[&left, &right]).i32_values().unwrap();
    assert_eq!(values(Op::Add(arithmetic.clone())), [i32::MIN + 1, -5]);
    assert_eq!(values(Op::Div(arithmetic.clone())), [i32::MAX / 2, -3]);
    assert_eq!(values(Op::Minimum), [2, -7]);
    let product = one(&Op::ReduceProd(Reduce { axes: vec![0], keep_dims: false }), &[&right]);
    assert_eq!(product.i32_values().unwrap(), [2]);
}

#[test]
fn casts_cut_and_narrow() {
    let real = Tensor::constant_f32("", [4], &[-1.9, 1.9, 300.0, f32::NAN]);
    let cast = |to| one(&Op::Cast(Cast { to }), &[&real]).integer_values().unwrap();
    assert_eq!(cast(DType::I8), [-1, 1, 127, 0]);
    assert_eq!(cast(DType::U8), [0, 1, 255, 0]);
    assert_eq!(cast(DType::Bool), [1, 1, 1, 1]);
    assert_eq!(cast(DType::I64), [-1, 1, 300, 0]);
    let integer = Tensor::constant_i32("", [2], &[300, -1]);
    assert_eq!(one(&Op::Cast(Cast { to: DType::U8 }), &[&integer]).integer_values().unwrap(), [44, 255]);
    assert_eq!(one(&Op::Cast(Cast { to: DType::F32 }), &[&integer]).f32_values().unwrap(), [300.0, -1.0]);
    let half = one(&Op::Cast(Cast { to: DType::F16 }), &[&Tensor::constant_f32("", [1], &[0.1])]);
    assert_eq!(one(&Op::Dequantize, &[&half]).f32_values().unwrap(), [0.099_975_586]);
}

#[test]
fn scales_may_run_along_an_axis() {
    let quantization = Quantization { scales: vec![0.5, 2.0], zero_points: vec![1, -1], axis: 1 };
    let quantized = Tensor::new("", DType::I8, [1, 2, 2]).with_quantization(quantization);
    let input = Tensor::constant_f32("", [1, 2, 2], &[0.5, -100.0, 3.0, 5.0]);
    let output = evaluate_as(&Op::Quantize, &[Some(&input)], &[&quantized]).unwrap().remove(0);
    assert_eq!(output.i8_values().unwrap(), [2, -128, 1, 1]);
    let back = one(&Op::Dequantize, &[&output]).f32_values().unwrap();
    assert_eq!(back, [0.5, -64.5, 4.0, 4.0]);
}

#[test]
fn what_is_not_constant_is_not_evaluated() {
    let variable = Tensor::new("", DType::F32, [1]);
    assert_eq!(evaluate(&Op::Relu, &[Some(&variable)]), None);
    assert_eq!(evaluate(&Op::Relu, &[]), None);
    let unscaled = Tensor::constant_i8("", [1], &[1]);
    assert_eq!(evaluate(&Op::Dequantize, &[Some(&unscaled)]), None);
    let ragged = Tensor::new("", DType::F32, [2]).with_data([0; 4]);
    assert_eq!(evaluate(&Op::Relu, &[Some(&ragged)]), None);
}
