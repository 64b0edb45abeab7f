//! Dimensions of a tensor.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Dimensions of a tensor, outermost first. No dimensions: a scalar.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Largest number of elements of a tensor: far above any microcontroller's memory, and small enough that no
    /// size derived from it overflows.
    pub const MAX_ELEMENTS: usize = 1 << 30;

    /// Most dimensions a tensor may have.
    pub const MAX_RANK: usize = 8;

    /// Number of dimensions.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// Product of the dimensions, or `None` if it exceeds [`Shape::MAX_ELEMENTS`] or a dimension is 0.
    pub fn elements(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |product, &dimension| {
            let product = product.checked_mul(dimension)?;
            (1..=Self::MAX_ELEMENTS).contains(&product).then_some(product)
        })
    }

    /// The shape that `self` and `other` broadcast to (aligned at the last axis), or `None` if they do not.
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        let rank = self.rank().max(other.rank());
        let at = |shape: &Shape, axis: usize| match (axis + shape.rank()).checked_sub(rank) {
            Some(axis) => shape.0[axis],
            None => 1,
        };
        (0..rank)
            .map(|axis| match (at(self, axis), at(other, axis)) {
                (left, right) if left == right || right == 1 => Some(left),
                (1, right) => Some(right),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(Shape)
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dimensions: Vec<usize>) -> Self {
        Shape(dimensions)
    }
}

impl From<&[usize]> for Shape {
    fn from(dimensions: &[usize]) -> Self {
        Shape(dimensions.to_vec())
    }
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    fn from(dimensions: [usize; RANK]) -> Self {
        Shape(dimensions.to_vec())
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(dimensions: I) -> Self {
        Shape(dimensions.into_iter().collect())
    }
}

/// `[1,28,28,3]`
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Dimensions(&self.0).fmt(f)
    }
}

/// Dimensions in print: `[1,28,28]`.
#[derive(Clone, Copy, Debug)]
pub struct Dimensions<'a, T = usize>(pub &'a [T]);

impl<T: fmt::Display> fmt::Display for Dimensions<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (axis, dimension) in self.0.iter().enumerate() {
            let separator = if axis == 0 { "" } else { "," };
            write!(f, "{separator}{dimension}")?;
        }
        f.write_str("]")
    }
}

/// A height and a width: of a window, a stride, a dilation or an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "[usize; 2]", into = "[usize; 2]")]
pub struct Hw {
    /// Extent along axis 1 of NHWC.
    pub height: usize,
    /// Extent along axis 2 of NHWC.
    pub width: usize,
}

impl Hw {
    /// `height` x `width`.
    pub const fn new(height: usize, width: usize) -> Self {
        Hw { height, width }
    }

    /// The same extent on both axes.
    pub const fn square(side: usize) -> Self {
        Hw::new(side, side)
    }
}

impl From<[usize; 2]> for Hw {
    fn from([height, width]: [usize; 2]) -> Self {
        Hw { height, width }
    }
}

impl From<Hw> for [usize; 2] {
    fn from(size: Hw) -> Self {
        [size.height, size.width]
    }
}

/// `3x5`
impl fmt::Display for Hw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.height, self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_bounded() {
        assert_eq!(Shape::default().elements(), Some(1));
        assert_eq!(Shape::from([2, 3, 4]).elements(), Some(24));
        assert_eq!(Shape::from([2, 0]).elements(), None);
        assert_eq!(Shape::from([1 << 16; 4]).elements(), None);
        assert_eq!(Shape::from([usize::MAX, 0]).elements(), None);
    }

    #[test]
    fn broadcasting_aligns_the_last_axis() {
        let broadcast = |left: &[usize], right: &[usize]| Shape::from(left).broadcast(&Shape::from(right));
        assert_eq!(broadcast(&[1, 4, 4, 8], &[8]), Some(Shape::from([1, 4, 4, 8])));
        assert_eq!(broadcast(&[], &[3]), Some(Shape::from([3])));
        assert_eq!(broadcast(&[2, 1, 3], &[4, 1]), Some(Shape::from([2, 4, 3])));
        assert_eq!(broadcast(&[2, 3], &[2]), None);
    }

    #[test]
    fn prints_dimensions() {
        assert_eq!(Shape::from([1, 28, 28]).to_string(), "[1,28,28]");
        assert_eq!(Shape::default().to_string(), "[]");
        assert_eq!(Hw::new(3, 5).to_string(), "3x5");
    }
}
