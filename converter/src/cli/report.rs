//! What a command prints.

use std::io::Write;

use serde::Serialize;

use super::Outcome;

/// Version of the JSON documents: raised when a key changes its meaning or goes away.
const SCHEMA: u32 = 1;

/// Where a report goes, and in which form.
pub(super) struct Output<'o> {
    pub(super) json: bool,
    pub(super) out: &'o mut dyn Write,
}

/// What stands around every JSON report.
#[derive(Serialize)]
struct Document<'r, R> {
    /// [`SCHEMA`].
    schema: u32,
    /// The command that made the report.
    command: &'static str,
    #[serde(flatten)]
    report: &'r R,
}

impl Output<'_> {
    /// Writes `report` as JSON, or the text that `text` makes of it.
    pub(super) fn write<R: Serialize>(
        &mut self,
        command: &'static str,
        report: &R,
        text: impl FnOnce(&R) -> String,
    ) -> anyhow::Result<Outcome> {
        if self.json {
            serde_json::to_writer_pretty(&mut *self.out, &Document { schema: SCHEMA, command, report })
                .map_err(std::io::Error::from)?;
            writeln!(self.out)?;
        } else {
            self.out.write_all(text(report).as_bytes())?;
        }
        Ok(Outcome::Fine)
    }
}
