//! The runtime's share of flash, and the stack, stay within the boards' budgets.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::pipeline::{self, Options};
use secateur_converter::rust_module;
use secateur_tests::golden::{self, Golden};
use secateur_tests::target::Bench;
use secateur_tests::{shared_data, workspace};
use xtask::size::{Size, Subject};

#[test]
fn portable() -> Result<()> {
    check("mps2-an385", "size::portable")
}

#[test]
fn dsp() -> Result<()> {
    check("mps2-an386", "size::dsp")
}

fn check(board: &str, test: &str) -> Result<()> {
    let Some(bench) = Bench::find(board, test)? else { return Ok(()) };
    let mut goldens = vec![golden::example(&workspace().join("tests/golden/fashion_dscnn"))?];
    // The budget was made for the operators of this one.
    if let Some(data) = shared_data() {
        goldens.push(golden::model(&data, "kws_ref_model")?);
    }
    for golden in &goldens {
        let size = measure(&bench, golden).with_context(|| format!("{} on {board}", golden.name))?;
        let excesses = size.excesses(&bench.board.budget);
        ensure!(excesses.is_empty(), "{} on {board}: {}", golden.name, excesses.join(", "));
    }
    Ok(())
}

fn measure(bench: &Bench, golden: &Golden) -> Result<Size> {
    let board = &bench.board;
    let options = Options { core: bench.core()?, ..Options::default() };
    let converted = pipeline::convert(&fs::read(&golden.model)?, &golden.name, &options)?;
    let model = Model::load(converted.file.bytes(), &kernels::ALL)?;

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("size").join(&board.name);
    fs::create_dir_all(&folder)?;
    let name = format!("{}.sct", golden.name);
    let (file, module) = (folder.join(&name), folder.join(format!("{}.rs", golden.name)));
    fs::write(&file, converted.file.bytes())?;
    fs::write(&module, rust_module::text(&model, Path::new(&name)))?;
    let arena = model.arena_len() as u64;
    bench.measure(&Subject { module: &module, file: &file, arena })
}
