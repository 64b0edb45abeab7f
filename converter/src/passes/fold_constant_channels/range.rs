//! The values that a channel can have.

use secateur::kernels::lookup::TABLE_LEN;
use secateur::quant::{Multiplier, OutputStage};

/// Every value of a channel lies between these, whatever the input of the network. One value: the channel is constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The least value.
    pub(super) low: i8,
    /// The greatest value.
    pub(super) high: i8,
}

impl Range {
    /// Nothing is known.
    pub(super) const WHOLE: Range = Range { low: i8::MIN, high: i8::MAX };

    pub(super) fn exactly(value: i8) -> Self {
        Range { low: value, high: value }
    }

    /// The value of a constant channel.
    pub(super) fn constant(self) -> Option<i8> {
        (self.low == self.high).then_some(self.low)
    }

    /// The least range that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        Range { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The least range that holds all of them.
    pub(super) fn of(values: impl IntoIterator<Item = i8>) -> Option<Self> {
        values.into_iter().map(Range::exactly).reduce(Range::hull)
    }

    /// What a stage's clamp leaves.
    pub(super) fn clamped(self, stage: &OutputStage) -> Self {
        let clamp = |value: i8| value.min(stage.max).max(stage.min);
        Range { low: clamp(self.low), high: clamp(self.high) }
    }

    /// What a table of the results for -128 to 127 makes of it.
    pub(super) fn looked_up(self, table: &[i8; TABLE_LEN]) -> Self {
        let index = |value: i8| (i16::from(value) + 128) as usize;
        Range::of(table[index(self.low)..=index(self.high)].iter().copied()).unwrap_or(Range::WHOLE)
    }

    /// The outputs for sums within `low` and `high`.
    ///
    /// Requantization is monotonic unless a left shift loses bits, and sums are exact unless they exceed 32 bits. Where
    /// either may happen, only the stage's clamp is known.
    pub(super) fn requantized((low, high): (i64, i64), multiplier: Multiplier, stage: &OutputStage) -> Self {
        let headroom = multiplier.shift.clamp(0, 31);
        let exact = |sum: i64| {
            let sum = i32::try_from(sum).ok()?;
            i32::try_from(i64::from(sum) << headroom).ok()?;
            Some(stage.finish(multiplier.apply(sum)))
        };
        match (exact(low), exact(high)) {
            (Some(low), Some(high)) => Range { low, high },
            _ => Range { low: stage.min, high: stage.max },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantization_maps_both_ends() {
        let half = Multiplier { mantissa: 1 << 30, shift: 0 };
        let stage = OutputStage::new(3);
        assert_eq!(Range::requantized((-4, 5), half, &stage), Range { low: 1, high: 6 });
        assert_eq!(Range::requantized((-1000, -900), half, &stage).constant(), Some(-128));
        assert_eq!(Range::requantized((i64::MIN, i64::MAX), Multiplier::default(), &stage), Range::WHOLE);
    }

    #[test]
    fn lost_bits_leave_only_the_clamp() {
        let stage = OutputStage { min: -5, max: 9, ..OutputStage::new(0) };
        let clamp = Range { low: -5, high: 9 };
        let large = Multiplier { mantissa: 1 << 30, shift: 4 };
        assert_eq!(Range::requantized((0, i64::from(i32::MAX) + 1), large, &stage), clamp);
        assert_eq!(Range::requantized((1 << 27, 1 << 27), large, &stage), clamp);
        assert_eq!(Range::requantized((1 << 26, 1 << 26), large, &stage).constant(), Some(9));
    }

    #[test]
    fn tables_need_not_be_monotonic() {
        let table = core::array::from_fn(|i| (i as i32 - 128).abs().min(127) as i8);
        assert_eq!(Range { low: -3, high: 2 }.looked_up(&table), Range { low: 0, high: 3 });
        assert_eq!(Range::WHOLE.looked_up(&table), Range { low: 0, high: 127 });
    }
}
