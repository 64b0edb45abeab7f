//! The IDX format of MNIST and data sets like it, plain or compressed with gzip.
//!
//! Two zero bytes, a type, the number of dimensions, each dimension in 32 bits, then the elements; all big-endian.

use std::io::Read;

use flate2::read::GzDecoder;
use thiserror::Error;

use super::{Array, Elements};

/// Why bytes are not a usable IDX file.
#[derive(Debug, Error)]
pub enum IdxError {
    /// The first bytes are others.
    #[error("not an IDX file: it begins with neither an IDX nor a gzip header")]
    NotIdx,
    /// The compressed data is damaged.
    #[error("the gzip data cannot be read")]
    Gzip(#[source] std::io::Error),
    /// Elements of a type other than bytes, integers and float32.
    #[error("elements of type code {code:#04x}: uint8, int8, int16, int32 and float32 can be read")]
    Type {
        /// The code.
        code: u8,
    },
    /// The file is shorter or longer than its header says.
    #[error("{found} bytes of elements, but the header says {expected}: the file is cut or damaged")]
    Length {
        /// Bytes there are.
        found: usize,
        /// Bytes there should be.
        expected: u64,
    },
}

/// First bytes of a file compressed with gzip.
pub const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The largest decompressed file that is read: far above any data set for a microcontroller.
const MAX_BYTES: u64 = 4 << 30;

/// Reads an IDX file, plain or compressed.
///
/// # Errors
/// If the bytes are none.
pub fn read(bytes: &[u8]) -> Result<Array, IdxError> {
    if !bytes.starts_with(GZIP_MAGIC) {
        return read_plain(bytes);
    }
    let mut plain = Vec::new();
    GzDecoder::new(bytes).take(MAX_BYTES).read_to_end(&mut plain).map_err(IdxError::Gzip)?;
    read_plain(&plain)
}

fn read_plain(bytes: &[u8]) -> Result<Array, IdxError> {
    let Some((&[0, 0, code, rank], rest)) = bytes.split_first_chunk() else { return Err(IdxError::NotIdx) };
    let Some((header, data)) = rest.split_at_checked(4 * usize::from(rank)) else {
        return Err(IdxError::NotIdx);
    };
    let dimensions: Vec<u32> = header.as_chunks().0.iter().map(|&bytes| u32::from_be_bytes(bytes)).collect();
    let size = match code {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        _ => return Err(IdxError::Type { code }),
    };
    let expected = dimensions.iter().try_fold(size, |product: u64, &d| product.checked_mul(d.into()));
    if expected != Some(data.len() as u64) {
        return Err(IdxError::Length { found: data.len(), expected: expected.unwrap_or(u64::MAX) });
    }
    let elements = match code {
        0x08 => Elements::U8(data.to_vec()),
        0x09 => Elements::I8(data.iter().map(|&byte| byte.cast_signed()).collect()),
        0x0b => Elements::I64(data.as_chunks().0.iter().map(|&b| i16::from_be_bytes(b).into()).collect()),
        0x0c => Elements::I64(data.as_chunks().0.iter().map(|&b| i32::from_be_bytes(b).into()).collect()),
        _ => Elements::F32(data.as_chunks().0.iter().map(|&b| f32::from_be_bytes(b)).collect()),
    };
    Ok(Array { shape: dimensions.into_iter().map(|d| d as usize).collect(), elements })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    const LABELS: [u8; 11] = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9];

    #[test]
    fn plain_and_compressed_files_are_the_same() {
        let array = Array { shape: vec![3], elements: Elements::U8(vec![7, 0, 9]) };
        assert_eq!(read(&LABELS).unwrap(), array);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&LABELS).unwrap();
        let compressed = encoder.finish().unwrap();
        assert_eq!(read(&compressed).unwrap(), array);
        assert!(matches!(read(&compressed[..compressed.len() - 9]), Err(IdxError::Gzip(_))));
    }

    #[test]
    fn wider_elements_are_big_endian() {
        let bytes = [0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 0xff, 0xff];
        assert_eq!(
            read(&bytes).unwrap(),
            Array { shape: vec![1, 2], elements: Elements::I64(vec![258, -1]) }
        );
    }

    #[test]
    fn damaged_files_are_refused() {
        for length in 0..LABELS.len() {
            assert!(read(&LABELS[..length]).is_err());
        }
        assert!(matches!(read(&[0, 0, 0x0e, 0]), Err(IdxError::Type { code: 0x0e })));
        let absurd = [0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255];
        assert!(matches!(read(&absurd), Err(IdxError::Length { .. })));
    }
}
