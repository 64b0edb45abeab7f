//! Published networks that exist both as float and as int8 files: quantized here, they come at least as near to their own
//! float outputs as the published int8 files do.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use secateur_converter::calibrate::{Observer, Sample};
use secateur_converter::import::{Imported, tflite};
use secateur_converter::quantize::Recipe;
use secateur_tests::{golden, shared_data, skipped};

use crate::measure::{file, file_outputs, float_model, float_outputs, mean_sqnr, quantized};

/// Float and int8 file of one network.
const PAIRS: [(&str, &str); 4] = [
    ("ad01_fp32", "ad01_int8"),
    ("kws_ref_model_float32", "kws_ref_model"),
    ("pretrainedResnet", "pretrainedResnet_quant"),
    ("vww_96_float", "vww_96_int8"),
];

/// The golden inputs of a float model.
fn inputs(data: &Path, name: &str) -> Result<Vec<Sample>> {
    let golden = golden::model(data, name)?;
    let values: Vec<f32> =
        golden.inputs.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    Ok(values.chunks(values.len() / golden.count).map(|vector| vec![vector.to_vec()]).collect())
}

/// Mean signal-to-error ratios of the published file and of ours over all golden inputs, which are also what ours is
/// calibrated on: there are four of each network, too few to part, and a published file saw a whole training set.
fn compare(data: &Path, float: &str, int8: &str, recipe: &Recipe) -> Result<[f64; 2]> {
    let inputs = inputs(data, float)?;
    let graph = float_model(&golden::model(data, float)?.model)?;
    let reference = float_outputs(&graph, &inputs)?;
    let published = match tflite::import(&std::fs::read(golden::model(data, int8)?.model)?)? {
        Imported::Quantized(graph) => file(graph)?,
        _ => anyhow::bail!("{int8} is not quantized"),
    };
    let (ours, _) = quantized(&graph, &inputs, recipe)?;
    let of = |file| Ok::<_, anyhow::Error>(mean_sqnr(&reference, &file_outputs(file, &inputs)?));
    Ok([of(&published)?, of(&ours)?])
}

#[test]
fn networks_quantized_here_are_as_near_to_float_as_published_ones() -> Result<()> {
    let Some(data) = shared_data() else {
        skipped("networks_quantized_here_are_as_near_to_float_as_published_ones", "no shared data");
        return Ok(());
    };
    // With four samples to calibrate on, the clip of least squared error holds where extremes do not.
    let recipe = Recipe { observer: Observer::Mse, equalize: false, ..Recipe::default() };
    let mut failures = Vec::new();
    for (float, int8) in PAIRS {
        let [published, ours] = compare(&data, float, int8, &recipe).context(float)?;
        eprintln!("{float}: published {published:.2} dB, ours {ours:.2} dB");
        if ours < published {
            failures.push(format!("{float}: {ours:.2} dB, published {published:.2} dB"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
