//! Weights of 4 bits and 1 bit on the example DS-CNN, and the search for the smallest network.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use secateur_converter::calibrate::Sample;
use secateur_converter::ir::{Float, Graph};
use secateur_converter::pipeline::Options;
use secateur_converter::quantize::{Prepared, Recipe, Width};
use secateur_converter::search::{Meter, SearchError, smallest};
use secateur_tests::workspace;
use xtask::skip;
use xtask::workspace::fashion_mnist;

use crate::fashion::{labelled_training_images, test_images};
use crate::measure::float_model;

/// Training images that the network is calibrated on.
const CALIBRATION: usize = 512;

/// Training images that layers are measured on, none of them calibrated on.
const SEARCH: usize = 1000;

/// Of these, how many each layer is measured on alone.
const SCAN: usize = 250;

/// The network, what to calibrate it on, and images with classes: of the training set to search on, of the test set to
/// judge by.
struct Fashion {
    graph: Graph<Float>,
    calibration: Vec<Sample>,
    search: (Vec<Sample>, Vec<usize>),
    test: (Vec<Sample>, Vec<usize>),
}

impl Fashion {
    /// Everything, or nothing where data are missing, which is noted for the test of that name.
    fn read(test: &str) -> Result<Option<Self>> {
        if fashion_mnist().is_none() {
            skip::without_dataset(test, "Fashion-MNIST is not installed");
            return Ok(None);
        }
        let (mut calibration, mut labels) = labelled_training_images(CALIBRATION + SEARCH)?;
        let search = (calibration.split_off(CALIBRATION), labels.split_off(CALIBRATION));
        let graph = float_model(&workspace().join("tests/golden/fashion_dscnn/fashion_dscnn_float.tflite"))?;
        Ok(Some(Self { graph, calibration, search, test: test_images(10_000)? }))
    }

    fn prepared(&self, recipe: &Recipe) -> Result<Prepared<'_>> {
        Ok(Prepared::new(self.graph.clone(), &self.calibration, recipe, &|_| ())?)
    }

    fn meter<'a>(&self, (samples, labels): &'a (Vec<Sample>, Vec<usize>)) -> Result<Meter<'a>> {
        Ok(Meter::new(&self.graph, samples, Some(labels), Options::default(), || ())?)
    }
}

/// Weights of few bits everywhere but in the first and the last layer.
fn narrow(weights: Width) -> Recipe {
    Recipe { weights, keep: Recipe::keep_from("first,last"), adaptive_rounding: true, ..Recipe::default() }
}

#[test]
fn narrow_weights_keep_the_accuracy_of_the_example_on_all_test_images() -> Result<()> {
    let test = "narrow_weights_keep_the_accuracy_of_the_example_on_all_test_images";
    let Some(fashion) = Fashion::read(test)? else { return Ok(()) };
    let start = Instant::now();
    let all = fashion.meter(&fashion.test)?;
    eprintln!(
        "float {:.2} % ({:.0} s)",
        100.0 * all.float_accuracy().unwrap_or(0.0),
        start.elapsed().as_secs_f32()
    );
    let judge = |name: &str, recipe: &Recipe, most: f64| -> Result<()> {
        let (graph, report) = fashion.prepared(recipe)?.quantize(recipe, &|_| ())?;
        let found = all.measure(graph)?;
        let drop = found.drop.context("no labels")?;
        eprintln!(
            "{name}: {drop:.2} points below float, {:.1} dB, {} bytes of weights ({:.0} s)",
            found.sqnr_db,
            report.weight_bytes(),
            start.elapsed().as_secs_f32()
        );
        ensure!(drop <= most, "{name}: {drop:.2} points below float, {most} allowed");
        Ok(())
    };
    judge("int8", &Recipe::default(), 0.3)?;
    judge("int4", &narrow(Width::Int4), 1.5)?;
    let recipe = Recipe { adaptive_rounding: true, ..Recipe::default() };
    let prepared = fashion.prepared(&recipe)?;
    let meter = fashion.meter(&fashion.search)?;
    let found = smallest(&prepared, &recipe, &meter, 2.0, SCAN, &mut |_| ())?;
    eprintln!("searched {} combinations ({:.0} s)", found.steps.len(), start.elapsed().as_secs_f32());
    let binary = found.recipe.layer.values().filter(|layer| layer.weights == Some(Width::OneBit)).count();
    ensure!(binary > 0, "no layer has 1-bit weights: {}", found.recipe.to_toml());
    judge(&format!("{binary} layers of 1 bit"), &found.recipe, 3.0)
}

#[test]
fn a_loss_that_int8_exceeds_is_refused() -> Result<()> {
    let Some(fashion) = Fashion::read("a_loss_that_int8_exceeds_is_refused")? else { return Ok(()) };
    let recipe = Recipe::default();
    let prepared = fashion.prepared(&recipe)?;
    let meter = fashion.meter(&fashion.search)?.subset(50);
    let error = smallest(&prepared, &recipe, &meter, -101.0, 10, &mut |_| ()).map(|found| found.recipe);
    ensure!(matches!(error, Err(SearchError::OutOfReach { .. })), "{error:?}");
    Ok(())
}
