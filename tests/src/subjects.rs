//! Sound `.sct` files to damage: every operator and packing, from golden cases or random layers, the example model, published
//! models where they are.

use std::path::Path;
use std::sync::LazyLock;

use secateur::format::{OpCode, Packing, Tables};
use secateur::kernels;
use secateur_converter::core::Core;
use secateur_converter::model_file::ModelFile;
use secateur_converter::pipeline::{Options, convert};

use crate::layers::Batch;
use crate::{CORES, golden, shared_data, skipped, workspace};

/// A file that loads.
#[derive(Debug)]
pub struct Subject {
    /// Where it comes from, for messages.
    pub name: String,
    /// The file.
    pub file: ModelFile,
}

/// Cases of every operator and packing, then whole models.
pub static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
    let mut subjects = operators();
    let example = workspace().join("tests/golden/fashion_dscnn/fashion_dscnn_int8.tflite");
    subjects.extend(CORES.into_iter().filter_map(|core| subject(&example, core)));
    match shared_data() {
        Some(data) => subjects.extend(
            ["hello_world_int8", "kws_ref_model", "micro_speech_quantized", "person_detect"]
                .into_iter()
                .filter_map(|name| {
                    subject(&data.join("models").join(name).with_extension("tflite"), CORES[1])
                }),
        ),
        None => skipped("mutation of published models", "no shared data"),
    }
    subjects
});

fn subject(source: &Path, core: Core) -> Option<Subject> {
    let bytes = std::fs::read(source).ok()?;
    let name = source.file_stem()?.to_string_lossy().into_owned();
    let file = convert(&bytes, &name, &Options { core, ..Options::default() }).ok()?.file;
    Some(Subject { name: format!("{name} for {core}"), file })
}

/// The shortest and the longest case of each operator and packing, and all cases of several nodes.
fn operators() -> Vec<Subject> {
    let cases = golden::operators(&workspace().join("tests/golden/operators")).expect("golden cases");
    let goldens =
        cases.iter().flat_map(|case| CORES.into_iter().filter_map(|core| subject(&case.model, core)));
    let mut candidates: Vec<Subject> = goldens
        .chain((0..LAYERS).flat_map(layer))
        .filter(|subject| subject.file.bytes().len() <= LONGEST_CASE)
        .collect();
    candidates.sort_by_key(|subject| subject.file.bytes().len());
    let mut wanted = covering(&candidates);
    candidates.reverse();
    let longest = covering(&candidates);
    wanted.extend(longest.into_iter().map(|index| candidates.len() - 1 - index));
    candidates.reverse();
    let mut index = 0..;
    candidates.retain(|subject| {
        index.next().is_some_and(|index| wanted.contains(&index)) || subject.name.starts_with("chain_")
    });
    candidates
}

/// Random layers among which those of packings without golden cases are looked for.
const LAYERS: u64 = 1_000;

/// A random layer for every core.
fn layer(case: u64) -> impl Iterator<Item = Subject> {
    let batch = Batch::new(case..case + 1);
    CORES.into_iter().filter_map(move |core| {
        Some(Subject { name: format!("layer {case} for {core}"), file: batch.file(core).ok()? })
    })
}

/// Longest file of a single operator that is damaged everywhere.
const LONGEST_CASE: usize = 2 << 10;

/// The first candidates that together have every operator and packing.
fn covering(candidates: &[Subject]) -> Vec<usize> {
    let mut missing: Vec<(OpCode, Packing)> =
        kernels::ALL.0.iter().map(|operator| (operator.code, operator.packing)).collect();
    let mut chosen = Vec::new();
    for (index, subject) in candidates.iter().enumerate() {
        let before = missing.len();
        let tables = Tables::read(subject.file.bytes()).expect("a converted file");
        for node in tables.nodes() {
            missing.retain(|&(code, packing)| (Some(code), Some(packing)) != (node.op(), node.packing()));
        }
        if missing.len() < before {
            chosen.push(index);
        }
    }
    assert_eq!(missing, [], "no golden case has these operators");
    chosen
}
