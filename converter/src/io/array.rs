//! Arrays as they come from files.

use std::fmt;

use crate::ir::shape::Dimensions;

/// Elements of one type with dimensions, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Dimensions, outermost first; none for a single value.
    pub shape: Vec<usize>,
    /// As many elements as the dimensions say.
    pub elements: Elements,
}

/// The elements of an [`Array`]. What a file holds is widened to one of these where that loses nothing that matters.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements {
    /// Real numbers: float32, or float64 rounded to it.
    F32(Vec<f32>),
    /// int8.
    I8(Vec<i8>),
    /// uint8: pixels, as a rule.
    U8(Vec<u8>),
    /// Every other integer and bool.
    I64(Vec<i64>),
}

impl Elements {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::I64(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type, as NumPy calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::F32(_) => "float32",
            Self::I8(_) => "int8",
            Self::U8(_) => "uint8",
            Self::I64(_) => "int64",
        }
    }

    /// The values as integers; `None` for real numbers.
    pub fn integers(&self) -> Option<Vec<i64>> {
        match self {
            Self::F32(_) => None,
            Self::I8(values) => Some(values.iter().map(|&value| value.into()).collect()),
            Self::U8(values) => Some(values.iter().map(|&value| value.into()).collect()),
            Self::I64(values) => Some(values.clone()),
        }
    }
}

impl Array {
    /// The first `count` entries along the first axis, or all there are.
    pub fn first(mut self, count: usize) -> Self {
        let Some((length, rest)) = self.shape.split_first_mut() else { return self };
        *length = count.min(*length);
        let elements = *length * rest.iter().product::<usize>();
        match &mut self.elements {
            Elements::F32(values) => values.truncate(elements),
            Elements::I8(values) => values.truncate(elements),
            Elements::U8(values) => values.truncate(elements),
            Elements::I64(values) => values.truncate(elements),
        }
        self
    }
}

/// `uint8 [1000,28,28]`
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.elements.type_name(), Dimensions(&self.shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entries_are_taken_along_the_first_axis() {
        let array = Array { shape: vec![3, 2], elements: Elements::U8(vec![1, 2, 3, 4, 5, 6]) };
        assert_eq!(array.to_string(), "uint8 [3,2]");
        let first = array.clone().first(2);
        assert_eq!(first, Array { shape: vec![2, 2], elements: Elements::U8(vec![1, 2, 3, 4]) });
        assert_eq!(array.clone().first(9), array);
    }
}
