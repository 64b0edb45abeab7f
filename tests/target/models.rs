//! Published int8 models, and the project's own, on every board that holds them: the outputs are the golden ones to the
//! byte, and every node gives its reference hash.

use anyhow::{Result, ensure};
use secateur_tests::golden;
use secateur_tests::target::Bench;
use secateur_tests::vectors::Runner;
use secateur_tests::{INT8_MODELS, shared_data, skipped, workspace};

on_every_board!("models", check);

fn check(bench: &Bench, test: &str) -> Result<()> {
    let Some(data) = shared_data() else {
        skipped(test, "no shared data");
        return Ok(());
    };
    let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "models")?;
    let mut runs = 0;
    for name in INT8_MODELS {
        runs += runner.check(&golden::model(&data, name)?)?;
    }
    ensure!(runs >= 4, "only {runs} models fit {}", bench.board.name);
    Ok(())
}

mod own {
    use super::*;

    on_every_board!("own", check);

    fn check(bench: &Bench, _: &str) -> Result<()> {
        let runner = Runner::new(bench, env!("CARGO_TARGET_TMPDIR"), "own")?;
        let runs = runner.check(&golden::example(&workspace().join("tests/golden/fashion_dscnn"))?)?;
        // The smallest part has less RAM than the model needs.
        ensure!(runs == 2 || bench.board.name == "microbit", "{runs} runs");
        Ok(())
    }
}
