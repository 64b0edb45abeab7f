//! The runtime's modules use only those below them.

use std::path::Path;

use super::{Finding, Tree, code_lines};

/// Each module of the runtime with those that it may use.
const ALLOWED: &[(&str, &[&str])] = &[
    ("format", &[]),
    ("quant", &[]),
    ("packing", &["quant"]),
    ("isa", &["packing", "quant"]),
    ("kernels", &["format", "isa", "packing", "quant"]),
    ("model", &["format", "kernels"]),
    ("session", &["format", "isa", "kernels", "model", "quant"]),
    ("self_check", &["format", "isa", "kernels", "model", "quant", "session"]),
    ("image", &["format"]),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.sources() {
        let Some(module) = runtime_module(path) else { continue };
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            let message = format!("no layer for the module `{module}`; name it in xtask/src/tidy/layers.rs");
            findings.push(Finding::in_file(path, message));
            continue;
        };
        for (number, line) in code_lines(text).filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for used in used_modules(line) {
                if used != module && !allowed.contains(&used) {
                    let message = format!("`{module}` may not use `crate::{used}`, which is not below it");
                    findings.push(Finding::at(path, number, message));
                }
            }
        }
    }
    findings
}

/// The top module that a file of the runtime belongs to. The crate's root and test files see everything.
fn runtime_module(path: &Path) -> Option<&str> {
    let inner = path.strip_prefix("runtime/src").ok()?;
    if inner == Path::new("lib.rs") || inner.ends_with("tests.rs") {
        return None;
    }
    let first = inner.components().next()?.as_os_str().to_str()?;
    Some(first.strip_suffix(".rs").unwrap_or(first))
}

/// What follows each `crate::` of a line; macros that name their own crate (`$crate::`) are left out.
fn used_modules(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").filter(|(start, _)| !line[..*start].ends_with(['$', '_'])).filter_map(
        |(start, matched)| {
            let rest = &line[start + matched.len()..];
            let end =
                rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
            // A name of the crate's root, such as a macro or an error, begins no module path.
            rest[end..].starts_with("::").then_some(&rest[..end])
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::tree_of;
    use super::*;

    fn places(files: &[(&str, &str)]) -> Vec<String> {
        check(&tree_of(files)).into_iter().map(|finding| finding.place).collect()
    }

    #[test]
    fn upward_uses_are_found_and_downward_ones_are_not() {
        let found = places(&[
            ("runtime/src/format/node.rs", "use crate::session::Session;\n"),
            ("runtime/src/session.rs", "use crate::model::Model;\nlet x = crate::format::Header::LEN;\n"),
            ("runtime/src/isa/scalar.rs", "// crate::engine::x\nlet x = crate::kernels::pad::Pad;\n"),
            ("runtime/src/lib.rs", "use crate::session::Session;\n"),
            ("converter/src/lib.rs", "use crate::session::Session;\n"),
        ]);
        assert_eq!(found, ["runtime/src/format/node.rs:1", "runtime/src/isa/scalar.rs:2"]);
    }

    #[test]
    fn tests_may_use_everything_and_new_modules_must_be_named() {
        assert!(
            places(&[("runtime/src/quant.rs", "#[cfg(test)]\nmod tests { use crate::session::Session; }")])
                .is_empty()
        );
        assert_eq!(places(&[("runtime/src/novelty.rs", "")]), ["runtime/src/novelty.rs"]);
    }
}
