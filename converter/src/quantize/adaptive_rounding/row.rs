//! Rounding of the weights of one output channel.

use super::metric::{Metric, dot};
use crate::quantize::Width;

/// Integers of one output channel and their scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Positive.
    pub scale: f32,
    /// One integer per weight.
    pub values: Vec<i8>,
}

/// What a channel should compute.
#[derive(Clone, Debug)]
pub struct Target<'m> {
    /// How errors count.
    metric: &'m Metric,
    /// The best real weights.
    weights: Vec<f64>,
    /// The metric's product with them.
    product: Vec<f64>,
    /// Their square in the metric.
    square: f64,
    /// Width of the integers.
    width: Width,
    /// Least scale.
    least: f64,
}

/// Scales that rounding starts from, in parts of the one that suits the weights themselves.
const FACTORS: [f64; 8] = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25];

/// Most rounds of changes of single weights.
const SWEEPS: usize = 100;

/// An improvement below this share of an error is none.
const NOISE: f64 = 1e-9;

impl<'m> Target<'m> {
    /// The real weights whose product with the metric is given, to be approached by integers of a width at a scale not
    /// below `least`.
    pub fn new(metric: &'m Metric, product: Vec<f64>, width: Width, least: f32) -> Self {
        let weights = metric.solve(&product);
        let square = dot(&weights, &product);
        Self { metric, weights, product, square, width, least: f64::from(least) }
    }

    /// The error of integers in the metric.
    pub fn error(&self, row: &Row) -> f64 {
        let scale = f64::from(row.scale);
        let error = |(weight, &value): (&f64, &i8)| weight - scale * f64::from(value);
        let error: Vec<f64> = self.weights.iter().zip(&row.values).map(error).collect();
        dot(&error, &self.metric.product(&error))
    }

    /// Integers whose error is at most that of `nearest`, which are the weights rounded one by one.
    pub fn round(&self, nearest: &Row) -> Row {
        let factors: &[f64] = if self.width == Width::Int8 { &[1.0] } else { &FACTORS };
        let in_turn = |&factor: &f64| {
            let scale = factor * f64::from(nearest.scale);
            Fit::new(self, self.in_turn(scale), scale)
        };
        let in_turn = factors.iter().map(in_turn).reduce(Fit::or_better);
        let one_by_one = Fit::new(self, nearest.values.clone(), nearest.scale.into());
        let best = in_turn.into_iter().chain([one_by_one]).map(Fit::descend).reduce(Fit::or_better);
        let found = best.map_or_else(|| nearest.clone(), Fit::into_row);
        if self.error(&found) < self.error(nearest) { found } else { nearest.clone() }
    }

    /// Integers chosen one after another, each of which makes up for the errors of those before it.
    fn in_turn(&self, scale: f64) -> Vec<i8> {
        let (low, high) = self.width.bounds();
        let mut values = vec![0; self.weights.len()];
        self.metric.in_turn(&self.weights, |tap, best| {
            let value = match self.width {
                Width::OneBit => {
                    if best < 0.0 {
                        low
                    } else {
                        high
                    }
                }
                // A cast saturates, and NaN, which no sane scale gives, becomes 0.
                _ => ((best / scale).round() as i8).clamp(low, high),
            };
            values[tap] = value;
            scale * f64::from(value)
        });
        values
    }

    /// The scale that fits integers best, for `q H w` and `q H q`.
    fn scale(&self, along: f64, square: f64, usual: f64) -> f64 {
        let best = along / square;
        let is_usable = best.is_finite() && best >= f64::from(f32::MIN_POSITIVE);
        (if is_usable { best } else { usual }).max(self.least)
    }
}

/// Integers at the scale that fits them best.
struct Fit<'t> {
    target: &'t Target<'t>,
    /// The integers `q`.
    values: Vec<i8>,
    /// `H q`
    product: Vec<f64>,
    /// `q H w`
    along: f64,
    /// `q H q`
    square: f64,
    /// The scale of integers that no scale fits.
    usual: f64,
}

impl<'t> Fit<'t> {
    fn new(target: &'t Target<'_>, values: Vec<i8>, usual: f64) -> Self {
        let real: Vec<f64> = values.iter().map(|&value| value.into()).collect();
        let product = target.metric.product(&real);
        let (along, square) = (dot(&real, &target.product), dot(&real, &product));
        Self { target, values, product, along, square, usual }
    }

    fn scale(&self) -> f64 {
        self.target.scale(self.along, self.square, self.usual)
    }

    fn error(&self) -> f64 {
        self.error_with(self.along, self.square)
    }

    fn error_with(&self, along: f64, square: f64) -> f64 {
        let scale = self.target.scale(along, square, self.usual);
        self.target.square - scale * (2.0 * along - scale * square)
    }

    /// Changes single integers by the least step while that helps, the scale following.
    fn descend(mut self) -> Self {
        let mut error = self.error();
        for _ in 0..SWEEPS {
            let mut has_changed = false;
            for tap in 0..self.values.len() {
                for step in steps(self.target.width, self.values[tap]) {
                    let row = self.target.metric.row(tap);
                    let change = f64::from(step);
                    let along = self.along + change * self.target.product[tap];
                    let square = self.square + change * (2.0 * self.product[tap] + change * row[tap]);
                    let changed = self.error_with(along, square);
                    if changed < error - NOISE * error.abs() {
                        (self.along, self.square, error) = (along, square, changed);
                        self.values[tap] += step;
                        self.product
                            .iter_mut()
                            .zip(row)
                            .for_each(|(product, moment)| *product += change * moment);
                        has_changed = true;
                    }
                }
            }
            if !has_changed {
                break;
            }
        }
        self
    }

