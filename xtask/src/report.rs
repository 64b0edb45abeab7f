//! The summary of a test run: what passed, what failed, what was skipped and why.

use std::fmt;

use crate::libtest::Suite;

/// The outcome of one check or test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not tried, for this reason.
    Skipped(String),
}

/// All outcomes so far, in the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Report {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    group: String,
    name: String,
    verdict: Verdict,
}

impl Report {
    /// Adds one outcome. Outcomes of one group are counted together where they passed.
    pub fn add(&mut self, group: &str, name: &str, verdict: Verdict) {
        self.entries.push(Entry { group: group.to_owned(), name: name.to_owned(), verdict });
    }

    /// Adds the tests of test binaries; `skipped` names those that only seem to have passed.
    pub fn add_suites(&mut self, suites: &[Suite], skipped: &[(String, String)]) {
        for suite in suites {
            for test in &suite.passed {
                let reason = skipped
                    .iter()
                    .find(|(name, _)| is_same_test(test, name))
                    .map(|(_, reason)| reason.clone());
                self.add(&suite.name, test, reason.map_or(Verdict::Passed, Verdict::Skipped));
            }
            for test in &suite.failed {
                self.add(&suite.name, test, Verdict::Failed);
            }
            for test in &suite.ignored {
                self.add(&suite.name, test, Verdict::Skipped("ignored in the source".to_owned()));
            }
            if !suite.complete {
                self.add(&suite.name, "came to no end", Verdict::Failed);
            }
        }
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.count(|verdict| *verdict == Verdict::Failed) == 0
    }

    fn count(&self, of: impl Fn(&Verdict) -> bool) -> usize {
        self.entries.iter().filter(|entry| of(&entry.verdict)).count()
    }

    /// Every group that has passed entries, with their number, in order of appearance.
    fn passed_groups(&self) -> Vec<(&str, usize)> {
        let mut groups: Vec<(&str, usize)> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.verdict == Verdict::Passed) {
            match groups.iter_mut().find(|(group, _)| *group == entry.group) {
                Some((_, count)) => *count += 1,
                None => groups.push((&entry.group, 1)),
            }
        }
        groups
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "passed:")?;
        for (group, count) in self.passed_groups() {
            writeln!(formatter, "  {count:>5}  {group}")?;
        }
        let is_skipped = |verdict: &Verdict| matches!(verdict, Verdict::Skipped(_));
        if self.count(is_skipped) > 0 {
            writeln!(formatter, "skipped:")?;
        }
        for Entry { group, name, verdict } in &self.entries {
            if let Verdict::Skipped(reason) = verdict {
                writeln!(formatter, "  {group}: {name}: {reason}")?;
            }
        }
        if !self.is_success() {
            writeln!(formatter, "failed:")?;
        }
        for Entry { group, name, verdict } in &self.entries {
            if *verdict == Verdict::Failed {
                writeln!(formatter, "  {group}: {name}")?;
            }
        }
        let passed = self.count(|verdict| *verdict == Verdict::Passed);
        let failed = self.count(|verdict| *verdict == Verdict::Failed);
        let skipped = self.count(is_skipped);
        write!(formatter, "\n{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Whether the name, with or without its modules, is that of the test.
fn is_same_test(test: &str, name: &str) -> bool {
    test.strip_suffix(name).is_some_and(|modules| modules.is_empty() || modules.ends_with("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_lists_all_three_and_ends_with_the_counts() {
        let suite = Suite {
            name: "tests (host/main.rs)".to_owned(),
            passed: vec!["models::golden".to_owned(), "plain".to_owned(), "other".to_owned()],
            failed: vec!["broken".to_owned()],
            ignored: Vec::new(),
            complete: true,
        };
        let mut report = Report::default();
        report.add("checks", "formatting", Verdict::Passed);
        report.add_suites(&[suite], &[("golden".to_owned(), "no data here".to_owned())]);
        let text = report.to_string();
        assert!(text.contains("      2  tests (host/main.rs)\n"), "{text}");
        assert!(text.contains("  tests (host/main.rs): models::golden: no data here\n"), "{text}");
        assert!(text.contains("  tests (host/main.rs): broken\n"), "{text}");
        assert_eq!(text.lines().last(), Some("3 passed, 1 failed, 1 skipped"));
        assert!(!report.is_success());
    }

    #[test]
    fn a_binary_that_was_killed_is_a_failure() {
        let mut report = Report::default();
        report.add_suites(&[Suite { name: "host".to_owned(), ..Suite::default() }], &[]);
        assert!(!report.is_success());
    }
}
