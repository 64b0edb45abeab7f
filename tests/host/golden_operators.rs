//! Every operator case equals TensorFlow Lite's reference kernels to the byte.

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::{execute, pipeline};
use secateur_tests::golden::{self, Golden};
use secateur_tests::workspace;

fn check(case: &Golden) -> Result<()> {
    let source = std::fs::read(&case.model)?;
    let converted = pipeline::convert(&source, &case.name)?;
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
