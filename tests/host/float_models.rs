//! Float models, run on the host as they are, equal TensorFlow Lite's reference kernels within float rounding.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use secateur_converter::float::{Executor, Sample};
use secateur_converter::import::{Imported, tflite};
use secateur_converter::ir::{Float, Graph};
use secateur_tests::{golden, shared_data, skipped};
use xtask::workspace;

/// A model and how far its outputs may be from the golden ones, relative to the greatest golden one.
const MODELS: [(&str, f32); 5] = [
    ("hello_world_float", 1e-5),
    ("ad01_fp32", 1e-5),
    ("vww_96_float", 1e-5),
    ("pretrainedResnet", 1e-5),
    // Its own runtime rounds what flows into the layers with integer weights.
    ("kws_ref_model_float32", 2e-2),
];

fn import(path: &Path) -> Result<Graph<Float>> {
    match tflite::import(&std::fs::read(path)?)? {
        Imported::Float(graph) | Imported::Hybrid(graph) => Ok(graph),
        Imported::Quantized(_) => bail!("{} is quantized", path.display()),
    }
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// The samples of a graph with one input.
fn samples(graph: &Graph<Float>, values: &[f32]) -> Result<Vec<Sample>> {
    let length = graph[graph.inputs()[0]].shape.elements().context("unacceptable size")?;
    Ok(values.chunks_exact(length).map(|values| vec![values.to_vec()]).collect())
}

fn check_near(found: &[f32], expected: &[f32], tolerance: f32) -> Result<()> {
    ensure!(found.len() == expected.len(), "{} values, {} are expected", found.len(), expected.len());
    let scale = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let errors = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs() / scale);
    let worst = errors.fold(0.0, f32::max);
    ensure!(worst <= tolerance, "differs by {worst} of the greatest value");
    Ok(())
}

fn check(graph: &Graph<Float>, inputs: &[f32], expected: &[f32], tolerance: f32) -> Result<()> {
    let executor = Executor::new(graph)?;
    let samples = samples(graph, inputs)?;
    let outputs = executor.run_batch(&samples, || ())?;
    check_near(&outputs.iter().flatten().flatten().copied().collect::<Vec<_>>(), expected, tolerance)?;
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let again: Vec<_> = pool.install(|| samples.iter().map(|sample| executor.run(sample)).collect());
        for (again, first) in again.into_iter().zip(&outputs) {
            ensure!(again? == *first, "{threads} threads give another result");
        }
    }
    Ok(())
}

#[test]
fn published_float_models_equal_tensorflow_lite() -> Result<()> {
    let Some(data) = shared_data() else {
        skipped("published_float_models_equal_tensorflow_lite", "no shared data");
        return Ok(());
    };
    for (name, tolerance) in MODELS {
        let golden = golden::model(&data, name)?;
        let graph = import(&golden.model)?;
        check(&graph, &floats(&golden.inputs), &floats(&golden.outputs), tolerance)
            .with_context(|| name.to_owned())?;
    }
    Ok(())
}

#[test]
fn own_float_model_equals_what_it_was_trained_with() -> Result<()> {
    let folder = workspace::root().join("tests/golden/fashion_dscnn");
    let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| name.to_owned());
    let graph = import(&folder.join("fashion_dscnn_float.tflite"))?;
    check(&graph, &floats(&read("inputs_float.bin")?), &floats(&read("outputs_float.bin")?), 1e-5)
}
