//! The range that holds a share of all values.

use super::{Observed, Range};

/// Clips `100 - percentile` percent of the values on each side of 0, to the precision of the histogram.
///
/// The share is one of all values, so that a tensor of many zeros is clipped no more than others.
pub(super) fn range(observed: &Observed, percentile: f32) -> Range {
    let Some(histogram) = &observed.histogram else { return super::min_max::range(observed) };
    let clipped = histogram.total() as f64 * (1.0 - f64::from(percentile) / 100.0);
    // Bins that together hold no more than the share that may be clipped.
    let clippable = |counts: &mut dyn Iterator<Item = u64>| {
        let mut sum = 0.0;
        counts
            .take_while(|&count| {
                sum += count as f64;
                sum <= clipped
            })
            .count()
    };
    let from_below = clippable(&mut histogram.counts().iter().copied());
    let from_above = clippable(&mut histogram.counts().iter().rev().copied());
    let low = histogram.edge(from_below).min(0.0);
    let high = histogram.edge(histogram.counts().len() - from_above).max(0.0);
    Range::new(low as f32, high as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_values_are_clipped() {
        let mut values: Vec<f32> = (0..10_000).map(|i| i as f32 / 10_000.0).collect();
        values.push(100.0);
        let observed = Observed::of(&[&values]).with_histogram(&[&values]);
        assert!(range(&observed, 99.9).high() <= 1.1);
        assert_eq!(range(&observed, 100.0), Range::new(0.0, 100.0));
        let negative: Vec<f32> = values.iter().map(|value| -value).collect();
        let observed = Observed::of(&[&negative]).with_histogram(&[&negative]);
        assert!(range(&observed, 99.9).low() >= -1.1);
    }
}
