//! NumPy's files: `.npy` holds one array, `.npz` several by name.

use std::io::{Cursor, Read};

use npyz::{DType, Endianness, NpyFile, Order, TypeChar, WriterBuilder as _};
use thiserror::Error;

use super::{Array, Elements};

/// Why bytes are not a usable `.npy` or `.npz` file.
#[derive(Debug, Error)]
pub enum NpyError {
    /// The header is damaged.
    #[error("the .npy header cannot be read")]
    Header(#[source] std::io::Error),
    /// Elements of a type that no model takes.
    #[error("elements of type {found}: bool, integers, float32 and float64 can be read")]
    Type {
        /// The type, as the header describes it.
        found: String,
    },
    /// The file is shorter or longer than its header says.
    #[error("{found} bytes of elements, but the header says {expected}: the file is cut or damaged")]
    Length {
        /// Bytes there are.
        found: usize,
        /// Bytes there should be.
        expected: u64,
    },
    /// An integer above the range of int64.
    #[error("an element is {value}: more than int64 can hold")]
    Range {
        /// The element.
        value: u64,
    },
    /// The archive is damaged.
    #[error("the .npz archive cannot be read")]
    Archive(#[from] zip::result::ZipError),
    /// A member of the archive is damaged.
    #[error("array '{name}' of the archive")]
    Member {
        /// Its name.
        name: String,
        /// What is wrong.
        source: Box<NpyError>,
    },
    /// The archive holds no array.
    #[error("the archive holds no .npy array")]
    NoArrays,
}

/// First bytes of a `.npy` file.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// First bytes of a `.npz` file: those of any zip archive.
pub const ARCHIVE_MAGIC: &[u8] = b"PK\x03\x04";

/// The largest array of an archive that is read, decompressed: far above any data set for a microcontroller.
const MAX_BYTES: u64 = 4 << 30;

/// Reads a `.npy` file.
///
/// # Errors
/// If the bytes are none, or the elements are of a type that no model takes.
pub fn read(bytes: &[u8]) -> Result<Array, NpyError> {
    let file = NpyFile::new(bytes).map_err(NpyError::Header)?;
    let (dtype, order, dimensions) = (file.dtype(), file.order(), file.shape().to_vec());
    let data = file.into_inner();
    let DType::Plain(scalar) = &dtype else { return Err(NpyError::Type { found: dtype.descr() }) };
    let size = scalar.num_bytes().unwrap_or(0);
    let expected = dimensions.iter().try_fold(size as u64, |product, &d| product.checked_mul(d));
    if expected != Some(data.len() as u64) {
        return Err(NpyError::Length { found: data.len(), expected: expected.unwrap_or(u64::MAX) });
    }
    let big = scalar.endianness() == Endianness::Big;
    let elements = match (scalar.type_char(), size) {
        (TypeChar::Float, 4) => Elements::F32(decode(data, big, f32::from_le_bytes)),
        (TypeChar::Float, 8) => Elements::F32(decode(data, big, |bytes| f64::from_le_bytes(bytes) as f32)),
        (TypeChar::Int, 1) => Elements::I8(decode(data, big, i8::from_le_bytes)),
        (TypeChar::Int, 2) => Elements::I64(decode(data, big, |bytes| i16::from_le_bytes(bytes).into())),
        (TypeChar::Int, 4) => Elements::I64(decode(data, big, |bytes| i32::from_le_bytes(bytes).into())),
        (TypeChar::Int, 8) => Elements::I64(decode(data, big, i64::from_le_bytes)),
        (TypeChar::Bool, 1) => Elements::I64(data.iter().map(|&byte| byte.into()).collect()),
        (TypeChar::Uint, 1) => Elements::U8(data.to_vec()),
        (TypeChar::Uint, 2) => Elements::I64(decode(data, big, |bytes| u16::from_le_bytes(bytes).into())),
        (TypeChar::Uint, 4) => Elements::I64(decode(data, big, |bytes| u32::from_le_bytes(bytes).into())),
        (TypeChar::Uint, 8) => {
            let values = decode(data, big, u64::from_le_bytes);
            let signed =
                values.into_iter().map(|v| i64::try_from(v).map_err(|_| NpyError::Range { value: v }));
            Elements::I64(signed.collect::<Result<_, _>>()?)
        }
        _ => return Err(NpyError::Type { found: dtype.descr() }),
    };
    // The product of the dimensions is at most the file's length, unless one is 0 and there are no elements.
    let shape: Vec<usize> = dimensions.iter().map(|&d| usize::try_from(d).unwrap_or(usize::MAX)).collect();
    Ok(match order {
        Order::C => Array { shape, elements },
        Order::Fortran => Array { elements: elements.into_row_major(&shape), shape },
    })
}

fn decode<const SIZE: usize, T>(data: &[u8], big: bool, value: impl Fn([u8; SIZE]) -> T) -> Vec<T> {
    let (chunks, _) = data.as_chunks::<SIZE>();
    let ordered = |mut bytes: [u8; SIZE]| {
        if big {
            bytes.reverse();
        }
        bytes
    };
    chunks.iter().map(|&bytes| value(ordered(bytes))).collect()
}

impl Elements {
    /// The same array row-major, if these elements are column-major.
    fn into_row_major(self, shape: &[usize]) -> Self {
        fn reorder<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
            let mut index = vec![0usize; shape.len()];
            let mut strides = vec![1usize; shape.len()];
            for axis in 1..shape.len() {
                strides[axis] = strides[axis - 1] * shape[axis - 1];
            }
            let mut ordered = Vec::with_capacity(values.len());
            while ordered.len() < values.len() {
                let at: usize = index.iter().zip(&strides).map(|(i, stride)| i * stride).sum();
                ordered.push(values[at]);
                for axis in (0..shape.len()).rev() {
                    index[axis] += 1;
                    if index[axis] < shape[axis] {
                        break;
                    }
                    index[axis] = 0;
                }
            }
            ordered
        }
        match self {
            Self::F32(values) => Self::F32(reorder(&values, shape)),
            Self::I8(values) => Self::I8(reorder(&values, shape)),
            Self::U8(values) => Self::U8(reorder(&values, shape)),
            Self::I64(values) => Self::I64(reorder(&values, shape)),
        }
    }
}

/// Reads all arrays of a `.npz` file, in the order of the archive, without the `.npy` of their names.
///
/// # Errors
/// If the bytes are no such archive or an array cannot be read.
pub fn read_archive(bytes: &[u8]) -> Result<Vec<(String, Array)>, NpyError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut arrays = Vec::new();
    for index in 0..archive.len() {
        let mut member = archive.by_index(index)?;
        let Some(name) = member.name()?.strip_suffix(".npy").map(str::to_owned) else { continue };
        let mut content = Vec::new();
        (&mut member)
            .take(MAX_BYTES)
            .read_to_end(&mut content)
            .map_err(|error| NpyError::Archive(error.into()))?;
        let array = read(&content)
            .map_err(|source| NpyError::Member { name: name.clone(), source: Box::new(source) })?;
        arrays.push((name, array));
    }
    if arrays.is_empty() { Err(NpyError::NoArrays) } else { Ok(arrays) }
}

