//! Sums over all samples from which errors are made.

use crate::port::Port;

/// Sums over the elements of one tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) elements: usize,
    /// Squares of what is expected.
    pub(super) signal: f64,
    /// Squares of what is found.
    found: f64,
    /// Products of both.
    product: f64,
    /// Squares of the differences.
    pub(super) error: f64,
    /// Squares of the differences between what is expected and the nearest that the tensor can hold.
    pub(super) clipping: f64,
    /// Elements that are more than a step outside what the tensor can hold.
    clipped: usize,
    /// The largest difference.
    pub(super) max: f64,
    /// The least value expected.
    pub(super) low: f64,
    /// The greatest value expected.
    pub(super) high: f64,
}

impl Sums {
    /// The sums of one tensor of one sample.
    pub(super) fn of(expected: &[f32], found: &[f64], port: &Port) -> Self {
        let (least, greatest) = port.bounds();
        let step = port.scale.map_or(0.0, f64::from);
        let mut sums = Self::default();
        for (&expected, &found) in expected.iter().zip(found) {
            let expected = f64::from(expected);
            // Infinities and NaN are equal to themselves here.
            let equal = expected == found || (expected.is_nan() && found.is_nan());
            let difference = if equal { 0.0 } else { (found - expected).abs() };
            let outside = (expected - greatest).max(least - expected).max(0.0);
            sums.elements += 1;
            sums.signal += expected * expected;
            sums.found += found * found;
            sums.product += expected * found;
            sums.error += difference * difference;
            sums.clipping += outside * outside;
            sums.clipped += usize::from(outside > step);
            sums.max = sums.max.max(difference);
            sums.low = sums.low.min(expected);
            sums.high = sums.high.max(expected);
        }
        sums
    }

    /// Adds those of another sample.
    pub(super) fn add(&mut self, other: &Self) {
        self.elements += other.elements;
        self.signal += other.signal;
        self.found += other.found;
        self.product += other.product;
        self.error += other.error;
        self.clipping += other.clipping;
        self.clipped += other.clipped;
        self.max = self.max.max(other.max);
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    /// Signal-to-error ratio, where there are both.
    pub(super) fn sqnr_db(&self) -> Option<f64> {
        (self.signal > 0.0 && self.error > 0.0).then(|| 10.0 * (self.signal / self.error).log10())
    }

    /// Cosine of the angle between both, where neither is all zero.
    pub(super) fn cosine(&self) -> Option<f64> {
        let norms = (self.signal * self.found).sqrt();
        (norms > 0.0).then(|| (self.product / norms).clamp(-1.0, 1.0))
    }

    /// Share of elements that the tensor cannot hold.
    pub(super) fn clipped_share(&self) -> f64 {
        if self.elements == 0 { 0.0 } else { self.clipped as f64 / self.elements as f64 }
    }
}
