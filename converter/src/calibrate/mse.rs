//! The range whose 8-bit values have the least squared error.

use super::histogram::Histogram;
use super::{Observed, Range};

/// Steps of one round of search on one side.
const STEPS: usize = 128;

/// Rounds of search on both sides in turn.
const ROUNDS: usize = 3;

/// Searches the two bounds in turn, each over fractions of the extreme that was seen, for the least sum of squared
/// differences between values and their 8-bit quantization.
pub(super) fn range(observed: &Observed) -> Range {
    let Some(histogram) = &observed.histogram else { return super::min_max::range(observed) };
    let full = histogram.range();
    let bins: Vec<(f64, f64)> = histogram.occupied().collect();
    let mut best = full;
    let mut least = squared_error(&bins, histogram, full);
    for _ in 0..ROUNDS {
        let before = best;
        for step in 1..=STEPS {
            let fraction = step as f32 / STEPS as f32;
            for candidate in [
                Range::new(full.low() * fraction, before.high()),
                Range::new(best.low(), full.high() * fraction),
            ] {
                let error = squared_error(&bins, histogram, candidate);
                if error < least {
                    (best, least) = (candidate, error);
                }
            }
        }
        if best == before {
            break;
        }
    }
    best
}

/// The squared error of all values, when clipped to a range and rounded to its 256 steps.
fn squared_error(bins: &[(f64, f64)], histogram: &Histogram, range: Range) -> f64 {
    let (low, high) = (f64::from(range.low()), f64::from(range.high()));
    let step = (high - low) / 255.0;
    if step <= 0.0 {
        return bins.iter().map(|(value, count)| value * value * count).sum();
    }
    let width = histogram.edge(1) - histogram.edge(0);
    // Values spread over their interval: where steps are finer than intervals, only this rounding error is left.
    let within = step.min(width).powi(2) / 12.0;
    bins.iter()
        .map(|&(value, count)| {
            let stored = (value.clamp(low, high) / step).round() * step;
            count * ((value - stored).powi(2) + within)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_among_many_is_clipped() {
        let mut values: Vec<f32> = (0..2_000_000).map(|i| (i % 1000) as f32 / 1000.0).collect();
        values.push(40.0);
        let observed = Observed::of(&[&values]).with_histogram(&[&values]);
        let range = range(&observed);
        assert!(range.high() < 20.0 && range.high() >= 1.0, "{range:?}");
    }

    #[test]
    fn evenly_spread_values_are_not_clipped() {
        let values: Vec<f32> = (-500..=1000).map(|i| i as f32 / 1000.0).collect();
        let observed = Observed::of(&[&values]).with_histogram(&[&values]);
        let range = range(&observed);
        assert!(range.high() > 0.98 && range.low() < -0.49, "{range:?}");
    }
}
