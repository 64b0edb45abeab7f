//! Bounded reading of FlatBuffers.
//!
//! Every access checks that it stays within the file and costs part of an allowance, so that overlapping tables
//! cannot make a small file expensive. There is nothing to verify beforehand and nothing unsafe.
//!
//! A file starts with the offset of the root table. A table starts with the distance back to its vtable: its length,
//! the table's length, and for each field, in u16, the field's place in the table (0: absent). Strings, vectors and
//! tables are fields that hold the distance forward to what they stand for.

use std::borrow::Cow;
use std::cell::Cell;

use thiserror::Error;

/// A field of a table: its number in the schema, and its name for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) number: usize,
    pub(super) name: &'static str,
}

/// Where and how a file violates the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{table}.{field} {problem}")]
pub struct Broken {
    /// The table's name in the schema.
    pub table: &'static str,
    /// The field's name in the schema.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: BrokenField,
}

/// How a field violates the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BrokenField {
    /// It reaches past the end of the file.
    #[error("reaches past the end of the file")]
    Outside,
    /// What it refers to has been read many times over.
    #[error("takes more than the file can hold: its parts overlap")]
    Overlap,
}

/// A file under reading.
#[derive(Debug)]
pub(super) struct File<'a> {
    bytes: &'a [u8],
    allowance: Cell<usize>,
}

impl<'a> File<'a> {
    /// What a table costs of the allowance: about what it takes in memory once read.
    const TABLE_COST: usize = 256;

    /// Sum of the costs allowed, per byte of the file.
    const ALLOWANCE: usize = 16;

    pub(super) fn new(bytes: &'a [u8]) -> Self {
        File { bytes, allowance: Cell::new(bytes.len().saturating_add(1024).saturating_mul(Self::ALLOWANCE)) }
    }

    pub(super) fn root(&'a self, name: &'static str) -> Result<Table<'a>, Broken> {
        let absent = Table { file: self, name, start: 0, vtable: &[] };
        absent.open(0, name, Field { number: 0, name: "root" })
    }

    /// The bytes outside any table that a model refers to.
    pub(super) fn slice(&self, start: u64, length: u64) -> Option<&'a [u8]> {
        let start = usize::try_from(start).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes.get(start..end)
    }

    /// Takes `cost` bytes of the allowance; `None` if it is used up.
    fn charge(&self, cost: usize) -> Option<()> {
        self.allowance.set(self.allowance.get().checked_sub(cost)?);
        Some(())
    }

    fn at<const LENGTH: usize>(&self, position: usize) -> Option<[u8; LENGTH]> {
        self.bytes.get(position..)?.first_chunk().copied()
    }

    /// Follows the forward offset at `position`.
    fn follow(&self, position: usize) -> Option<usize> {
        position.checked_add(u32::from_le_bytes(self.at(position)?) as usize)
    }
}

/// A table of a file, or an absent one, whose fields are all absent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    file: &'a File<'a>,
    name: &'static str,
    start: usize,
    /// The fields' places.
    vtable: &'a [u8],
}

impl<'a> Table<'a> {
    /// A table without fields.
    pub(super) fn absent(file: &'a File<'a>, name: &'static str) -> Self {
        Table { file, name, start: 0, vtable: &[] }
    }

    /// A number, or `default` if it is absent.
    pub(super) fn scalar<T: Scalar>(&self, field: Field, default: T) -> Result<T, Broken> {
        let Some(position) = self.position(field) else { return Ok(default) };
        self.in_file(field, self.file.bytes.get(position..).and_then(T::first))
    }

