//! Counts of values in equal intervals of a range.

use super::Range;

/// Number of intervals: fine enough that the best clip of 8-bit values is found to 1/8 of a step.
pub const BINS: usize = 2048;

/// How often values fall into each of [`BINS`] equal intervals of a range.
///
/// Counts of several histograms of one range add up to the same whatever the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    range: Range,
    counts: Vec<u64>,
}

impl Histogram {
    /// No values yet.
    pub fn new(range: Range) -> Self {
        Histogram { range, counts: vec![0; BINS] }
    }

    /// Counts values; those outside the range count at its ends.
    pub fn add(&mut self, values: &[f32]) {
        let low = f64::from(self.range.low());
        let per_bin = BINS as f64 / self.span();
        if !per_bin.is_finite() {
            return;
        }
        for &value in values {
            let bin = ((f64::from(value) - low) * per_bin) as usize;
            self.counts[bin.min(BINS - 1)] += 1;
        }
    }

    /// Adds the counts of a histogram of the same range.
    pub fn merge(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// The range that is cut into intervals.
    pub const fn range(&self) -> Range {
        self.range
    }

    /// Counts per interval, in ascending order.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// All values.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The real number at the lower end of an interval, or at the upper end of the last one.
    pub fn edge(&self, bin: usize) -> f64 {
        f64::from(self.range.low()) + self.span() * bin as f64 / BINS as f64
    }

    /// Intervals that hold something: middle and count.
    pub fn occupied(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let half = self.span() / BINS as f64 / 2.0;
        let bins = self.counts.iter().enumerate().filter(|&(_, &count)| count > 0);
        bins.map(move |(bin, &count)| (self.edge(bin) + half, count as f64))
    }

    fn span(&self) -> f64 {
        f64::from(self.range.high()) - f64::from(self.range.low())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_where_they_are() {
        let mut histogram = Histogram::new(Range::new(-1.0, 1.0));
        histogram.add(&[-1.0, -2.0, 0.0, 0.9999, 1.0, 5.0]);
        assert_eq!(
            (histogram.counts()[0], histogram.counts()[BINS / 2], histogram.counts()[BINS - 1]),
            (2, 1, 3)
        );
        let other = histogram.clone();
        histogram.merge(&other);
        assert_eq!((histogram.total(), histogram.edge(BINS / 2)), (12, 0.0));
        assert_eq!(histogram.occupied().count(), 3);
    }

    #[test]
    fn a_range_of_zero_counts_nothing() {
        let mut histogram = Histogram::new(Range::default());
        histogram.add(&[0.0]);
        assert_eq!(histogram.total(), 0);
    }
}
