//! Operators on values one by one, and softmax.

use secateur_converter::ir::attributes::{Arithmetic, Softmax};
use secateur_converter::ir::{Activation, Op, Quantization, TensorId};

use super::{Builder, Family, Weights};

/// Families of models.
pub(super) const FAMILIES: &[Family] = &[
    Family::new("arithmetic", Weights::Int8, 60, arithmetic),
    Family::new("arithmetic with repetition", Weights::Int8, 50, arithmetic_repeated),
    Family::new("single values", Weights::Int8, 12, lookup),
    Family::new("softmax", Weights::Int8, 30, softmax),
];

fn arithmetic(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    join_two(b, [shape; 2])
}

fn arithmetic_repeated(b: &mut Builder) -> Option<TensorId> {
    let shape = b.image_shape(64);
    join_two(b, [shape, [1, 1, 1, shape[3]]])
}

fn join_two(b: &mut Builder, shapes: [[usize; 4]; 2]) -> Option<TensorId> {
    let (alike, activation) = (b.chance(5), if b.rng.bool() { Activation::None } else { Activation::Relu });
    let own = Quantization::per_tensor(0.05, -20);
    let other = if alike { own.clone() } else { Quantization::per_tensor(0.031, 7) };
    let output = if alike { own.clone() } else { Quantization::per_tensor(0.07, -128) };
    let inputs = [b.input_of(&shapes[0], own)?, b.input_of(&shapes[1], other)?];
    let arithmetic = || Arithmetic { activation };
    let choices =
        [Op::Add(arithmetic()), Op::Add(arithmetic()), Op::Sub(arithmetic()), Op::Mul(arithmetic())];
    let mut results = Vec::new();
    let maximum_first = b.rng.bool();
    for turn in 0..2 {
        let op = match (alike, turn) {
            (true, turn) if turn == usize::from(maximum_first) => Op::Minimum,
            (true, _) => Op::Maximum,
            (false, _) => b.rng.choice(&choices)?.clone(),
        };
        results.push(b.node(op, &inputs, Some(output.clone()))?);
    }
    b.outputs.push(results[0]);
    Some(results[1])
}

fn lookup(b: &mut Builder) -> Option<TensorId> {
    let input = b.image(64)?;
    b.node(Op::Logistic, &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128)))
}

fn softmax(b: &mut Builder) -> Option<TensorId> {
    let rows = if b.chance(3) { b.size(16) } else { 1 };
    let classes = b.size(100);
    let input = b.input(&[rows, classes])?;
    let softmax = Softmax { beta: 1.0 };
    b.node(Op::Softmax(softmax), &[input], Some(Quantization::per_tensor(1.0 / 256.0, -128)))
}
