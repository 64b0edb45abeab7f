//! Published int8 models equal TensorFlow Lite Micro to the byte: all outputs, and what every operator wrote.

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::execute::{self, Dumped};
use secateur_converter::passes::fold_constant_channels::Size;
use secateur_converter::pipeline::{self, Converted, Options};
use secateur_tests::golden::{self, Golden, Intermediate};
use secateur_tests::{CORES, INT8_MODELS, shared_data, skipped};

fn check(golden: &Golden, core: Core) -> Result<()> {
    let source = std::fs::read(&golden.model)?;
    // Folding takes channels out of intermediates, but must not change an output.
    let folded =
        pipeline::convert(&source, &golden.name, &Options { core, fold: true, ..Options::default() })?;
    check_outputs(golden, &folded).context("folded")?;
    let converted =
        pipeline::convert(&source, &golden.name, &Options { core, fold: false, ..Options::default() })?;
    check_outputs(golden, &converted)?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
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
    Ok(())
}

fn check_outputs(golden: &Golden, converted: &Converted) -> Result<()> {
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let outputs = execute::run_batch(&model, &golden.inputs, || ())?;
    ensure!(outputs == golden.outputs, "outputs differ");
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
    for name in INT8_MODELS {
        if let Err(error) = golden::model(&data, name)
            .and_then(|golden| CORES.into_iter().try_for_each(|core| check(&golden, core)))
        {
            failures.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

#[test]
fn folding_halves_the_work_of_visual_wake_words() -> Result<()> {
    let Some(data) = shared_data() else {
        skipped("folding_halves_the_work_of_visual_wake_words", "no shared data");
        return Ok(());
    };
    let source = std::fs::read(golden::model(&data, "vww_96_int8")?.model)?;
    let folding = pipeline::convert(&source, "vww_96_int8", &Options::default())?.passes.folding;
    let total = folding.context("folding is on by default")?.total;
    assert_eq!(total.before, Size { macs: 7_489_664, weights: 208_112 });
    assert_eq!(total.after, Size { macs: 3_727_313, weights: 29_066 });
    Ok(())
}
