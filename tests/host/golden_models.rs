//! Published int8 models equal TensorFlow Lite Micro to the byte: all outputs, and what every operator wrote.

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::execute::{self, Dumped};
use secateur_converter::pipeline::{self, Options};
use secateur_tests::golden::{self, Golden, Intermediate};
use secateur_tests::{shared_data, skipped};

use crate::CORES;

/// Every full-int8 model of the shared data.
const MODELS: [&str; 8] = [
    "ad01_int8",
    "hello_world_int8",
    "kws_ref_model",
    "micro_speech_quantized",
    "person_detect",
    "pretrainedResnet_quant",
    "str_ww_ref_model",
    "vww_96_int8",
];

fn check(golden: &Golden, core: Core) -> Result<()> {
    let source = std::fs::read(&golden.model)?;
    let converted = pipeline::convert(&source, &golden.name, &Options { core, ..Options::default() })?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let outputs = execute::run_batch(&model, &golden.inputs, || ())?;
    ensure!(outputs == golden.outputs, "outputs differ");
    let vector_len = golden.inputs.len() / golden.count;
    for vector in golden.inputs.chunks_exact(vector_len).enumerate() {
        let expected: Vec<_> = golden.intermediates.iter().filter(|i| i.vector == vector.0).collect();
        if expected.is_empty() {
            continue;
        }
        let dumped = execute::run_dumping(&model, vector.1)?;
        for intermediate in expected {
            check_intermediate(&model, vector.1, &dumped, intermediate)
                .with_context(|| format!("vector {}, {}", vector.0, intermediate.operator))?;
        }
    }
    ensure!(!golden.intermediates.is_empty(), "no intermediates in the golden file");
    let (plan, bound) = (converted.plan.arena_bytes, converted.plan.smallest_bound);
    ensure!(f64::from(plan) <= 1.02 * f64::from(bound), "arena of {plan} bytes, the bound is {bound}");
    Ok(())
}

/// The tensor has the golden bytes right after it was written. A reshape writes nothing: its bytes are those that it
/// shares with another tensor, or with the model's input.
fn check_intermediate(
    model: &Model<'_>,
    input: &[u8],
    dumped: &[Dumped],
    expected: &Intermediate,
) -> Result<()> {
    use secateur::format::metadata::{Entry, entries};
    let tables = model.tables();
    let tensor = entries(tables.metadata()).find_map(|entry| match entry {
        Entry::TensorName(tensor, name) if name == expected.tensor => Some(tensor),
        _ => None,
    });
    let tensor = tensor.with_context(|| format!("no tensor '{}'", expected.tensor))?;
    let range = tables.tensors()[usize::from(tensor)].range();
    if expected.operator == "RESHAPE" {
        let shared = dumped.iter().any(|dump| {
            tables.tensors()[usize::from(dump.tensor)].range() == range && dump.bytes == expected.bytes
        });
        ensure!(shared || input == expected.bytes, "no tensor shares the bytes of '{}'", expected.tensor);
        return Ok(());
    }
    let dump = dumped.iter().find(|dump| dump.tensor == tensor);
    let dump = dump.with_context(|| format!("no node writes '{}'", expected.tensor))?;
    ensure!(dump.bytes == expected.bytes, "'{}' differs", expected.tensor);
    Ok(())
}

#[test]
fn published_models_equal_tensorflow_lite_micro() -> Result<()> {
    let Some(data) = shared_data() else {
        skipped("published_models_equal_tensorflow_lite_micro", "no shared data");
        return Ok(());
    };
    let mut failures = Vec::new();
    for name in MODELS {
        if let Err(error) = golden::model(&data, name)
            .and_then(|golden| CORES.into_iter().try_for_each(|core| check(&golden, core)))
        {
            failures.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}
