//! Starting QEMU with a runner.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use wait_timeout::ChildExt as _;

use super::{Board, BoardError};

/// QEMU's emulator of Cortex-M boards.
const PROGRAM: &str = "qemu-system-arm";
/// Names of the files in the directory where QEMU runs.
const MODEL: &str = "model.sct";
const INPUT: &str = "input.bin";
const OUTPUT: &str = "output.bin";
const NODES: &str = "nodes.bin";
/// What a firmware has to say fits into this many bytes; more is not kept.
const MESSAGE_BYTES: u64 = 64 << 10;

/// What a run is to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Of the model, or of every node.
    pub outputs_of: OutputsOf,
    /// Number of vectors.
    pub vectors: usize,
    /// Bytes of these outputs for one vector.
    pub bytes: usize,
}

/// Whose outputs a run gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputsOf {
    /// The model's.
    Model,
    /// Every node's, in the order of execution.
    Nodes,
}

impl Board {
    /// Runs vectors through a model, for `limit` at most, and gives what is wanted, vector by vector.
    ///
    /// # Errors
    /// If QEMU is missing, the model too large, the firmware fails or takes too long; see [`BoardError`].
    pub fn run(
        &self,
        model: &[u8],
        input: &[u8],
        wanted: Wanted,
        limit: Duration,
    ) -> Result<Vec<u8>, BoardError> {
        if model.len() > self.model_room as usize {
            let (board, bytes, room) = (self.name.clone(), model.len(), self.model_room);
            return Err(BoardError::TooLarge { board, bytes, room });
        }
        let exchange = tempfile::tempdir()?;
        fs::write(exchange.path().join(MODEL), model)?;
        fs::write(exchange.path().join(INPUT), input)?;
        self.start(exchange.path(), wanted.outputs_of, limit)?;
        let file = match wanted.outputs_of {
            OutputsOf::Model => OUTPUT,
            OutputsOf::Nodes => NODES,
        };
        let output = match fs::read(exchange.path().join(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let expected = wanted.vectors * wanted.bytes;
        if output.len() != expected {
            let (board, found) = (self.name.clone(), output.len());
            return Err(BoardError::OutputLength { board, found, expected });
        }
        Ok(output)
    }

    /// Runs the firmware to its end.
    fn start(&self, directory: &Path, outputs_of: OutputsOf, limit: Duration) -> Result<(), BoardError> {
        let mut command = self.command(directory, outputs_of);
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => BoardError::NoQemu { program: PROGRAM },
            _ => BoardError::Exchange(error),
        })?;
        let messages = child.stderr.take().map(|stream| thread::spawn(move || collect(stream)));
        let status = child.wait_timeout(limit)?;
        if status.is_none() {
            stop(&mut child)?;
        }
        let message = messages.and_then(|thread| thread.join().ok()).unwrap_or_default();
        let board = || self.name.clone();
        match status {
            None => Err(BoardError::TimedOut { board: board(), seconds: limit.as_secs(), message }),
            Some(status) if status.success() => Ok(()),
            Some(status) => {
                let ending =
                    status.code().map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
                Err(BoardError::Firmware { board: board(), ending, message })
            }
        }
    }

    fn command(&self, directory: &Path, outputs_of: OutputsOf) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(["-M", &self.machine]);
        command.args(["-nographic", "-monitor", "none", "-serial", "null", "-nic", "none"]);
        command.arg("-semihosting-config");
        let dump = match outputs_of {
            OutputsOf::Model => String::new(),
            OutputsOf::Nodes => format!(",arg=dump={NODES}"),
        };
        command.arg(format!("enable=on,target=native,arg=runner,arg={INPUT},arg={OUTPUT}{dump}"));
        command.arg("-kernel").arg(&self.runner);
        let address = self.model_address;
        command.arg("-device").arg(format!("loader,file={MODEL},addr={address:#x},force-raw=on"));
        command.current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

fn stop(child: &mut Child) -> std::io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

/// The text that comes before the stream ends, the beginning of it if there is much.
fn collect(mut stream: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = (&mut stream).take(MESSAGE_BYTES).read_to_end(&mut bytes);
    // Read on, so that the writer does not wait for room.
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
    String::from_utf8_lossy(&bytes).trim().to_owned()
}
