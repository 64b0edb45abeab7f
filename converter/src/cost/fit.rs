//! Least squares with coefficients that are not negative.

/// Passes over all coefficients; far more than any fit here needs.
const PASSES: usize = 20_000;

/// A step of this relative size changes nothing any more.
const SMALL: f64 = 1e-10;

/// Coefficients `x >= 0` of the columns that make `sum((rows . x - targets)^2)` smallest, found column by column.
///
/// Every row has the same number of columns, and there is a target for each row.
pub fn non_negative(rows: &[Vec<f64>], targets: &[f64]) -> Vec<f64> {
    let columns = rows.first().map_or(0, Vec::len);
    let norms: Vec<f64> = (0..columns).map(|c| rows.iter().map(|row| row[c] * row[c]).sum()).collect();
    let mut coefficients = vec![0.0; columns];
    // Targets less what the coefficients give so far.
    let mut residuals = targets.to_vec();
    for _ in 0..PASSES {
        let mut largest_step = 0.0f64;
        for (column, norm) in norms.iter().enumerate().filter(|(_, norm)| **norm > 0.0) {
            let slope: f64 = rows.iter().zip(&residuals).map(|(row, residual)| row[column] * residual).sum();
            let before: f64 = coefficients[column];
            let after = (before + slope / norm).max(0.0);
            if after == before {
                continue;
            }
            coefficients[column] = after;
            for (row, residual) in rows.iter().zip(&mut residuals) {
                *residual -= (after - before) * row[column];
            }
            largest_step = largest_step.max((after - before).abs() / after.max(before));
        }
        if largest_step < SMALL {
            break;
        }
    }
    coefficients
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_sums_are_found_and_negative_coefficients_are_not() {
        let rows: Vec<Vec<f64>> = (1..20).map(|i| vec![1.0, f64::from(i), f64::from(i * i % 7)]).collect();
        let targets: Vec<f64> = rows.iter().map(|row| 5.0 + 3.0 * row[1]).collect();
        let found = non_negative(&rows, &targets);
        for (found, expected) in found.iter().zip([5.0, 3.0, 0.0]) {
            assert!((found - expected).abs() < 1e-3, "{found}");
        }
        let falling: Vec<f64> = rows.iter().map(|row| 100.0 - row[1]).collect();
        assert!(non_negative(&rows, &falling).iter().all(|&coefficient| coefficient >= 0.0));
    }

    #[test]
    fn nothing_fits_nothing() {
        assert!(non_negative(&[], &[]).is_empty());
    }
}
