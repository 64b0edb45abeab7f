//! Ranges of real numbers, one per tensor.

use serde::Serialize;

use crate::ir::TensorId;

/// A closed range of real numbers that includes 0, so that 0 can be stored without error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Range {
    low: f32,
    high: f32,
}

impl Range {
    /// The smallest range that holds 0 and both bounds, which must be finite.
    pub fn new(low: f32, high: f32) -> Self {
        Range { low: low.min(high).min(0.0), high: high.max(low).max(0.0) }
    }

    /// At most 0.
    pub const fn low(self) -> f32 {
        self.low
    }

    /// At least 0.
    pub const fn high(self) -> f32 {
        self.high
    }

    /// Whether the range holds nothing but 0.
    pub fn is_zero(self) -> bool {
        self.low == self.high
    }

    /// The smallest range that holds both.
    pub fn union(self, other: Range) -> Range {
        Range { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The part within a clamp, which may lie on one side of 0.
    pub fn clamped(self, (low, high): (f32, f32)) -> Range {
        Range::new(self.low.clamp(low, high), self.high.clamp(low, high))
    }

    /// The larger magnitude of the bounds.
    pub fn magnitude(self) -> f32 {
        self.high.max(-self.low)
    }
}

/// The range of every activation of one graph that was observed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranges(Vec<Option<Range>>);

impl Ranges {
    /// Ranges of no tensor yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The range of a tensor; `None` for constants, integers, and tensors of another graph.
    pub fn get(&self, tensor: TensorId) -> Option<Range> {
        self.0.get(tensor.index()).copied().flatten()
    }

    /// States the range of a tensor.
    pub fn set(&mut self, tensor: TensorId, range: Range) {
        if self.0.len() <= tensor.index() {
            self.0.resize(tensor.index() + 1, None);
        }
        self.0[tensor.index()] = Some(range);
    }

    /// Whether no range is known.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_includes_zero() {
        let range = Range::new(2.0, 3.0);
        assert_eq!((range.low(), range.high()), (0.0, 3.0));
        assert_eq!(Range::new(-3.0, -2.0), Range::new(-3.0, 0.0));
        assert!(Range::new(0.0, 0.0).is_zero());
        assert_eq!(Range::new(-1.0, 9.0).clamped((0.0, 6.0)), Range::new(0.0, 6.0));
        assert_eq!(Range::new(-1.0, 9.0).clamped((2.0, 6.0)), Range::new(0.0, 6.0));
    }
}
