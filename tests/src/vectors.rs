//! Golden vectors through a board's runner.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use secateur::{Model, kernels};
use secateur_converter::core::Core;
use secateur_converter::model_file::ModelFile;
use secateur_converter::pipeline::{self, Options};
use xtask::qemu::{Launch, Run};

use crate::golden::Golden;
use crate::target::Bench;

/// Bytes of RAM that the runner keeps for its stack and variables.
const RESERVED: usize = 4096;

/// A board with its runner, and a folder to exchange files with it.
#[derive(Debug)]
pub struct Runner<'a> {
    bench: &'a Bench,
    elf: PathBuf,
    folder: PathBuf,
}

impl<'a> Runner<'a> {
    /// Builds the runner. Files go to a folder of their own below `temporary`.
    ///
    /// # Errors
    /// When the runner does not build or the folder cannot be made.
    pub fn new(bench: &'a Bench, temporary: &str, suite: &str) -> Result<Self> {
        let folder = PathBuf::from(temporary).join(suite).join(&bench.board.name);
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        Ok(Self { bench, elf: bench.build("runner")?, folder })
    }

    /// Runs a model with more words on the command line than the names of input and output.
    ///
    /// # Errors
    /// When the emulator does not start.
    pub fn run(&self, model: &[u8], input: &[u8], words: &[&str]) -> Result<Run> {
        fs::write(self.folder.join("model.sct"), model)?;
        fs::write(self.folder.join("input.bin"), input)?;
        let launch = Launch {
            arguments: ["input.bin", "output.bin"].iter().chain(words).map(|&word| word.to_owned()).collect(),
            model: Some(self.folder.join("model.sct")),
            directory: Some(self.folder.clone()),
            ..Launch::new(&self.bench.board, &self.elf)
        };
        launch.run(|_| ())
    }

    /// What the last run wrote.
    ///
    /// # Errors
    /// When it wrote nothing.
    pub fn output(&self) -> Result<Vec<u8>> {
        fs::read(self.folder.join("output.bin")).context("no output")
    }

    /// Whether the board holds the model.
    #[must_use]
    pub fn fits(&self, model: &Model<'_>) -> bool {
        let memory = self.bench.board.memory;
        model.arena_len() + RESERVED <= memory.ram.length as usize
            && model.tables().header().total_len <= memory.model.length
    }

    /// Runs the golden vectors with each packing that the model has, for as far as the board holds it, and gives the
    /// number of runs. Every node has its reference hash, every output is the golden one, the arena is what the file says.
    ///
    /// # Errors
    /// What differs or does not run.
    pub fn check(&self, golden: &Golden) -> Result<usize> {
        let mut files: Vec<ModelFile> = Vec::new();
        let source = fs::read(&golden.model)?;
        for core in [Core::CortexM0, Core::CortexM4] {
            let options = Options { core, ..Options::default() };
            let file = pipeline::convert(&source, &golden.name, &options)?.file;
            let fits = self.fits(&Model::load(file.bytes(), &kernels::ALL)?);
            if fits && !files.contains(&file) {
                self.check_file(golden, &file).with_context(|| format!("{} for {core}", golden.name))?;
                files.push(file);
            }
        }
        Ok(files.len())
    }

    fn check_file(&self, golden: &Golden, file: &ModelFile) -> Result<()> {
        let run = self.run(file.bytes(), &golden.inputs, &["check"])?;
        ensure!(run.ending.is_success(), "{}: {}", run.ending, run.complaints);
        ensure!(self.output()? == golden.outputs, "outputs differ from the golden ones");
        let lines = [
            format!("vectors {}", golden.count),
            format!("arena {}", Model::load(file.bytes(), &kernels::ALL)?.arena_len()),
        ];
        for line in lines {
            ensure!(run.lines.contains(&line), "no line '{line}' in {:?}", run.lines);
        }
        Ok(())
    }
}
