//! Board support: every board starts, logs, finds the model beside its firmware, and ends as it should.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use secateur_tests::target::Bench;
use xtask::process::Ending;
use xtask::qemu::{Launch, Run};

on_every_board!("support", check);

fn check(bench: &Bench, _: &str) -> Result<()> {
    greets(bench, &bench.build("hello")?)?;
    ends(bench, &bench.build("endings")?)
}

fn greets(bench: &Bench, elf: &Path) -> Result<()> {
    // QEMU reads the name as part of an option, where a comma has to survive.
    let model = elf.with_file_name("begins, as told.sct");
    fs::write(&model, [0xde, 0xad, 0xbe, 0xef, 0x00])?;
    let run = Launch { model: Some(model), ..Launch::new(&bench.board, elf) }.run(|_| ())?;

    ensure!(run.ending.is_success(), "{run:?}");
    let begins = |line: usize, text: &str| run.lines.get(line).is_some_and(|line| line.contains(text));
    ensure!(begins(0, &format!("INFO  hello from {}", bench.board.name)), "{run:?}");
    let model = format!("model region: {} bytes, begins [de, ad, be, ef]", bench.board.memory.model.length);
    ensure!(begins(1, &model), "{run:?}");
    Ok(())
}

fn ends(bench: &Bench, elf: &Path) -> Result<()> {
    let end = |word: &str| -> Result<Run> {
        let mut launch = Launch::new(&bench.board, elf);
        launch.arguments.push(word.to_owned());
        if word == "hang" {
            launch.limit = Duration::from_millis(500);
        }
        launch.run(|_| ())
    };
    ensure!(end("success")?.ending == Ending::Exited(0));
    ensure!(end("failure")?.ending == Ending::Exited(1));
    ensure!(end("hang")?.ending == Ending::TimedOut);

    let panic = end("panic")?;
    ensure!(panic.ending == Ending::Exited(101), "{panic:?}");
    ensure!(panic.complaints.contains("panicked at boards/src/bin/endings.rs:"), "{panic:?}");
    ensure!(panic.complaints.contains(": as asked\n"), "{panic:?}");

    let fault = end("fault")?;
    ensure!(fault.ending == Ending::Exited(102), "{fault:?}");
    ensure!(fault.complaints.starts_with("hard fault at pc 0x"), "{fault:?}");
    Ok(())
}
