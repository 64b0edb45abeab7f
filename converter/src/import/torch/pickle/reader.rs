//! The bytes of a pickle, taken piece by piece.

use super::super::fault::WeightsFault;

/// What is left of the bytes.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next bytes, so many of them.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], WeightsFault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WeightsFault::Cut)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const SIZE: usize>(&mut self) -> Result<[u8; SIZE], WeightsFault> {
        let (&taken, rest) = self.rest.split_first_chunk().ok_or(WeightsFault::Cut)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, WeightsFault> {
        self.array().map(|[byte]| byte)
    }

    /// A length of 1, 2, 4 or 8 bytes, little-endian.
    pub(super) fn length<const SIZE: usize>(&mut self) -> Result<usize, WeightsFault> {
        let mut bytes = [0; 8];
        bytes[..SIZE].copy_from_slice(&self.array::<SIZE>()?);
        usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| WeightsFault::Cut)
    }

    /// Bytes after their length of so many bytes.
    pub(super) fn counted<const SIZE: usize>(&mut self) -> Result<&'a [u8], WeightsFault> {
        let length = self.length::<SIZE>()?;
        self.take(length)
    }

    /// Bytes up to a line feed, which is dropped.
    pub(super) fn line(&mut self) -> Result<&'a [u8], WeightsFault> {
        let end = self.rest.iter().position(|&byte| byte == b'\n').ok_or(WeightsFault::Cut)?;
        let line = self.take(end)?;
        self.take(1)?;
        Ok(line)
    }
}

/// A text, which must be UTF-8.
pub(super) fn text(bytes: &[u8]) -> Result<&str, WeightsFault> {
    std::str::from_utf8(bytes).map_err(|_| WeightsFault::Malformed { what: "a text that is not UTF-8" })
}
