use super::*;
use crate::float::{Executor, Sample};
use crate::ir::{Float, Graph, text};
use crate::pipeline::Options;
use crate::quantize::{Prepared, Recipe, Width};

/// Two fully connected layers with a convolution before them.
fn network() -> Graph<Float> {
    let mut source = fastrand::Rng::with_seed(1);
    let mut numbers = |count: usize| {
        let numbers: Vec<f32> = (0..count).map(|_| (0..4).map(|_| source.f32() - 0.5).sum()).collect();
        format!("{numbers:?}")
    };
    let (first, second, third) = (numbers(8 * 9 * 2), numbers(12 * 128), numbers(4 * 12));
    let text = format!(
        r#"graph "g" float
%0 "x" f32[1,6,6,2]
%1 "w" f32[8,3,3,2] = {first}
%2 "y" f32[1,4,4,8]
%3 "v" f32[12,128] = {second}
%4 "z" f32[1,12]
%5 "u" f32[4,12] = {third}
%6 "o" f32[1,4]
inputs %0
outputs %6
node "conv" Conv2d(%0, %1, _) -> %2 activation="Relu" dilation=[1,1] groups=1 stride=[1,1]
node "middle" FullyConnected(%2, %3, _) -> %4 activation="Relu" keep_dims=false
node "last" FullyConnected(%4, %5, _) -> %6 keep_dims=false
"#
    );
    text::parse(&text).unwrap()
}

/// Samples and the classes that the network itself finds.
fn samples(graph: &Graph<Float>, count: usize) -> (Vec<Sample>, Vec<usize>) {
    let mut source = fastrand::Rng::with_seed(2);
    let samples: Vec<Sample> = (0..count).map(|_| vec![(0..72).map(|_| source.f32()).collect()]).collect();
    let outputs = Executor::new(graph).unwrap().run_batch(&samples, || ()).unwrap();
    let class = |scores: &Vec<f32>| (0..4).rev().max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    let labels = outputs.iter().map(|outputs| class(&outputs[0])).collect();
    (samples, labels)
}

fn adaptive() -> Recipe {
    Recipe { adaptive_rounding: true, ..Recipe::default() }
}

/// What is found within a loss, with the meter's own samples to calibrate on.
fn find(recipe: &Recipe, max_drop: f64) -> Result<Smallest, SearchError> {
    let graph = network();
    let (samples, labels) = samples(&graph, 96);
    let prepared = Prepared::new(graph.clone(), &samples, recipe, &|_| ())?;
    let meter = Meter::new(&graph, &samples, Some(&labels), Options::default(), || ())?;
    smallest(&prepared, recipe, &meter, max_drop, 48, &mut |_| ())
}

#[test]
fn a_scan_has_every_layer_at_every_width() {
    let graph = network();
    let (samples, _) = samples(&graph, 32);
    let prepared = Prepared::new(graph.clone(), &samples, &adaptive(), &|_| ()).unwrap();
    let meter = Meter::new(&graph, &samples, None, Options::default(), || ()).unwrap();
    let mut told = Vec::new();
    let scan = scan(&prepared, &adaptive(), &meter, &mut |progress| told.push(progress.done)).unwrap();
    assert_eq!(told, (1..=7).collect::<Vec<_>>());
    let found: Vec<_> =
        scan.layers.iter().map(|layer| (layer.layer.as_str(), layer.weights, layer.bytes_saved)).collect();
    assert_eq!(
        found,
        [
            ("conv", Width::Int4, 72),
            ("conv", Width::OneBit, 126),
            ("middle", Width::Int4, 768),
            ("middle", Width::OneBit, 1344),
            ("last", Width::Int4, 24),
            ("last", Width::OneBit, 42),
        ]
    );
    assert_eq!((scan.int8_bytes, scan.int8.accuracy, scan.float_accuracy), (144 + 1536 + 48, None, None));
    for pair in scan.layers.chunks(2) {
        assert!(scan.int8.sqnr_db > pair[0].measurement.sqnr_db);
        assert!(pair[0].measurement.sqnr_db > pair[1].measurement.sqnr_db);
    }
}

#[test]
fn what_is_found_is_within_the_loss_and_grows_smaller_with_it() {
    let mut bytes = usize::MAX;
    for max_drop in [2.0, 6.0, 20.0, 100.0] {
        let found = find(&adaptive(), max_drop).unwrap();
        assert!(found.measurement.drop.unwrap() <= max_drop);
        assert!(found.weight_bytes <= bytes);
        let smaller = found.steps.iter().filter(|step| step.weight_bytes < found.weight_bytes);
        assert!(smaller.into_iter().all(|step| !step.is_within));
        bytes = found.weight_bytes;
    }
    assert_eq!(bytes, (144 + 1536 + 48) / 8);
}

#[test]
fn layers_that_the_recipe_decides_on_stay_as_they_are() {
    let mut recipe = Recipe { keep: Recipe::keep_from("last"), ..adaptive() };
    sensitivity::set_width(&mut recipe, "conv", Width::Int4);
    let found = find(&recipe, 100.0).unwrap();
    let width = |layer: &str| found.recipe.layer[layer].weights;
    assert_eq!(
        (width("conv"), width("middle"), width("last")),
        (Some(Width::Int4), Some(Width::OneBit), Some(Width::Int8))
    );
    assert_eq!(found.weight_bytes, 72 + 192 + 48);
}

#[test]
fn the_impossible_is_refused() {
    let error = find(&adaptive(), -1.0).unwrap_err();
    assert!(matches!(error, SearchError::OutOfReach { allowed: -1.0, .. }), "{error}");
    let graph = network();
    let (samples, labels) = samples(&graph, 12);
    let prepared = Prepared::new(graph.clone(), &samples, &adaptive(), &|_| ()).unwrap();
    let meter = |labels: Option<&[usize]>| Meter::new(&graph, &samples, labels, Options::default(), || ());
    let error = smallest(&prepared, &adaptive(), &meter(None).unwrap(), 1.0, 12, &mut |_| ());
    assert!(matches!(error, Err(SearchError::NoLabels)));
    assert!(matches!(meter(Some(&labels[1..])), Err(SearchError::Labels { samples: 12, labels: 11 })));
    let none = Meter::new(&graph, &[], None, Options::default(), || ());
    assert!(matches!(none, Err(SearchError::NoSamples)));
}
