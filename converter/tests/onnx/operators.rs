//! Every operator gives what an independent implementation computed, or is refused with the right words.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use secateur_converter::float::Executor;
use secateur_converter::import::Imported;
use secateur_converter::import::onnx::{Options, import};
use secateur_converter::ir::{Float, Graph};
use secateur_converter::passes;

use crate::files;

/// Largest error, as a part of the largest output, where a case does not say otherwise.
const TOLERANCE: f32 = 1e-5;

#[test]
fn activation() {
    run("activation");
}

#[test]
fn constant() {
    run("constant");
}

#[test]
fn convolution() {
    run("convolution");
}

#[test]
fn elementwise() {
    run("elementwise");
}

#[test]
fn layout() {
    run("layout");
}

#[test]
fn matrix() {
    run("matrix");
}

#[test]
fn normalization() {
    run("normalization");
}

#[test]
fn pool() {
    run("pool");
}

#[test]
fn quantize() {
    run("quantize");
}

#[test]
fn reduce() {
    run("reduce");
}

#[test]
fn resize() {
    run("resize");
}

#[test]
fn slice() {
    run("slice");
}

/// The files of a case by name.
pub(crate) type Case = BTreeMap<String, Vec<u8>>;

/// Every family.
pub(crate) const FAMILIES: [&str; 12] = [
    "activation",
    "constant",
    "convolution",
    "elementwise",
    "layout",
    "matrix",
    "normalization",
    "pool",
    "quantize",
    "reduce",
    "resize",
    "slice",
];

/// Runs all cases of a family and tells of all that fail.
fn run(family: &str) {
    let mut failures = Vec::new();
    let cases = cases(family);
    assert!(!cases.is_empty());
    for (name, files) in &cases {
        if let Err(failure) = run_case(files) {
            failures.push(format!("{name}: {failure}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// The cases of a family by name.
pub(crate) fn cases(family: &str) -> BTreeMap<String, Case> {
    let archive = files::read(files::project(&format!("golden/onnx_operators/{family}.zip")));
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).expect("an archive");
    let mut cases: BTreeMap<String, Case> = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).expect("a file");
        let path = file.name().expect("a name").into_owned();
        let (case, name) = path.split_once('/').expect("a file in a folder");
        let (case, name) = (case.to_string(), name.to_string());
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("readable");
        cases.entry(case).or_default().insert(name, content);
    }
    cases
}

fn run_case(files: &Case) -> Result<(), String> {
    let imported = import(&files["model.onnx"], &Options::default());
    if let Some(refused) = files.get("refused.txt") {
        let text = String::from_utf8_lossy(refused);
        return match imported {
            Err(errors) if errors.to_string().contains(&*text) => Ok(()),
            Err(errors) => Err(format!("is not refused with '{text}' but with {errors}")),
            Ok(_) => Err(format!("is not refused with '{text}'")),
        };
    }
    let mut graph = match imported {
        Ok(Imported::Float(graph)) => graph,
        Ok(_) => return Err("is not float".into()),
        Err(errors) => return Err(errors.to_string()),
    };
    let mut inputs = vectors(files, "input");
    let expected = vectors(files, "output");
    let tolerance = files
        .get("tolerance.txt")
        .map_or(TOLERANCE, |text| String::from_utf8_lossy(text).parse().expect("a number"));
    compare(&graph, &inputs, &expected, tolerance).map_err(|failure| format!("as it is: {failure}"))?;
    let names: Vec<String> = graph.inputs().iter().map(|&id| graph[id].name.clone()).collect();
    let report = passes::normalize(&mut graph).map_err(|error| error.to_string())?;
    for turned in &report.turned_inputs {
        let position = names.iter().position(|name| *name == turned.name).expect("an input");
        inputs[position] = transposed(&inputs[position], &turned.before, &turned.permutation);
    }
    compare(&graph, &inputs, &expected, tolerance).map_err(|failure| format!("normalized: {failure}"))
}

/// The elements of a tensor of a shape with its axes in another order.
fn transposed(values: &[f32], shape: &[usize], permutation: &[usize]) -> Vec<f32> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let place = |mut rest: usize| {
        let mut place = 0;
        for &axis in permutation.iter().rev() {
            place += rest % shape[axis] * strides[axis];
            rest /= shape[axis];
        }
        place
    };
    (0..values.len()).map(|index| values[place(index)]).collect()
}

fn vectors(files: &Case, kind: &str) -> Vec<Vec<f32>> {
    (0..)
        .map_while(|index| files.get(&format!("{kind}_{index}.bin")))
        .map(|bytes| files::decode(bytes))
        .collect()
}

fn compare(
    graph: &Graph<Float>,
    inputs: &[Vec<f32>],
    expected: &[Vec<f32>],
    tolerance: f32,
) -> Result<(), String> {
    let executor = Executor::new(graph).map_err(|error| error.to_string())?;
    let outputs = executor.run(inputs).map_err(|error| error.to_string())?;
    if outputs.len() != expected.len() {
        return Err(format!("{} outputs, {} expected", outputs.len(), expected.len()));
    }
    for (index, (found, expected)) in outputs.iter().zip(expected).enumerate() {
        if found.len() != expected.len() {
            return Err(format!("output {index} has {} elements, {} expected", found.len(), expected.len()));
        }
        let largest = expected.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
        for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
            let error = (found - expected).abs() / largest;
            if error.is_nan() || error > tolerance {
                return Err(format!("output {index}, element {place} is {found}, {expected} expected"));
            }
        }
    }
    Ok(())
}
