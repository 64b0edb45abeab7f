//! Starts a firmware on an emulated board.
//!
//! The firmware reaches the host through semihosting: its standard streams, its command line, files relative to
//! `directory`, and its exit code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::board::Board;
use crate::logs::LogTable;
use crate::process::{self, Ending};

/// QEMU's emulator of Cortex-M boards.
pub const PROGRAM: &str = "qemu-system-arm";

/// A firmware about to run.
#[derive(Debug, Clone)]
pub struct Launch<'a> {
    /// The board to emulate.
    pub board: &'a Board,
    /// The firmware, an ELF file.
    pub elf: &'a Path,
    /// The words of the firmware's command line, after its own name.
    pub arguments: Vec<String>,
    /// A file that lies in the board's model region from the start, as if flashed there.
    pub model: Option<PathBuf>,
    /// Where the firmware's relative paths start. None: where this process runs.
    pub directory: Option<PathBuf>,
    /// Further options of QEMU, such as a plugin.
    pub options: Vec<OsString>,
    /// The run is stopped after this time.
    pub limit: Duration,
}

/// What a run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How it ended; a firmware's exit code is QEMU's.
    pub ending: Ending,
    /// The decoded log lines, or the lines of the standard output of a firmware without a log table.
    pub lines: Vec<String>,
    /// The standard error as text: the complaints of the firmware and of QEMU.
    pub complaints: String,
}

impl Run {
    /// The number in the line of that name.
    ///
    /// # Errors
    /// When there is no such line, or no number in it.
    pub fn number(&self, name: &str) -> Result<u64> {
        let words = |line: &String| Some(line.strip_prefix(name)?.strip_prefix(' ')?.to_owned());
        let number =
            self.lines.iter().find_map(words).with_context(|| format!("no line `{name}`: {self:?}"))?;
        number.parse().with_context(|| format!("`{number}` is no number"))
    }
}

impl<'a> Launch<'a> {
    /// A run of the firmware alone, with a minute's time.
    #[must_use]
    pub fn new(board: &'a Board, elf: &'a Path) -> Self {
        Self {
            board,
            elf,
            arguments: Vec::new(),
            model: None,
            directory: None,
            options: Vec::new(),
            limit: Duration::from_secs(60),
        }
    }

    /// Runs to the end. `on_line` sees each line of output as soon as it is complete.
    ///
    /// # Errors
    /// When QEMU cannot be started or the ELF file not read. A firmware that fails is no error here.
    pub fn run(&self, mut on_line: impl FnMut(&str)) -> Result<Run> {
        let table = LogTable::read(self.elf)?;
        let mut decoder = table.as_ref().map(LogTable::decoder);
        let mut lines = Vec::new();
        let mut partial = String::new();

        let finished = process::run(&mut self.command(), self.limit, |bytes| {
            let complete = match &mut decoder {
                Some(decoder) => decoder.feed(bytes),
                None => split_lines(&mut partial, bytes),
            };
            for line in complete {
                on_line(&line);
                lines.push(line);
            }
        })?;
        if !partial.is_empty() {
            on_line(&partial);
            lines.push(partial);
        }
        let complaints = String::from_utf8_lossy(&finished.stderr).into_owned();
        Ok(Run { ending: finished.ending, lines, complaints })
    }

    fn command(&self) -> Command {
        let mut semihosting = OsString::from("enable=on,target=native");
        let name = self.elf.file_stem().unwrap_or_default().to_string_lossy();
        for word in std::iter::once(&*name).chain(self.arguments.iter().map(String::as_str)) {
            semihosting.push(",arg=");
            semihosting.push(escape(word));
        }
        let mut command = process::command(PROGRAM);
        command.args(["-M", &self.board.qemu.machine]);
        command.args(["-nographic", "-monitor", "none", "-serial", "null"]);
        command.arg("-semihosting-config").arg(semihosting);
        command.arg("-kernel").arg(self.elf);
        if let Some(model) = &self.model {
            let file = escape(&model.to_string_lossy());
            let address = self.board.memory.model.origin;
            command.arg("-device").arg(format!("loader,file={file},addr={address:#x},force-raw=on"));
        }
        command.args(&self.options);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }
}

/// QEMU separates suboptions by commas; a doubled comma is a comma.
pub(crate) fn escape(text: &str) -> String {
    text.replace(',', ",,")
}

/// Appends the bytes to the line begun in `partial` and takes out the lines that are complete.
fn split_lines(partial: &mut String, bytes: &[u8]) -> Vec<String> {
    partial.push_str(&String::from_utf8_lossy(bytes));
    let mut lines: Vec<String> = partial.split('\n').map(str::to_owned).collect();
    *partial = lines.pop().unwrap_or_default();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_paths_and_arguments_do_not_split_options() {
        let board = crate::board::select("mps2-an386").unwrap().remove(0);
        let mut launch = Launch::new(&board, Path::new("hello.elf"));
        launch.arguments = vec!["a,b".to_owned()];
        launch.model = Some(PathBuf::from("x,y.sct"));
        let words: Vec<String> =
            launch.command().get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert!(words.contains(&"enable=on,target=native,arg=hello,arg=a,,b".to_owned()), "{words:?}");
        assert!(words.contains(&"loader,file=x,,y.sct,addr=0x100000,force-raw=on".to_owned()), "{words:?}");
    }

    #[test]
    fn lines_arrive_whole_however_the_bytes_are_cut() {
        let mut partial = String::new();
        assert!(split_lines(&mut partial, b"one, t").is_empty());
        assert_eq!(split_lines(&mut partial, b"wo\nthree\nfo"), ["one, two", "three"]);
        assert_eq!(partial, "fo");
    }
}
