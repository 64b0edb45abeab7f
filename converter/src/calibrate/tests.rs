use super::*;
use crate::ir::text;

impl Observed {
    /// What samples of these values show.
    pub(super) fn of(samples: &[&[f32]]) -> Self {
        let extremes = |values: &&[f32]| {
            let range = |(low, high): (f32, f32), &v: &f32| (low.min(v), high.max(v));
            let (low, high) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), range);
            Range::new(low, high)
        };
        Observed { extremes: samples.iter().map(extremes).collect(), histogram: None }
    }

    /// The same with the values counted.
    pub(super) fn with_histogram(mut self, samples: &[&[f32]]) -> Self {
        let mut histogram = Histogram::new(min_max::range(&self));
        samples.iter().for_each(|values| histogram.add(values));
        self.histogram = Some(histogram);
        self
    }
}

const NETWORK: &str = r#"graph "g" float
%0 "x" f32[1,4]
%1 "w" f32[2,4] = [1.0,0.0,0.0,0.0,0.0,-2.0,0.0,0.0]
%2 "y" f32[1,2]
%3 "z" f32[1,2]
inputs %0
outputs %3
node "fc" FullyConnected(%0, %1, _) -> %2 keep_dims=false
node "log" Log(%2) -> %3
"#;

fn network() -> Graph<Float> {
    text::parse(NETWORK).unwrap()
}

fn samples(count: usize) -> Vec<Sample> {
    let mut random = fastrand::Rng::with_seed(7);
    (0..count)
        .map(|_| {
            vec![(0..4).map(|i| if i == 1 { -random.f32() - 0.1 } else { random.f32() + 0.1 }).collect()]
        })
        .collect()
}

#[test]
fn ranges_are_those_of_the_tensors() {
    let samples = vec![vec![vec![1.0, -1.0, 5.0, -7.0]], vec![vec![2.0, -0.5, 0.0, 0.0]]];
    let graph = network();
    let ranges = calibrate(&graph, &samples, Observer::MinMax, &|| ()).unwrap();
    let of = |index: usize| graph.tensor_ids().nth(index).and_then(|id| ranges.get(id));
    assert_eq!(of(0), Some(Range::new(-7.0, 5.0)));
    assert_eq!(of(1), None);
    assert_eq!(of(2), Some(Range::new(0.0, 2.0)));
    assert_eq!(of(3), Some(Range::new(0.0, std::f32::consts::LN_2)));
}

#[test]
fn values_that_are_not_finite_are_named() {
    let samples = vec![vec![vec![1.0, -1.0, 0.0, 0.0]], vec![vec![-1.0, 1.0, 0.0, 0.0]]];
    let error = calibrate(&network(), &samples, Observer::MinMax, &|| ()).unwrap_err();
    let CalibrateError::NotFinite { tensor, sample, .. } = error else { panic!("{error}") };
    assert_eq!((tensor.as_str(), sample), ("z", 1));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (graph, samples) = (network(), samples(57));
    for observer in Observer::ALL {
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let ids: Vec<TensorId> = graph.tensor_ids().collect();
            pool.install(|| {
                let ranges = calibrate(&graph, &samples, observer, &|| ()).unwrap();
                (ranges, means(&graph, &samples, &ids[..1], &|| ()).unwrap())
            })
        };
        assert_eq!(with(1), with(3), "{observer}");
    }
}

#[test]
fn nothing_to_calibrate_with_is_an_error() {
    assert!(matches!(calibrate(&network(), &[], Observer::MinMax, &|| ()), Err(CalibrateError::NoSamples)));
}
