use super::super::layers::layers;
use super::super::weights::quantize_weights;
use super::*;
use crate::arithmetic::Affine;
use crate::float::Executor;
use crate::ir::{Tensor, text};

/// A convolution, a depthwise one and a fully connected layer.
fn network(source: &mut fastrand::Rng) -> Graph<Float> {
    let mut numbers = |count: usize| {
        let numbers: Vec<f32> = (0..count).map(|_| (0..4).map(|_| source.f32() - 0.5).sum()).collect();
        format!("{numbers:?}")
    };
    let (first, second, third, bias) = (numbers(6 * 9 * 2), numbers(9 * 6), numbers(5 * 96), numbers(6));
    let text = format!(
        r#"graph "g" float
%0 "x" f32[1,6,6,2]
%1 "w" f32[6,3,3,2] = {first}
%2 "b" f32[6] = {bias}
%3 "y" f32[1,4,4,6]
%4 "v" f32[1,3,3,6] = {second}
%5 "z" f32[1,4,4,6]
%6 "u" f32[5,96] = {third}
%7 "o" f32[1,5]
inputs %0
outputs %7
node "conv" Conv2d(%0, %1, %2) -> %3 activation="Relu" dilation=[1,1] groups=1 stride=[1,1]
node "depthwise" DepthwiseConv2d(%3, %4, _) -> %5 activation="Relu" dilation=[1,1] multiplier=1 padding=[1,1,1,1] stride=[1,1]
node "fully" FullyConnected(%5, %6, _) -> %7 keep_dims=false
"#
    );
    text::parse(&text).unwrap()
}

/// Inputs whose neighbours are alike, as in pictures.
fn samples(count: usize, source: &mut fastrand::Rng) -> Vec<Sample> {
    let sample = |_| {
        let (level, slope) = (source.f32(), source.f32() - 0.5);
        vec![(0..72).map(|index| level + slope * (index / 12) as f32 + 0.2 * source.f32()).collect()]
    };
    (0..count).map(sample).collect()
}

fn tasks(graph: &Graph<Float>, width: Width, has_free_bias: bool) -> Vec<Task> {
    let task = |layer: Layer| {
        let filter = &graph[layer.filter];
        let width = if layer.supports(width) { width } else { Width::Int4 };
        let nearest = quantize_weights(&filter.f32_values().unwrap(), &filter.shape, layer.axis, width, &[]);
        let bias = graph.input_of(&graph[layer.node], 2).and_then(Tensor::f32_values);
        Task { layer, nearest, bias, least: Vec::new(), has_free_bias }
    };
    layers(graph).into_iter().map(task).collect()
}

/// Mean square of the difference of the outputs when layers have other weights and biases.
fn error(graph: &Graph<Float>, layers: &[Rounded], samples: &[Sample]) -> f64 {
    let mut other = graph.clone();
    for (layer, rounded) in super::super::layers::layers(graph).iter().zip(layers) {
        let filter = Tensor::constant_f32("f", rounded.weights.shape.clone(), &rounded.weights.dequantized());
        let filter = other.add_tensor(filter);
        let bias =
            rounded.bias.as_ref().map(|bias| other.add_tensor(Tensor::constant_f32("b", [bias.len()], bias)));
        let inputs = &mut other.node_mut(layer.node).inputs;
        *inputs = vec![inputs[0], Some(filter), bias];
    }
    let run = |graph: &Graph<Float>| Executor::new(graph).unwrap().run_batch(samples, || ()).unwrap();
    let (expected, found) = (run(graph), run(&other));
    let pairs = expected.iter().flatten().flatten().zip(found.iter().flatten().flatten());
    pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
}

fn nearest(tasks: Vec<Task>) -> Vec<Rounded> {
    tasks.into_iter().map(|task| Rounded { weights: task.nearest, bias: task.bias }).collect()
}

#[test]
fn outputs_come_nearer_than_with_the_nearest_weights_on_new_samples_too() {
    for (width, share) in [(Width::Int4, 0.6), (Width::OneBit, 0.6)] {
        let (mut plain, mut found) = (0.0, 0.0);
        for seed in 0..4 {
            let mut source = fastrand::Rng::with_seed(seed);
            let graph = network(&mut source);
            let (calibration, test) = (samples(64, &mut source), samples(64, &mut source));
            plain += error(&graph, &nearest(tasks(&graph, width, true)), &test);
            let rounded = round_layers(&graph, &[], tasks(&graph, width, true), &calibration, || ()).unwrap();
            found += error(&graph, &rounded, &test);
        }
        assert!(found < share * plain, "{width}: {found}, nearest {plain}");
    }
}

#[test]
fn threads_do_not_matter() {
    let mut source = fastrand::Rng::with_seed(9);
    let graph = network(&mut source);
    let samples = samples(40, &mut source);
    let affine = Affine { scale: 0.05, zero_point: -128 };
    let forms = vec![Form::Int8(affine); graph.tensors().len()];
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            round_layers(&graph, &forms, tasks(&graph, Width::Int4, true), &samples, || ()).unwrap()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn biases_stay_where_they_may_not_change() {
    let mut source = fastrand::Rng::with_seed(10);
    let graph = network(&mut source);
    let samples = samples(16, &mut source);
    let tasks = || tasks(&graph, Width::Int4, false);
    let rounded = round_layers(&graph, &[], tasks(), &samples, || ()).unwrap();
    let biases = |layers: &[Rounded]| layers.iter().map(|layer| layer.bias.clone()).collect::<Vec<_>>();
    assert_eq!(biases(&rounded), biases(&nearest(tasks())));
}

#[test]
fn samples_that_do_not_fit_are_refused() {
    let graph = network(&mut fastrand::Rng::with_seed(11));
    let short = [vec![vec![0.0; 71]]];
    assert!(round_layers(&graph, &[], tasks(&graph, Width::Int4, true), &short, || ()).is_err());
}
