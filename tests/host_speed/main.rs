//! How long one inference takes on the host, beside TFLite's reference kernels; see the README in this folder.
#![allow(clippy::print_stdout)] // Printing is what it is for.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use secateur::{Model, Session, kernels};
use secateur_converter::execute::Arena;
use secateur_converter::model_file::ModelFile;
use secateur_converter::pipeline::{self, Options};
use secateur_tests::{CORES, workspace};

/// Inferences of each side, one in turn with the others.
const ROUNDS: usize = 201;

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(python), models) = (arguments.next(), arguments.collect::<Vec<_>>()) else {
        bail!("usage: host_speed PYTHON MODEL.tflite ...");
    };
    ensure!(!models.is_empty(), "no model is given");
    println!("median of {ROUNDS} inferences in turn, one thread, in microseconds\n");
    println!("{:24} {:>10} {:>17} {:>17}  outputs", "model", "reference", "plain", "packed");
    for model in &models {
        if let Err(error) = compare(&python, model) {
            println!("{}: {error:#}", model.display());
        }
    }
    Ok(())
}

fn compare(python: &Path, source: &Path) -> Result<()> {
    let bytes = fs::read(source)?;
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let files = CORES
        .iter()
        .map(|&core| Ok(pipeline::convert(&bytes, &name, &Options { core, ..Options::default() })?.file))
        .collect::<Result<Vec<ModelFile>>>()?;
    let models =
        files.iter().map(|file| Ok(Model::load(file.bytes(), &kernels::ALL)?)).collect::<Result<Vec<_>>>()?;
    let mut arenas: Vec<Arena> = models.iter().map(Arena::new).collect();
    let mut sessions = models
        .iter()
        .zip(&mut arenas)
        .map(|(model, arena)| Ok(Session::new(model, arena.bytes_mut())?))
        .collect::<Result<Vec<_>>>()?;

    let input: Vec<u8> = (0..sessions[0].input_bytes_mut(0)?.len()).map(|i| (i * 37 % 251) as u8).collect();
    let mut reference = Reference::start(python, source, &input)?;
    let mut times = vec![Vec::new(); 1 + sessions.len()];
    for _ in 0..ROUNDS {
        times[0].push(reference.infer()?);
        for (session, times) in sessions.iter_mut().zip(&mut times[1..]) {
            session.input_bytes_mut(0)?.copy_from_slice(&input);
            let start = Instant::now();
            session.run();
            times.push(u64::try_from(start.elapsed().as_nanos())?);
        }
    }
    let expected = reference.output()?;
    let differing = |session: &Session<'_, '_>| {
        session.output_bytes(0).map(|bytes| bytes.iter().zip(&expected).filter(|(a, b)| a != b).count())
    };
    let differing = sessions.iter().map(differing).sum::<Result<usize, _>>()?;
    let verdict = if differing == 0 { "equal".to_owned() } else { format!("{differing} bytes differ") };
    let medians: Vec<f64> = times.iter_mut().map(|times| median(times) / 1000.0).collect();
    let ours = medians[1..].iter().map(|median| format!("{median:8.0} ({:.2} x)", median / medians[0]));
    println!("{name:24} {:10.0} {}  {verdict}", medians[0], ours.collect::<Vec<_>>().join(" "));
    Ok(())
}

fn median(times: &mut [u64]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2] as f64
}

/// The other side, a process of its own.
struct Reference {
    child: Child,
    ask: Option<ChildStdin>,
    answer: BufReader<ChildStdout>,
}

impl Reference {
    fn start(python: &Path, model: &Path, input: &[u8]) -> Result<Self> {
        let values = std::env::temp_dir().join(format!("host_speed_{}.bin", std::process::id()));
        fs::write(&values, input)?;
        let mut command = Command::new(python);
        command.arg(workspace().join("tests/host_speed/reference.py")).arg(model).arg(&values);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start {}", python.display()))?;
        let ask = child.stdin.take();
        let answer = BufReader::new(child.stdout.take().context("no pipe")?);
        let mut reference = Self { child, ask, answer };
        // By the first answer it has read the file.
        let started = reference.infer();
        fs::remove_file(&values)?;
        started.context("the reference does not run it")?;
        Ok(reference)
    }

    /// Nanoseconds of one inference.
    fn infer(&mut self) -> Result<u64> {
        self.ask.as_mut().context("no pipe")?.write_all(b"\n")?;
        Ok(self.line()?.parse()?)
    }

    fn output(&mut self) -> Result<Vec<u8>> {
        self.ask = None;
        let line = self.line()?;
        self.child.wait()?;
        let digits = line.strip_prefix("output ").context("no output")?;
        (0..digits.len() / 2).map(|i| Ok(u8::from_str_radix(&digits[2 * i..2 * i + 2], 16)?)).collect()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.answer.read_line(&mut line)?;
        ensure!(!line.is_empty(), "it has ended");
        Ok(line.trim_end().to_owned())
    }
}
