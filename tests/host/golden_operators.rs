//! Every operator case equals TensorFlow Lite's reference kernels to the byte.

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::execute;
use secateur_converter::pipeline::{self, Options};
use secateur_tests::golden::{self, Golden};
use secateur_tests::workspace;

use crate::CORES;

/// Cases that are refused, and a part of what is said about them.
const REFUSED: [(&str, &str); 4] = [
    ("mirror_pad_reflect", "operator MIRROR_PAD (100) is not supported"),
    ("mirror_pad_symmetric", "operator MIRROR_PAD (100) is not supported"),
    ("quantize_int8_to_uint8", "the output is u8: i8 expected"),
    ("quantize_uint8_to_int8", "the tensor is u8"),
];

fn check(case: &Golden) -> Result<()> {
    let refusal = REFUSED.iter().find(|(name, _)| *name == case.name);
    match (CORES.into_iter().try_for_each(|core| run(case, core)), refusal) {
        (result, None) => result,
        (Err(error), Some((_, part))) if format!("{error:#}").contains(part) => Ok(()),
        (Err(error), Some(_)) => Err(error.context("refused with another message")),
        (Ok(()), Some(_)) => anyhow::bail!("is executable now: take it off the list"),
    }
}

fn run(case: &Golden, core: Core) -> Result<()> {
    let source = std::fs::read(&case.model)?;
    let converted = pipeline::convert(&source, &case.name, &Options { core, ..Options::default() })?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;
    let outputs = execute::run_batch(&model, &case.inputs, || ())?;
    ensure!(
        outputs.len() == case.outputs.len(),
        "{} output bytes, not {}",
        outputs.len(),
        case.outputs.len()
    );
    let differing = outputs.iter().zip(&case.outputs).filter(|(a, b)| a != b).count();
    let first = outputs.iter().zip(&case.outputs).position(|(a, b)| a != b);
    ensure!(differing == 0, "{differing} of {} bytes differ, the first at {first:?}", outputs.len());
    Ok(())
}

#[test]
fn every_case_equals_the_reference() -> Result<()> {
    let cases = golden::operators(&workspace().join("tests/golden/operators"))?;
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|error| format!("{}: {error:#}", case.name)))
        .collect();
    ensure!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), cases.len(), failures.join("\n"));
    Ok(())
}

#[test]
fn the_example_model_equals_the_reference() -> Result<()> {
    check(&golden::example(&workspace().join("tests/golden/fashion_dscnn"))?).context("fashion_dscnn")
}
