//! Decodes the defmt frames that a firmware writes to its standard output.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use defmt_decoder::{DecodeError, StreamDecoder, Table};

/// The log strings of one firmware, which stayed behind in its ELF file.
#[derive(Debug)]
pub struct LogTable {
    table: Table,
}

impl LogTable {
    /// Reads the strings from the ELF file. None when the firmware logs nothing.
    ///
    /// # Errors
    /// When the file is no ELF file, or of a defmt version that this decoder does not know.
    pub fn read(elf: &Path) -> Result<Option<Self>> {
        let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let table = Table::parse(&bytes)
            .map_err(|error| anyhow!("{error:#}"))
            .with_context(|| format!("log strings of {}", elf.display()))?;
        Ok(table.map(|table| Self { table }))
    }

    /// A decoder for one run of the firmware.
    #[must_use]
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder { stream: self.table.new_stream_decoder() }
    }
}

/// Turns the bytes of one run into lines.
pub struct Decoder<'table> {
    stream: Box<dyn StreamDecoder + Send + Sync + 'table>,
}

impl Decoder<'_> {
    /// Takes bytes as they arrive and returns the lines that they complete, each `LEVEL message`.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<String> {
        self.stream.received(bytes);
        let mut lines = Vec::new();
        loop {
            match self.stream.decode() {
                Ok(frame) => {
                    let message = frame.display_message();
                    lines.push(match frame.level() {
                        Some(level) => format!("{:<5} {message}", level.as_str().to_uppercase()),
                        None => message.to_string(),
                    });
                }
                Err(DecodeError::UnexpectedEof) => return lines,
                Err(DecodeError::Malformed) => lines.push("(a log frame was lost)".to_owned()),
            }
        }
    }
}

impl std::fmt::Debug for Decoder<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Decoder").finish_non_exhaustive()
    }
}