    /// The one of less error, `self` if both have the same.
    fn or_better(self, other: Self) -> Self {
        if other.error() < self.error() { other } else { self }
    }

    fn into_row(self) -> Row {
        Row { scale: self.scale() as f32, values: self.values }
    }
}

/// The changes of an integer to its neighbours.
fn steps(width: Width, value: i8) -> impl Iterator<Item = i8> {
    let (low, high) = width.bounds();
    let steps = if width == Width::OneBit { [-2, 2] } else { [-1, 1] };
    steps
        .into_iter()
        .filter(move |&step| value.checked_add(step).is_some_and(|new| (low..=high).contains(&new)))
}

#[cfg(test)]
mod tests {
    use super::super::metric::tests::random;
    use super::*;
    use crate::ir::Shape;
    use crate::quantize::weights::quantize_weights;

    fn nearest(weights: &[f64], width: Width) -> Row {
        let weights: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
        let rounded = quantize_weights(&weights, &Shape::from([1, weights.len()]), 0, width, &[]);
        Row { scale: rounded.scales[0], values: rounded.values }
    }

    /// A random problem: metric and weights.
    fn problem(size: usize, source: &mut fastrand::Rng) -> (Metric, Vec<f64>) {
        let metric = random(size, source);
        (metric, (0..size).map(|_| (0..4).map(|_| source.f64() - 0.5).sum()).collect())
    }

    /// The least error of all integers, each choice at its best scale.
    fn least_error(target: &Target<'_>, width: Width) -> f64 {
        let (low, high) = width.bounds();
        let levels: Vec<i8> = if width == Width::OneBit { vec![low, high] } else { (low..=high).collect() };
        let size = target.weights.len();
        let choices = levels.len().pow(size as u32);
        let values = |choice: usize| {
            (0..size as u32).map(|tap| levels[choice / levels.len().pow(tap) % levels.len()]).collect()
        };
        (0..choices).map(|choice| Fit::new(target, values(choice), 1.0).error()).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_error_is_close_to_the_least_possible() {
        let mut source = fastrand::Rng::with_seed(4);
        for (width, size, cases, share) in [(Width::OneBit, 9, 60, 1.1), (Width::Int4, 4, 12, 1.5)] {
            let (mut found, mut possible, mut plain) = (0.0, 0.0, 0.0);
            for _ in 0..cases {
                let (metric, weights) = problem(size, &mut source);
                let target = Target::new(&metric, metric.product(&weights), width, 0.0);
                let nearest = nearest(&weights, width);
                let row = target.round(&nearest);
                let least = least_error(&target, width);
                assert!(target.error(&row) > least * 0.999_999);
                found += target.error(&row) / target.square;
                possible += least / target.square;
                plain += target.error(&nearest) / target.square;
            }
            assert!(found < share * possible, "{width}: {found} of {possible}, nearest {plain}");
            assert!(found < 0.7 * plain, "{width}: {found}, nearest {plain}");
        }
    }

    #[test]
    fn no_rounding_is_worse_than_to_nearest() {
        let mut source = fastrand::Rng::with_seed(5);
        for case in 0..300 {
            let (metric, weights) = problem(1 + case % 24, &mut source);
            for width in Width::ALL {
                let target = Target::new(&metric, metric.product(&weights), width, 0.0);
                let nearest = nearest(&weights, width);
                let row = target.round(&nearest);
                assert!(target.error(&row) <= target.error(&nearest));
                let (low, high) = width.bounds();
                assert!(row.scale > 0.0 && row.values.iter().all(|value| (low..=high).contains(value)));
                assert!(width != Width::OneBit || row.values.iter().all(|value| value.abs() == 1));
                let again = target.round(&row);
                assert!(target.error(&again) <= target.error(&row), "a second time");
            }
        }
    }

    #[test]
    fn inputs_that_do_not_depend_on_each_other_leave_nothing_to_gain_but_the_scale() {
        let metric = Metric::new(vec![4.0, 0.0, 0.0, 4.0], 2);
        let nearest = Row { scale: 0.1, values: vec![7, -3] };
        let target = Target::new(&metric, metric.product(&[0.7, -0.3]), Width::Int4, 0.0);
        assert_eq!(target.round(&nearest).values, nearest.values);
    }

    #[test]
    fn the_scale_stays_above_its_least() {
        let metric = Metric::new(vec![1.0], 1);
        for width in Width::ALL {
            let target = Target::new(&metric, metric.product(&[0.01]), width, 2.0);
            assert!(target.round(&Row { scale: 2.0, values: vec![1] }).scale >= 2.0);
        }
    }

    #[test]
    fn weights_of_zero_keep_a_usual_scale() {
        let metric = Metric::new(vec![1.0, 0.5, 0.5, 1.0], 2);
        let target = Target::new(&metric, vec![0.0; 2], Width::Int4, 0.0);
        assert_eq!(
            target.round(&Row { scale: 0.3, values: vec![0, 0] }),
            Row { scale: 0.3, values: vec![0, 0] }
        );
    }
}
