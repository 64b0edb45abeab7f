//! The example firmware names the image that it carries, on every board that has the RAM for its model.

use anyhow::{Result, ensure};
use secateur_tests::target::Bench;
use xtask::qemu::Launch;

on_every_board!("infer", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    if bench.board.memory.ram.length < 32 << 10 {
        return Ok(());
    }
    let run = Launch::new(&bench.board, &bench.build("infer")?).run(|_| ())?;
    ensure!(run.ending.is_success(), "{run:?}");
    let says = |text: &str| run.lines.iter().any(|line| line.contains(text));
    ensure!(says("scores [-41, -47, -77, -58, -65, -3, -71, 20, -52, 81]"), "{run:?}");
    ensure!(says("this is: Ankle boot"), "{run:?}");
    Ok(())
}