    /// The bytes of a vector of bytes or of a string; none if it is absent.
    pub(super) fn bytes(&self, field: Field) -> Result<&'a [u8], Broken> {
        self.vector_bytes(field, 1)
    }

    /// A string, with replacements for what is not UTF-8.
    pub(super) fn text(&self, field: Field) -> Result<Cow<'a, str>, Broken> {
        self.bytes(field).map(String::from_utf8_lossy)
    }

    /// A vector of numbers; empty if it is absent.
    pub(super) fn vector<T: Scalar>(&self, field: Field) -> Result<Vec<T>, Broken> {
        let bytes = self.vector_bytes(field, size_of::<T>())?;
        Ok(bytes.chunks_exact(size_of::<T>()).filter_map(T::first).collect())
    }

    /// A table, if it is present.
    pub(super) fn table(&self, field: Field, name: &'static str) -> Result<Option<Table<'a>>, Broken> {
        self.position(field).map(|position| self.open(position, name, field)).transpose()
    }

    /// A vector of tables; empty if it is absent.
    pub(super) fn tables(&self, field: Field, name: &'static str) -> Result<Vec<Table<'a>>, Broken> {
        let Some(position) = self.position(field) else { return Ok(Vec::new()) };
        let vector = self.in_file(field, self.file.follow(position))?;
        let count = self.vector_bytes(field, 4)?.len() / 4;
        (0..count).map(|index| self.open(vector + 4 + 4 * index, name, field)).collect()
    }

    /// Takes the cost of what is made of a field out of the file's allowance.
    pub(super) fn charge(&self, field: Field, cost: usize) -> Result<(), Broken> {
        let overlap = Broken { table: self.name, field: field.name, problem: BrokenField::Overlap };
        self.file.charge(cost).ok_or(overlap)
    }

    /// The error that something a field refers to is outside the file.
    pub(super) fn outside(&self, field: Field) -> Broken {
        Broken { table: self.name, field: field.name, problem: BrokenField::Outside }
    }

    fn open(&self, position: usize, name: &'static str, field: Field) -> Result<Table<'a>, Broken> {
        self.charge(field, File::TABLE_COST)?;
        let opened = || {
            let start = self.file.follow(position)?;
            let back = i32::from_le_bytes(self.file.at(start)?) as isize;
            let vtable = start.checked_add_signed(back.checked_neg()?)?;
            let length = u16::from_le_bytes(self.file.at(vtable)?) as usize;
            let vtable = self.file.bytes.get(vtable..)?.get(..length)?.get(4..)?;
            Some(Table { file: self.file, name, start, vtable })
        };
        self.in_file(field, opened())
    }

    /// Where a present field is.
    fn position(&self, field: Field) -> Option<usize> {
        let place = self.vtable.get(2 * field.number..)?.first_chunk().copied()?;
        match u16::from_le_bytes(place) {
            0 => None,
            place => Some(self.start + usize::from(place)),
        }
    }

    fn vector_bytes(&self, field: Field, element: usize) -> Result<&'a [u8], Broken> {
        let Some(position) = self.position(field) else { return Ok(&[]) };
        let found = || {
            let vector = self.file.follow(position)?;
            let length = (u32::from_le_bytes(self.file.at(vector)?) as usize).checked_mul(element)?;
            self.file.bytes.get(vector.checked_add(4)?..)?.get(..length)
        };
        let bytes = self.in_file(field, found())?;
        self.charge(field, bytes.len())?;
        Ok(bytes)
    }

    fn in_file<T>(&self, field: Field, found: Option<T>) -> Result<T, Broken> {
        found.ok_or(self.outside(field))
    }
}

/// A number as FlatBuffers store it.
pub(super) trait Scalar: Sized {
    /// The number at the beginning of `bytes`.
    fn first(bytes: &[u8]) -> Option<Self>;
}

macro_rules! scalars {
    ($($number:ty)*) => {$(
        impl Scalar for $number {
            fn first(bytes: &[u8]) -> Option<Self> {
                bytes.first_chunk().map(|&bytes| <$number>::from_le_bytes(bytes))
            }
        }
    )*};
}

scalars!(i8 u8 i32 u32 i64 u64 f32);

impl Scalar for bool {
    fn first(bytes: &[u8]) -> Option<Self> {
        bytes.first().map(|&byte| byte != 0)
    }
}
