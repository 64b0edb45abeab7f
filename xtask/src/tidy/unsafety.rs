//! Unsafe code has an address.
//!
//! The workspace denies `unsafe_code`; a file that allows it again has to be in this list.

use std::path::Path;

use super::{Finding, Tree};

/// Files, or folders of files, that may hold unsafe code.
const ALLOWED: &[&str] = &[
    // Assembly.
    "runtime/src/isa/dsp",
    "runtime/src/isa/mve",
    // Calls of the matrix-multiply crate, which takes pointers.
    "converter/src/float/matmul.rs",
    // Exception handlers.
    "boards/src/fault.rs",
    // Moves of registers to themselves.
    "boards/src/region.rs",
    // Linker symbols.
    "boards/src/flash.rs",
    "boards/src/stack.rs",
    // Registers.
    "boards/src/board",
];

/// The attribute, taken apart so that this file does not name it.
const LINT: (&str, &str) = ("unsafe", "_code)");

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let lint = [LINT.0, LINT.1].concat();
    let mut findings = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| !is_allowed(path)) {
        for (line, number) in text.lines().zip(1..) {
            let code = line.trim_start();
            if code.starts_with('#')
                && code.contains(&lint)
                && (code.contains("allow(") || code.contains("expect("))
            {
                findings.push(Finding::at(path, number, "unsafe code is not allowed in this file"));
            }
        }
    }
    findings
}

fn is_allowed(path: &Path) -> bool {
    ALLOWED.iter().any(|allowed| path.starts_with(allowed))
}

#[cfg(test)]
mod tests {
    use super::super::tree_of;
    use super::*;

    #[test]
    fn only_the_listed_files_may_allow_unsafe_code() {
        let allow = format!("#![allow({}{}\n", LINT.0, LINT.1);
        let tree = tree_of(&[("runtime/src/isa/dsp/dot.rs", &allow), ("runtime/src/engine.rs", &allow)]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["runtime/src/engine.rs:1"]);
    }
}
