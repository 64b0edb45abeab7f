//! Reads from an ELF file what the firmware takes of the device.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use object::{Object, ObjectSection, SectionKind};

/// Bytes of a firmware by their kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Instructions and the vector table.
    pub code: u64,
    /// Constants, in flash.
    pub constants: u64,
    /// Variables with an initial value: in RAM, and their values in flash.
    pub initialized: u64,
    /// Variables that start as zero or as anything.
    pub uninitialized: u64,
}

impl Footprint {
    /// Adds up the sections of an ELF file.
    ///
    /// # Errors
    /// When the file cannot be read or is no ELF file.
    pub fn read(elf: &Path) -> Result<Self> {
        let bytes = fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
        let file =
            object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", elf.display()))?;
        let mut footprint = Self::default();
        for section in file.sections() {
            let total = match section.kind() {
                // The vector table has read-only data, but serves code alone.
                SectionKind::ReadOnlyData if section.name() == Ok(".vector_table") => &mut footprint.code,
                SectionKind::Text => &mut footprint.code,
                SectionKind::ReadOnlyData | SectionKind::ReadOnlyString => &mut footprint.constants,
                SectionKind::Data => &mut footprint.initialized,
                SectionKind::UninitializedData => &mut footprint.uninitialized,
                _ => continue,
            };
            *total += section.size();
        }
        Ok(footprint)
    }

    /// Bytes in flash.
    #[must_use]
    pub fn flash(&self) -> u64 {
        self.code + self.constants + self.initialized
    }

    /// Bytes in RAM that are not stack.
    #[must_use]
    pub fn statics(&self) -> u64 {
        self.initialized + self.uninitialized
    }
}
