//! The range whose 8-bit distribution loses the least information.

use super::histogram::{BINS, Histogram};
use super::{Observed, Range};

/// Values that 8 bits tell apart.
const LEVELS: usize = 256;

/// Candidates tried between `LEVELS` intervals and all of them.
const CANDIDATES: usize = 128;

/// Shrinks the range towards 0, both sides by the same factor, and takes the one of the least Kullback-Leibler
/// divergence between two distributions over the intervals of the histogram: the values clipped to the range, and what
/// is left of them when neighbouring intervals are merged into 256 levels and spread evenly again over those that are
/// occupied. Clipped values are missing from the second one, which is what clipping costs.
pub(super) fn range(observed: &Observed) -> Range {
    let Some(histogram) = &observed.histogram else { return super::min_max::range(observed) };
    let full = histogram.range();
    let mut best = (f64::INFINITY, full);
    // From wide to narrow: of equals, the widest.
    for candidate in (1..=CANDIDATES).rev() {
        let kept = LEVELS + (BINS - LEVELS) * candidate / CANDIDATES;
        let fraction = kept as f64 / BINS as f64;
        let below = (zero_bin(histogram) as f64 * fraction).ceil() as usize;
        let start = zero_bin(histogram) - below;
        let end = (start + kept).min(BINS);
        let divergence = divergence(histogram.counts(), start, end);
        if divergence < best.0 {
            best = (divergence, Range::new(histogram.edge(start) as f32, histogram.edge(end) as f32));
        }
    }
    best.1
}

/// Number of intervals below 0.
fn zero_bin(histogram: &Histogram) -> usize {
    let (low, high) = (f64::from(histogram.range().low()), f64::from(histogram.range().high()));
    if high > low { ((-low / (high - low)) * BINS as f64).round() as usize } else { 0 }
}

/// What intervals `start..end`, merged into levels, tell less than all intervals clipped to them.
fn divergence(counts: &[u64], start: usize, end: usize) -> f64 {
    let kept = &counts[start..end];
    let mut clipped: Vec<f64> = kept.iter().map(|&count| count as f64).collect();
    let outside = |counts: &[u64]| counts.iter().sum::<u64>() as f64;
    if let [first, .., last] = &mut clipped[..] {
        *first += outside(&counts[..start]);
        *last += outside(&counts[end..]);
    }
    let mut spread = vec![0.0; kept.len()];
    for level in 0..LEVELS {
        let bins = level * kept.len() / LEVELS..(level + 1) * kept.len() / LEVELS;
        let occupied = clipped[bins.clone()].iter().filter(|&&count| count > 0.0).count();
        let sum: u64 = kept[bins.clone()].iter().sum();
        for bin in bins.filter(|&bin| clipped[bin] > 0.0) {
            spread[bin] = sum as f64 / occupied as f64;
        }
    }
    let (all, left) = (clipped.iter().sum::<f64>(), spread.iter().sum::<f64>());
    if all == 0.0 || left == 0.0 {
        return f64::INFINITY;
    }
    // An interval that only clipped values occupy has no counterpart: as if it held a ten-thousandth of a value.
    const ABSENT: f64 = 1e-4;
    let pairs = clipped.iter().zip(&spread).filter(|&(&p, _)| p > 0.0);
    pairs.map(|(p, q)| p / all * ((p / all) / (q.max(ABSENT) / left)).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_thin_tail_is_clipped() {
        let mut values: Vec<f32> = (1..=200_000).map(|i| -0.1 * (i as f32 / 200_000.0).ln()).collect();
        values.extend((0..20).map(|i| 1.0 + i as f32 / 2.0));
        let observed = Observed::of(&[&values]).with_histogram(&[&values]);
        let range = range(&observed);
        assert!(range.high() < 8.0 && range.high() >= 0.5, "{range:?}");
    }

    #[test]
    fn both_sides_shrink_alike() {
        let values: Vec<f32> = (-1000..=1000).map(|i| i as f32 / 1000.0).collect();
        let observed = Observed::of(&[&values]).with_histogram(&[&values]);
        let range = range(&observed);
        assert!((range.low() + range.high()).abs() < 0.01, "{range:?}");
    }
}
