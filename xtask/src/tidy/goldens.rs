//! Golden data explains itself.
//!
//! Every folder below `tests/golden` that holds data lies in or below one with a `case.toml` that says where the data
//! comes from (`origin`) and how to make it again (`regenerate`).

use std::path::{Path, PathBuf};

use super::{Finding, Tree};

const FOLDER: &str = "tests/golden";

/// Extensions of files that a tool has written.
const DATA: &[&str] = &["bin", "h5", "json", "npy", "npz", "onnx", "pt", "sct", "tflite"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut explained: Vec<PathBuf> = Vec::new();
    for (path, text) in
        tree.texts().filter(|(path, _)| path.starts_with(FOLDER) && path.ends_with("case.toml"))
    {
        let missing: Vec<&str> =
            ["origin", "regenerate"].into_iter().filter(|key| !has_key(text, key)).collect();
        if missing.is_empty() {
            explained.extend(path.parent().map(Path::to_path_buf));
        } else {
            findings.push(Finding::in_file(path, format!("lacks {}", missing.join(" and "))));
        }
    }
    for file in tree.files.iter().filter(|file| file.path.starts_with(FOLDER)) {
        let is_data =
            file.path.extension().and_then(|extension| extension.to_str()).is_some_and(|e| DATA.contains(&e));
        if is_data && !explained.iter().any(|folder| file.path.starts_with(folder)) {
            findings.push(Finding::in_file(&file.path, "golden data without a complete case.toml"));
        }
    }
    findings
}

/// Whether the file gives the key a value. The rule needs no more of TOML.
fn has_key(text: &str, key: &str) -> bool {
    text.lines().any(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('=')))
}

#[cfg(test)]
mod tests {
    use super::super::tree_of;
    use super::*;

    #[test]
    fn data_without_origin_or_command_is_found() {
        let complete = "origin = \"a tool, version 1\"\nregenerate = \"python make.py\"\n";
        let tree = tree_of(&[
            ("tests/golden/good/case.toml", complete),
            ("tests/golden/good/deep/input.bin", ""),
            ("tests/golden/half/case.toml", "origin = \"a tool\"\n"),
            ("tests/golden/half/input.bin", ""),
            ("tests/golden/orphan/input.bin", ""),
            ("tests/golden/orphan/make.py", ""),
            ("elsewhere/input.bin", ""),
        ]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(
            places,
            ["tests/golden/half/case.toml", "tests/golden/half/input.bin", "tests/golden/orphan/input.bin"]
        );
    }
}
