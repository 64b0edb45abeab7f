//! The bytes of a `.sct` file in memory, aligned as the runtime demands.

use std::path::Path;

use secateur::format::Header;
use zerocopy::IntoBytes;

/// Bytes at an address that is a multiple of [`secateur::format::ALIGN`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFile {
    words: Vec<u32>,
    len: usize,
}

impl ModelFile {
    /// `len` zero bytes.
    pub fn zeroed(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(size_of::<u32>())], len }
    }

    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        let mut file = Self::zeroed(bytes.len());
        file.bytes_mut().copy_from_slice(bytes);
        file
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Whatever the file system says.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        Ok(Self::new(&std::fs::read(path)?))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.words.as_bytes()[..self.len]
    }

    /// The bytes, to change.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.words.as_mut_bytes()[..self.len]
    }

    /// Whether the bytes begin like a `.sct` file, valid or not.
    pub fn looks_like_sct(bytes: &[u8]) -> bool {
        bytes.len() >= Header::LEN && bytes.starts_with(&secateur::format::MAGIC)
    }
}
