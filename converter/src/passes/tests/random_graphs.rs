//! What all passes on float graphs promise, on random graphs.

use std::collections::BTreeMap;

use super::super::push_transposes::TurnedInput;
use super::super::{Changed, MOST_REPETITIONS, Report, float};
use super::generator;
use crate::float::Executor;
use crate::ir::check::check;
use crate::ir::{Float, Graph, Op};

const GRAPHS: u64 = 400;

/// Outputs may differ by so much of the greatest value.
const TOLERANCE: f32 = 1e-4;

#[test]
fn results_stay_and_every_pass_has_something_to_do() {
    let mut rewrites: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turned = 0;
    for seed in 0..GRAPHS {
        let report = normalize(seed);
        for (pass, count) in report.rewrites {
            *rewrites.entry(pass).or_default() += count;
        }
        *rewrites.entry("remove_dead").or_default() += report.dead_nodes;
        turned += report.turned_inputs.len();
    }
    for pass in float() {
        assert!(rewrites.get(pass.name()).is_some_and(|&count| count > 20), "{}: {rewrites:?}", pass.name());
    }
    assert!(turned > 20, "{turned}");
}

/// Runs the passes on one graph until they change nothing, and its outputs after each.
fn normalize(seed: u64) -> Report {
    let mut graph = generator::graph(seed);
    assert_eq!(check(&graph), Ok(()), "{graph}");
    let mut inputs = generator::inputs(&graph, seed);
    let expected = outputs(&graph, &inputs);
    let mut report = Report::default();
    for round in 0..=MOST_REPETITIONS {
        assert!(round < MOST_REPETITIONS, "seed {seed} does not settle: {graph}");
        let mut any = Changed::No;
        for pass in float() {
            let before = graph.clone();
            let turned = report.turned_inputs.len();
            if pass.run(&mut graph, &mut report).unwrap() == Changed::No {
                assert_eq!(graph, before, "seed {seed}, {}", pass.name());
                continue;
            }
            any = Changed::Yes;
            report.turned_inputs[turned..].iter().for_each(|input| turn(&mut inputs[0], input));
            let place = || format!("seed {seed}, {}\n{before}\n{graph}", pass.name());
            assert_eq!(check(&graph), Ok(()), "{}", place());
            let found = outputs(&graph, &inputs);
            let same = expected.iter().zip(&found).all(|(expected, found)| is_close(expected, found));
            assert!(same && expected.len() == found.len(), "{}\n{expected:?}\n{found:?}", place());
        }
        if any == Changed::No {
            break;
        }
    }
    let normal = graph.nodes().iter().all(|node| !matches!(node.op, Op::BatchNormalization(_)));
    assert!(normal, "seed {seed}: {graph}");
    report
}

fn outputs(graph: &Graph<Float>, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let executor = Executor::new(graph).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    executor.run(inputs).unwrap_or_else(|error| panic!("{error}\n{graph}"))
}

fn is_close(expected: &[f32], found: &[f32]) -> bool {
    let most = expected.iter().fold(1e-3f32, |most, value| most.max(value.abs()));
    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * most;
    expected.len() == found.len() && expected.iter().zip(found).all(close)
}

/// Brings an input's values into the order of its new axes.
fn turn(values: &mut Vec<f32>, input: &TurnedInput) {
    let transpose = crate::ir::attributes::Transpose { permutation: input.permutation.clone() };
    let tensor = crate::ir::Tensor::constant_f32("", input.before.clone(), values);
    let turned = crate::float::evaluate(&Op::Transpose(transpose), &[Some(&tensor)]);
    *values = turned.and_then(|tensors| tensors.first()?.f32_values()).unwrap();
}
