//! Where a model runs: on this computer or on a board.

use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use secateur::Model;
use secateur_converter::board::{Boards, OutputsOf, Wanted};
use secateur_converter::open::{OpenFloat, OpenModel, Opened};
use secateur_converter::port::{self, Port};
use secateur_converter::{dump, execute};

use super::progress;

/// Where a model runs.
#[derive(Clone, Debug, Args)]
pub(super) struct TargetArguments {
    /// Run on this computer, or on a board that QEMU emulates: `host` or the name of a board.
    #[arg(long, value_name = "host|BOARD", default_value = HOST)]
    on: String,
    /// Seconds that a board may take before it is stopped; without it, by the model's work.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    time_limit: Option<u64>,
}

/// The name of this computer as a target.
const HOST: &str = "host";

/// What running vectors gave.
pub(super) struct Ran {
    /// The outputs of all vectors, one after another.
    pub(super) outputs: Vec<u8>,
    /// Seconds it took, the start of an emulator included.
    pub(super) seconds: f64,
}

impl TargetArguments {
    /// `host` or the board's name.
    pub(super) fn name(&self) -> &str {
        &self.on
    }

    /// Whether the model runs on this computer.
    pub(super) fn is_host(&self) -> bool {
        self.on == HOST
    }

    /// Runs vectors and gives their outputs.
    pub(super) fn run(&self, opened: &Opened, input: &[u8]) -> anyhow::Result<Ran> {
        let start = Instant::now();
        let outputs = match opened {
            Opened::Runtime(opened) if self.is_host() => {
                let model = opened.model()?;
                let progress = progress::vectors(vectors(&model, input));
                let outputs = execute::run_batch(&model, input, || progress.inc(1))?;
                progress.finish_and_clear();
                outputs
            }
            Opened::Runtime(opened) => {
                let ports = port::outputs(&opened.model()?, &opened.facts()?);
                self.run_on_board(opened, input, OutputsOf::Model, &ports)?
            }
            Opened::Float(opened) => {
                self.only_on_host(opened)?;
                let progress =
                    progress::vectors(input.len() / port::vector_bytes(opened.model.inputs()).max(1));
                let outputs = opened.model.run_batch(input, || progress.inc(1))?;
                progress.finish_and_clear();
                outputs
            }
        };
        Ok(Ran { outputs, seconds: start.elapsed().as_secs_f64() })
    }

    fn only_on_host(&self, opened: &OpenFloat) -> anyhow::Result<()> {
        let path = opened.path.display();
        if !self.is_host() {
            bail!(
                "{path}: a float model runs on the host only; quantize it for a board: \
                 `secateur convert {path} -o OUT.sct --calibrate DATA`"
            );
        }
        Ok(())
    }

    /// Runs vectors and gives what every node writes, the tensors of [`dump::node_outputs`] each for all vectors.
    pub(super) fn dump(&self, opened: &Opened, input: &[u8]) -> anyhow::Result<Vec<Vec<u8>>> {
        let opened = match opened {
            Opened::Runtime(opened) => opened,
            Opened::Float(opened) => {
                self.only_on_host(opened)?;
                return Ok(opened.model.dump(input)?);
            }
        };
        let model = opened.model()?;
        if self.is_host() {
            let progress = progress::vectors(vectors(&model, input));
            let tensors = dump::dump(&model, input, || progress.inc(1))?;
            progress.finish_and_clear();
            return Ok(tensors);
        }
        let ports: Vec<Port> = dump::node_outputs(&model).into_iter().map(|output| output.port).collect();
        let bytes = self.run_on_board(opened, input, OutputsOf::Nodes, &ports)?;
        Ok(port::columns(&ports, &bytes))
    }

    /// Gives what the board writes to `ports`, vector by vector.
    fn run_on_board(
        &self,
        opened: &OpenModel,
        input: &[u8],
        outputs_of: OutputsOf,
        ports: &[Port],
    ) -> anyhow::Result<Vec<u8>> {
        let model = opened.model()?;
        let board = Boards::find().get(&self.on)?;
        let vectors = vectors(&model, input);
        let limit = self.time_limit.map_or_else(|| time_limit(&model, vectors), Duration::from_secs);
        let spinner = progress::spinner(&format!("running {vectors} vectors on {}", self.on));
        let wanted = Wanted { outputs_of, vectors, bytes: port::vector_bytes(ports) };
        let outputs = board.run(opened.file().bytes(), input, wanted, limit)?;
        spinner.finish_and_clear();
        Ok(outputs)
    }
}

fn vectors(model: &Model<'_>, input: &[u8]) -> usize {
    input.len() / execute::vector_len(&execute::inputs(model)).max(1)
}

/// Far more than QEMU needs on a slow computer: a minute, and a second per million steps.
fn time_limit(model: &Model<'_>, vectors: usize) -> Duration {
    let steps = model.work().saturating_mul(vectors as u64);
    Duration::from_secs(60u64.saturating_add(steps / 1_000_000))
}
