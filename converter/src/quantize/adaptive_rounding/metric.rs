//! The error of a layer's sums as a function of its weights' errors.

/// Share of the mean second moment that is added to each: inputs that the samples hardly ever show, or show together
/// only, leave the weights otherwise free to take any value.
const DAMPING: f64 = 0.01;

/// Damped second moments `H` of the inputs that a row of weights is multiplied with, and a factor of them.
///
/// Weights that are off by `e` put the layer's sums off by `e x`, whose mean square is `e H e`.
#[derive(Clone, Debug)]
pub struct Metric {
    size: usize,
    damping: f64,
    /// `H`, row by row.
    moments: Vec<f64>,
    /// Tap of each row of the factor.
    order: Vec<usize>,
    /// `L`, lower triangular, row by row: `L Lᵀ` is `H` with rows and columns in `order`.
    factor: Vec<f64>,
}

impl Metric {
    /// From the second moments of `size` inputs, row by row, symmetric.
    ///
    /// Inputs that are always 0 give the metric in which all weights count alike.
    pub fn new(mut moments: Vec<f64>, size: usize) -> Self {
        moments.resize(size * size, 0.0);
        let trace: f64 = (0..size).map(|tap| moments[tap * size + tap]).sum();
        let mean = trace / size.max(1) as f64;
        let damping = if mean.is_normal() { DAMPING * mean } else { 1.0 };
        (0..size).for_each(|tap| moments[tap * size + tap] += damping);
        let (order, factor) = factorize(&moments, size, damping);
        Self { size, damping, moments, order, factor }
    }

    /// Number of inputs.
    pub fn size(&self) -> usize {
        self.size
    }

    /// What was added to the diagonal.
    pub fn damping(&self) -> f64 {
        self.damping
    }

    /// Row `tap` of `H`.
    pub fn row(&self, tap: usize) -> &[f64] {
        &self.moments[tap * self.size..][..self.size]
    }

    /// `H w`
    pub fn product(&self, weights: &[f64]) -> Vec<f64> {
        (0..self.size).map(|tap| dot(self.row(tap), weights)).collect()
    }

    /// The `w` whose product `H w` is given.
    pub fn solve(&self, product: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut ordered: Vec<f64> = self.order.iter().map(|&tap| product[tap]).collect();
        for row in 0..n {
            let known = dot(&self.factor[row * n..][..row], &ordered);
            ordered[row] = (ordered[row] - known) / self.factor[row * n + row];
        }
        for row in (0..n).rev() {
            ordered[row] /= self.factor[row * n + row];
            let value = ordered[row];
            let line = &self.factor[row * n..][..row];
            ordered.iter_mut().zip(line).for_each(|(other, factor)| *other -= factor * value);
        }
        let mut weights = vec![0.0; n];
        self.order.iter().zip(ordered).for_each(|(&tap, value)| weights[tap] = value);
        weights
    }

    /// Chooses a value for each weight in turn. The first choice is made for the weight whose input varies most once
    /// the others are known; `choose` gets a tap and the best real value for it given all choices so far, if those to
    /// come could be any real numbers, and says what is taken.
    pub fn in_turn(&self, target: &[f64], mut choose: impl FnMut(usize, f64) -> f64) {
        let n = self.size;
        // Of position `i`: the sum over later positions `k` of `L[k][i] * e[k]`.
        let mut carried = vec![0.0; n];
        for position in (0..n).rev() {
            let tap = self.order[position];
            let line = &self.factor[position * n..][..=position];
            let best = target[tap] + carried[position] / line[position];
            let error = target[tap] - choose(tap, best);
            carried.iter_mut().zip(line).for_each(|(carried, factor)| *carried += factor * error);
        }
    }
}

