//! The host that the board is attached to: its words on the command line, its files, its standard output.
//!
//! All of it goes through semihosting, which an emulator answers, and so does a debugger.

use core::ffi::CStr;
use core::fmt;

use semihosting::experimental::env::{self, Args};
use semihosting::fs;
use semihosting::io::{self, Read as _, Write as _};

use crate::digits;

/// Bytes of the longest command line.
const LINE: usize = 192;
/// Bytes of the longest path, the zero at its end included.
const PATH: usize = 96;

/// The words that the program was started with, its own name left out.
#[derive(Debug)]
pub struct CommandLine(Args<LINE>);

impl CommandLine {
    /// Asks the host.
    ///
    /// # Errors
    /// When the host has none, or one of more than 191 bytes.
    pub fn read() -> Result<Self, HostError> {
        let line = env::args().map_err(|_| HostError::CommandLine)?;
        // The program's own name.
        let _ = (&line).next();
        Ok(Self(line))
    }

    /// The next word; `None` after the last one.
    ///
    /// # Errors
    /// When the word is not UTF-8.
    pub fn next(&self) -> Result<Option<&str>, HostError> {
        (&self.0).next().transpose().map_err(|_| HostError::CommandLine)
    }
}

/// What the host does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostError {
    /// Give a command line that can be read.
    CommandLine,
    /// Open a file: there is none of that name, or the name is longer than 95 bytes.
    Open,
    /// Give what is in a file.
    Read,
    /// Take what is written.
    Write,
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommandLine => "the command line cannot be read",
            Self::Open => "a file cannot be opened",
            Self::Read => "a file cannot be read",
            Self::Write => "a file cannot be written",
        })
    }
}

/// A file of the host.
#[derive(Debug)]
pub struct File(fs::File);

impl File {
    /// Opens a file to read.
    ///
    /// # Errors
    /// When the host cannot.
    pub fn open(path: &str) -> Result<Self, HostError> {
        with_terminator(path, |path| fs::File::open(path))
    }

    /// Creates a file to write, or empties the one that is there.
    ///
    /// # Errors
    /// When the host cannot.
    pub fn create(path: &str) -> Result<Self, HostError> {
        with_terminator(path, |path| fs::File::create(path))
    }

    /// Fills the buffer as far as the file goes, and gives the number of bytes.
    ///
    /// # Errors
    /// When the host cannot.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, HostError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(_) => return Err(HostError::Read),
            }
        }
        Ok(filled)
    }

    /// Writes all bytes.
    ///
    /// # Errors
    /// When the host cannot.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), HostError> {
        self.0.write_all(bytes).map_err(|_| HostError::Write)
    }
}

/// Opens by a path with a zero at its end, as the host wants it.
fn with_terminator(path: &str, open: impl FnOnce(&CStr) -> io::Result<fs::File>) -> Result<File, HostError> {
    let mut terminated = [0; PATH];
    // The last byte stays zero.
    let room = terminated.get_mut(..PATH - 1).and_then(|room| room.get_mut(..path.len()));
    room.ok_or(HostError::Open)?.copy_from_slice(path.as_bytes());
    let path = CStr::from_bytes_until_nul(&terminated).map_err(|_| HostError::Open)?;
    open(path).map(File).map_err(|_| HostError::Open)
}

/// Writes a name and a number as a line of the standard output. A host that does not take it is no reason to stop.
pub fn print(name: &str, value: usize) {
    let Ok(mut stream) = io::stdout() else { return };
    let mut write = |text: &str| drop(stream.write_all(text.as_bytes()));
    write(name);
    write(" ");
    digits::write::<10>(value as u32, &mut write);
    write("\n");
}
