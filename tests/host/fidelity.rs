//! A converted model beside the network of real numbers that it was made from.

use anyhow::{Context, Result, bail, ensure};
use secateur::{Model, kernels};
use secateur_converter::fidelity::{self, Cause};
use secateur_converter::float::Sample;
use secateur_converter::import::{Imported, tflite};
use secateur_converter::ir::Op;
use secateur_converter::pipeline::{self, Options};
use xtask::workspace;

/// Both forms of the own example model; their tensors have the same names.
#[test]
fn a_full_int8_model_is_faithful_and_its_errors_have_causes() -> Result<()> {
    let folder = workspace::root().join("tests/golden/fashion_dscnn");
    let read = |name: &str| std::fs::read(folder.join(name)).with_context(|| name.to_owned());
    let Imported::Float(network) = tflite::import(&read("fashion_dscnn_float.tflite")?)? else {
        bail!("not a float model");
    };
    let options = Options { fold: false, ..Options::default() };
    let converted = pipeline::convert(&read("fashion_dscnn_int8.tflite")?, "fashion_dscnn", &options)?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let floats = read("inputs_float.bin")?;
    let floats: Vec<f32> = floats.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let samples: Vec<Sample> = floats.chunks_exact(28 * 28).map(|image| vec![image.to_vec()]).collect();
    let report = fidelity::compare(&network, &model, &samples, || ())?;
    ensure!(report.samples == 16);
    let layers =
        network.nodes().iter().filter(|node| matches!(node.op, Op::Conv2d(_) | Op::DepthwiseConv2d(_)));
    ensure!(report.layers.len() >= layers.count(), "layers are missing: {:?}", report.only_in_network);
    for layer in &report.layers {
        let own = layer.own_sqnr_db.with_context(|| format!("no error of its own in '{}'", layer.name))?;
        let total = layer.sqnr_db.context("an exact layer")?;
        ensure!(own > 25.0 && total > 15.0, "{layer:?}");
        ensure!(layer.cosine.is_some_and(|cosine| cosine > 0.98), "{layer:?}");
    }
    ensure!(report.layers.is_sorted_by(|worse, better| worse.sqnr_db <= better.sqnr_db));
    ensure!(report.layers.iter().any(|layer| layer.cause == Cause::Inherited), "errors do not accumulate");
    let first = report.layers.iter().find(|layer| layer.node == 0).context("the first layer")?;
    ensure!(matches!(first.cause, Cause::Rounding { .. }), "{first:?}");
    ensure!(report.outputs[0].cause == Cause::Inherited, "{:?}", report.outputs);
    Ok(())
}
