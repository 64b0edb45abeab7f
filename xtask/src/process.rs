//! Child processes: a clean environment, captured output, a time limit.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Variables that cargo and rustup set for this process, and that would make a child build something else than the
/// same command typed by hand.
const LEAKING: &[&str] = &[
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "MFLAGS",
    "NUM_JOBS",
    "OUT_DIR",
    "TARGET",
    "HOST",
    "PROFILE",
    "OPT_LEVEL",
    "DEBUG",
];

/// A command without the variables that this process got from its own cargo.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in LEAKING {
        command.env_remove(name);
    }
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_BIN_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit code.
    Exited(i32),
    /// By a signal.
    Killed,
    /// Killed by us when its time was up.
    TimedOut,
}

impl Ending {
    /// Whether the child exited with code 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Exited(0)
    }
}

impl From<ExitStatus> for Ending {
    fn from(status: ExitStatus) -> Self {
        status.code().map_or(Self::Killed, Self::Exited)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "exit code {code}"),
            Self::Killed => formatter.write_str("killed by a signal"),
            Self::TimedOut => formatter.write_str("out of time"),
        }
    }
}

/// What a child left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// All of its standard error.
    pub stderr: Vec<u8>,
}

/// Runs the command to its end, at most for `limit`. `on_stdout` sees the standard output as it arrives.
///
/// The child reads no input.
///
/// # Errors
/// When the child cannot be started or waited for.
pub fn run(command: &mut Command, limit: Duration, mut on_stdout: impl FnMut(&[u8])) -> Result<Finished> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {program}"))?;
    let deadline = Instant::now() + limit;

    let (sender, receiver) = mpsc::channel();
    if let Some(stream) = child.stdout.take() {
        forward(stream, sender.clone(), Chunk::Stdout);
    }
    if let Some(stream) = child.stderr.take() {
        forward(stream, sender.clone(), Chunk::Stderr);
    }
    drop(sender);

    let mut finished = Finished { ending: Ending::TimedOut, stdout: Vec::new(), stderr: Vec::new() };
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Chunk::Stdout(bytes)) => {
                on_stdout(&bytes);
                finished.stdout.extend(bytes);
            }
            Ok(Chunk::Stderr(bytes)) => finished.stderr.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                stop(&mut child);
                return Ok(finished);
            }
        }
    }
    // Both streams are closed: the child has ended, or will before long.
    finished.ending =
        wait_until(&mut child, deadline).with_context(|| format!("cannot wait for {program}"))?;
    Ok(finished)
}

enum Chunk {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
}

fn forward(mut stream: impl Read + Send + 'static, sender: Sender<Chunk>, wrap: fn(Vec<u8>) -> Chunk) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if sender.send(wrap(buffer[..count].to_vec())).is_err() {
                break;
            }
        }
    });
}

fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Ending> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.into());
        }
        if Instant::now() >= deadline {
            stop(child);
            return Ok(Ending::TimedOut);
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Ends the child. One that has just ended by itself is as good.
fn stop(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = command("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_and_the_exit_code_come_back() {
        let mut seen = Vec::new();
        let mut script = shell("echo out; echo err >&2; exit 3");
        let finished =
            run(&mut script, Duration::from_secs(10), |bytes| seen.extend_from_slice(bytes)).unwrap();
        assert_eq!(finished.ending, Ending::Exited(3));
        assert_eq!(finished.stdout, b"out\n");
        assert_eq!(finished.stderr, b"err\n");
        assert_eq!(seen, b"out\n");
    }

    #[test]
    fn a_child_that_hangs_is_stopped_and_its_output_kept() {
        let started = Instant::now();
        let finished =
            run(&mut shell("echo early; exec sleep 60"), Duration::from_millis(300), |_| ()).unwrap();
        assert_eq!(finished.ending, Ending::TimedOut);
        assert_eq!(finished.stdout, b"early\n");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_child_that_closes_its_streams_and_hangs_is_stopped() {
        let mut script = shell("exec sleep 60 >&- 2>&-");
        let finished = run(&mut script, Duration::from_millis(300), |_| ()).unwrap();
        assert_eq!(finished.ending, Ending::TimedOut);
    }

    #[test]
    fn variables_of_the_own_package_do_not_leak() {
        let finished = run(&mut shell("env"), Duration::from_secs(10), |_| ()).unwrap();
        let environment = String::from_utf8(finished.stdout).unwrap();
        assert!(!environment.contains("CARGO_PKG_NAME="));
        assert!(!environment.contains("CARGO_MANIFEST_DIR="));
    }
}
