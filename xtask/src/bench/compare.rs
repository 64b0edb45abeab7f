//! What rose and what fell since the baseline.

use std::fmt;

use super::Table;

/// A rise by more than this share is a failure.
pub const LIMIT: f64 = 0.01;

/// A quantity that is not what it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Name of the model.
    pub model: String,
    /// The core.
    pub core: String,
    /// Which quantity.
    pub quantity: &'static str,
    /// In the baseline.
    pub before: u64,
    /// Now.
    pub now: u64,
}

impl Change {
    /// By which share of its former value it rose.
    #[must_use]
    pub fn rise(&self) -> f64 {
        let before = self.before.max(1) as f64;
        (self.now as f64 - before) / before
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, core, quantity, before, now } = self;
        let percent = 100.0 * self.rise();
        write!(f, "{model:<24} {core:<11} {quantity:<12} {before:>11} {now:>11} {percent:>+8.2} %")
    }
}

/// Two tables beside each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// What rose by more than [`LIMIT`].
    pub risen: Vec<Change>,
    /// What fell by more than [`LIMIT`].
    pub fallen: Vec<Change>,
    /// Models and cores that the baseline does not have.
    pub new: Vec<String>,
    /// How many quantities were compared.
    pub compared: usize,
}

/// Compares what both tables have.
#[must_use]
pub fn compare(baseline: &Table, now: &Table) -> Comparison {
    let mut comparison = Comparison::default();
    for (model, cores) in &now.0 {
        for (core, figures) in cores {
            let Some(before) = baseline.0.get(model).and_then(|cores| cores.get(core)) else {
                comparison.new.push(format!("{model} on {core}"));
                continue;
            };
            let former = before.quantities();
            for (quantity, now) in figures.quantities() {
                let Some(&(_, before)) = former.iter().find(|(name, _)| *name == quantity) else { continue };
                let change = Change { model: model.clone(), core: core.clone(), quantity, before, now };
                comparison.compared += 1;
                if change.rise() > LIMIT {
                    comparison.risen.push(change);
                } else if change.rise() < -LIMIT {
                    comparison.fallen.push(change);
                }
            }
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::super::{ByCore, figures};
    use super::*;

    fn table(cycles: u64) -> Table {
        let cores: ByCore = [("cortex-m4".to_owned(), figures(cycles))].into();
        Table([("kws".to_owned(), cores)].into())
    }

    #[test]
    fn a_rise_above_one_percent_is_told_from_a_smaller_one_and_from_a_fall() {
        assert!(compare(&table(1000), &table(1010)).risen.is_empty());
        let risen = compare(&table(1000), &table(1011)).risen;
        assert_eq!(risen.len(), 1);
        let text = risen[0].to_string();
        assert!(text.contains("cycles") && text.contains("+1.10 %"), "{text}");
        let fallen = compare(&table(1000), &table(900));
        assert_eq!((fallen.risen.len(), fallen.fallen.len(), fallen.compared), (0, 1, 5));
    }

    #[test]
    fn what_the_baseline_does_not_have_is_new_and_what_was_not_measured_is_left_out() {
        let new = compare(&Table::default(), &table(1000));
        assert_eq!((new.new, new.compared), (vec!["kws on cortex-m4".to_owned()], 0));
        assert_eq!(compare(&table(1000), &Table::default()), Comparison::default());
    }
}