/// The bytes of a `.npy` file.
///
/// `shape` has as many elements as `values`.
///
/// # Errors
/// If it does not.
pub fn write<T: npyz::AutoSerialize + Copy>(shape: &[usize], values: &[T]) -> std::io::Result<Vec<u8>> {
    let shape: Vec<u64> = shape.iter().map(|&d| d as u64).collect();
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut header = header.to_owned();
        while !(10 + header.len() + 1).is_multiple_of(64) {
            header.push(' ');
        }
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [MAGIC, &[1, 0], &length[..], header.as_bytes(), data].concat()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = write(&[2, 1], &[1.5f32, -2.0]).unwrap();
        assert!(bytes.starts_with(MAGIC));
        let array = Array { shape: vec![2, 1], elements: Elements::F32(vec![1.5, -2.0]) };
        assert_eq!(read(&bytes).unwrap(), array);
        assert_eq!(read(&write(&[1], &[-7i8]).unwrap()).unwrap().elements, Elements::I8(vec![-7]));
    }

    #[test]
    fn both_byte_orders_and_column_major_are_understood() {
        let big = file("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", &[1, 2, 0xff, 0xfe]);
        assert_eq!(read(&big).unwrap().elements, Elements::I64(vec![0x102, -2]));
        let columns =
            file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", &[11, 21, 12, 22, 13, 23]);
        let array = Array { shape: vec![2, 3], elements: Elements::U8(vec![11, 12, 13, 21, 22, 23]) };
        assert_eq!(read(&columns).unwrap(), array);
    }

    #[test]
    fn float64_is_rounded_to_float32() {
        let bytes = write(&[1], &[0.1f64]).unwrap();
        assert_eq!(read(&bytes).unwrap().elements, Elements::F32(vec![0.1]));
    }

    #[test]
    fn cut_files_other_types_and_absurd_shapes_are_refused() {
        let bytes = write(&[4], &[1i32, 2, 3, 4]).unwrap();
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err());
        }
        let complex = file("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", &[0; 8]);
        assert!(matches!(read(&complex), Err(NpyError::Type { .. })));
        let absurd = file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295,), }", &[0; 8]);
        assert!(matches!(read(&absurd), Err(NpyError::Length { .. })));
    }

    #[test]
    fn archives_give_their_arrays_by_name() {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, value) in [("y", 1i8), ("x", 2)] {
            archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(&write(&[1], &[value]).unwrap()).unwrap();
        }
        let bytes = archive.finish().unwrap().into_inner();
        let arrays = read_archive(&bytes).unwrap();
        assert_eq!(arrays.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["y", "x"]);
        assert_eq!(arrays[1].1.elements, Elements::I8(vec![2]));
        assert!(read_archive(&bytes[..bytes.len() / 2]).is_err());
    }
}
