//! A moving average of each sample's least and greatest value, in the order of the samples.

use super::{Observed, Range};

/// `average <- momentum * average + (1 - momentum) * extreme`, starting at the first sample's extremes.
///
/// Rare extremes lose their weight; the order of the samples matters.
pub(super) fn range(observed: &Observed, momentum: f32) -> Range {
    let momentum = f64::from(momentum);
    let mut average: Option<[f64; 2]> = None;
    for extremes in &observed.extremes {
        let new = [extremes.low(), extremes.high()].map(f64::from);
        average =
            Some(average.map_or(new, |old| {
                [0, 1].map(|bound| momentum * old[bound] + (1.0 - momentum) * new[bound])
            }));
    }
    average.map_or_else(Range::default, |[low, high]| Range::new(low as f32, high as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outlier_weighs_little() {
        let observed = Observed::of(&[&[1.0], &[11.0], &[1.0]]);
        let range = range(&observed, 0.9);
        assert!((range.high() - 1.9).abs() < 1e-6, "{range:?}");
    }
}
