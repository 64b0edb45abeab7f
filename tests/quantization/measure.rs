//! Running both sides on the same samples.

use std::path::Path;

use anyhow::{Context, Result, bail};
use secateur::{Model, kernels};
use secateur_converter::calibrate::Sample;
use secateur_converter::execute;
use secateur_converter::facts::Facts;
use secateur_converter::feed::{Feed, Given, Pixels, feed};
use secateur_converter::float::Executor;
use secateur_converter::import::{Imported, tflite};
use secateur_converter::io::input::Input;
use secateur_converter::io::{Array, Elements};
use secateur_converter::ir::{Float, Graph, Quantized};
use secateur_converter::layer_error::real_outputs;
use secateur_converter::model_file::ModelFile;
use secateur_converter::pipeline::{self, Options};
use secateur_converter::port;
use secateur_converter::quantize::{Recipe, Report, post_training};

/// A `.tflite` file of real numbers.
pub(crate) fn float_model(path: &Path) -> Result<Graph<Float>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    match tflite::import(&bytes)? {
        Imported::Float(graph) | Imported::Hybrid(graph) => Ok(graph),
        Imported::Quantized(_) => bail!("{}: not a float model", path.display()),
    }
}

/// The file that a recipe makes of a network.
pub(crate) fn quantized(
    graph: &Graph<Float>,
    samples: &[Sample],
    recipe: &Recipe,
) -> Result<(ModelFile, Report)> {
    let (graph, report) = post_training(graph.clone(), samples, recipe, &|_| ())?;
    Ok((file(graph)?, report))
}

/// The file of a quantized graph.
pub(crate) fn file(graph: Graph<Quantized>) -> Result<ModelFile> {
    Ok(pipeline::convert_graph(graph, &Options::default())?.file)
}

/// The first output of a network of real numbers, sample by sample.
pub(crate) fn float_outputs(graph: &Graph<Float>, samples: &[Sample]) -> Result<Vec<Vec<f64>>> {
    let outputs = Executor::new(graph)?.run_batch(samples, || ())?;
    let first = |outputs: Vec<Vec<f32>>| {
        outputs.into_iter().next().unwrap_or_default().into_iter().map(f64::from).collect()
    };
    Ok(outputs.into_iter().map(first).collect())
}

/// The first output of a file, in real numbers, sample by sample. Inputs are quantized as the file says.
pub(crate) fn file_outputs(file: &ModelFile, samples: &[Sample]) -> Result<Vec<Vec<f64>>> {
    let model = Model::load(file.bytes(), &kernels::ALL)?;
    let facts = Facts::of(model.tables());
    let inputs = port::inputs(&model, &facts);
    let given = |index: usize| {
        let elements = samples.iter().flat_map(|sample| sample[index].iter().copied());
        let shape: Vec<usize> =
            std::iter::once(samples.len()).chain(inputs[index].shape.iter().map(|&d| d as usize)).collect();
        let input = Input::Array(Array { shape, elements: Elements::F32(elements.collect()) });
        Given { name: None, origin: "samples".to_owned(), input }
    };
    let Feed { bytes, .. } = feed(&inputs, (0..inputs.len()).map(given).collect(), &Pixels::default())?;
    let outputs = execute::run_batch(&model, &bytes, || ())?;
    let ports = port::outputs(&model, &facts);
    let first = real_outputs(&ports, &outputs).into_iter().next().context("no output")?;
    Ok(first.chunks(first.len() / samples.len()).map(<[f64]>::to_vec).collect())
}

/// Signal-to-error ratio of one vector in decibels, at most 100.
pub(crate) fn sqnr(reference: &[f64], found: &[f64]) -> f64 {
    let signal: f64 = reference.iter().map(|x| x * x).sum();
    let error: f64 = reference.iter().zip(found).map(|(a, b)| (a - b).powi(2)).sum();
    (10.0 * (signal / error).log10()).min(100.0)
}

/// Mean of [`sqnr`] over vectors.
pub(crate) fn mean_sqnr(reference: &[Vec<f64>], found: &[Vec<f64>]) -> f64 {
    let sum: f64 = reference.iter().zip(found).map(|(a, b)| sqnr(a, b)).sum();
    sum / reference.len() as f64
}
