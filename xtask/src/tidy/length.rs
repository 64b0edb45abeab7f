//! Files are small: 500 lines of code at most, 800 with tests.

use super::{Finding, Tree, code_lines};

/// Lines of a file, tests included, that are refused.
const REFUSED: usize = 800;
/// Lines of code, tests apart, that call for a split.
const ADVISED: usize = 500;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let lines = text.lines().count();
        let code = if path.ends_with("tests.rs") { 0 } else { code_lines(text).count() };
        if lines > REFUSED {
            findings.push(Finding::in_file(path, format!("{lines} lines; split at {REFUSED}")));
        } else if code > ADVISED {
            let message = format!("{code} lines without tests; split at {ADVISED}");
            findings.push(Finding { is_warning: true, ..Finding::in_file(path, message) });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::tree_of;
    use super::*;

    #[test]
    fn long_code_is_advised_against_and_long_files_refused() {
        let with_tests = format!("{}#[cfg(test)]\n{}", "\n".repeat(400), "\n".repeat(300));
        let tree = tree_of(&[
            ("short.rs", &"\n".repeat(500)),
            ("tested.rs", &with_tests),
            ("code.rs", &"\n".repeat(501)),
            ("monster.rs", &"\n".repeat(801)),
            ("long.txt", &"\n".repeat(801)),
        ]);
        let found: Vec<(String, bool)> =
            check(&tree).into_iter().map(|finding| (finding.place, finding.is_warning)).collect();
        assert_eq!(found, [("code.rs".to_owned(), true), ("monster.rs".to_owned(), false)]);
    }
}