/// `L` of the matrix in an order in which each pivot is the least that is left.
///
/// The squares of the diagonal sum up the error that rounding in turn leaves; their product does not depend on the
/// order, and small pivots first keep them close together.
fn factorize(moments: &[f64], n: usize, least: f64) -> (Vec<usize>, Vec<f64>) {
    let mut rest = moments.to_vec();
    let mut order: Vec<usize> = (0..n).collect();
    for step in 0..n {
        let pivot = (step..n)
            .fold(step, |best, row| if rest[row * n + row] < rest[best * n + best] { row } else { best });
        swap(&mut rest, n, step, pivot);
        order.swap(step, pivot);
        // Rounding can leave no more than noise where the damping should be.
        let diagonal = rest[step * n + step].max(least * 1e-3).sqrt();
        rest[step * n + step] = diagonal;
        let column: Vec<f64> = (step + 1..n).map(|row| rest[row * n + step] / diagonal).collect();
        for (offset, &factor) in column.iter().enumerate() {
            let row = step + 1 + offset;
            rest[row * n + step] = factor;
            let line = &mut rest[row * n + step + 1..][..=offset];
            line.iter_mut().zip(&column).for_each(|(value, other)| *value -= factor * other);
        }
    }
    (order, rest)
}

/// Swaps two rows and columns of the lower triangle; what stands above it is not read.
fn swap(matrix: &mut [f64], n: usize, first: usize, second: usize) {
    if first == second {
        return;
    }
    let mut exchange = |a: (usize, usize), b: (usize, usize)| matrix.swap(a.0 * n + a.1, b.0 * n + b.1);
    (0..first).for_each(|column| exchange((first, column), (second, column)));
    (first + 1..second).for_each(|middle| exchange((middle, first), (second, middle)));
    (second + 1..n).for_each(|row| exchange((row, first), (row, second)));
    exchange((first, first), (second, second));
}

/// The sum of products.
pub(super) fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Second moments of a few random samples of inputs that depend on each other.
    pub(in super::super) fn random(size: usize, random: &mut fastrand::Rng) -> Metric {
        let mut moments = vec![0.0; size * size];
        for _ in 0..2 * size {
            let common = random.f64() - 0.3;
            let sample: Vec<f64> =
                (0..size).map(|tap| (common + random.f64()) * (1.0 + tap as f64 % 3.0)).collect();
            for row in 0..size {
                (0..size).for_each(|column| moments[row * size + column] += sample[row] * sample[column]);
            }
        }
        Metric::new(moments, size)
    }

    #[test]
    fn the_factor_is_one_of_the_moments() {
        let mut source = fastrand::Rng::with_seed(1);
        for size in 1..12 {
            let metric = random(size, &mut source);
            for (row, &first) in metric.order.iter().enumerate() {
                for (column, &second) in metric.order.iter().enumerate().take(row + 1) {
                    let product = dot(
                        &metric.factor[row * size..][..=column],
                        &metric.factor[column * size..][..=column],
                    );
                    assert!((product - metric.row(first)[second]).abs() < 1e-9 * metric.row(first)[first]);
                }
            }
        }
    }

    #[test]
    fn a_solution_has_the_product() {
        let mut source = fastrand::Rng::with_seed(2);
        for size in 1..20 {
            let metric = random(size, &mut source);
            let weights: Vec<f64> = (0..size).map(|_| source.f64() - 0.5).collect();
            let found = metric.solve(&metric.product(&weights));
            assert!(weights.iter().zip(&found).all(|(a, b)| (a - b).abs() < 1e-8), "{weights:?} {found:?}");
        }
    }

    #[test]
    fn choices_that_are_the_best_values_leave_no_error_to_the_others() {
        let mut source = fastrand::Rng::with_seed(3);
        let metric = random(6, &mut source);
        let target: Vec<f64> = (0..6).map(|_| source.f64()).collect();
        let first = metric.order[5];
        let mut chosen = [0.0; 6];
        metric.in_turn(&target, |tap, best| {
            chosen[tap] = if tap == first { best + 0.5 } else { best };
            chosen[tap]
        });
        let error: Vec<f64> = target.iter().zip(chosen).map(|(target, chosen)| target - chosen).collect();
        let product = metric.product(&error);
        assert!((0..6).all(|tap| tap == first || product[tap].abs() < 1e-9), "{product:?}");
        assert!(product[first].abs() > 1e-3);
    }

    #[test]
    fn inputs_that_are_always_zero_count_alike() {
        let metric = Metric::new(vec![0.0; 4], 2);
        assert_eq!((metric.row(0), metric.row(1)), (&[1.0, 0.0][..], &[0.0, 1.0][..]));
    }
}
