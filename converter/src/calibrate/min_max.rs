//! The least and the greatest value of all samples.

use super::{Observed, Range};

/// Nothing is clipped: one outlier costs every other value resolution.
pub(super) fn range(observed: &Observed) -> Range {
    observed.extremes.iter().copied().reduce(Range::union).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_counts() {
        let observed = Observed::of(&[&[-1.0, 2.0], &[0.5], &[-3.0]]);
        assert_eq!(range(&observed), Range::new(-3.0, 2.0));
    }
}
