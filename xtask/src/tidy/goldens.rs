//! Golden data explains itself.
//!
//! Every folder below `tests/golden` that holds data lies in or below one with a `README.md` that says what made the
//! data, and gives the commands that make it again as a block of code.

use std::path::{Path, PathBuf};

use super::{Finding, Tree};

const FOLDER: &str = "tests/golden";

/// Extensions of files that a tool has written.
const DATA: &[&str] = &["bin", "h5", "json", "npy", "npz", "onnx", "pt", "sct", "tflite"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut explained: Vec<PathBuf> = Vec::new();
    for (path, text) in
        tree.texts().filter(|(path, _)| path.starts_with(FOLDER) && path.ends_with("README.md"))
    {
        if has_commands(text) {
            explained.extend(path.parent().map(Path::to_path_buf));
        } else {
            findings.push(Finding::in_file(path, "gives no command that makes the data again"));
        }
    }
    let mut reported: Vec<&Path> = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(FOLDER)) {
        let extension = file.path.extension().and_then(|extension| extension.to_str());
        let is_data = extension.is_some_and(|extension| DATA.contains(&extension));
        let Some(folder) = file.path.parent().filter(|folder| is_data && !reported.contains(folder)) else {
            continue;
        };
        if !explained.iter().any(|explained| folder.starts_with(explained)) {
            findings.push(Finding::in_file(folder, "golden data without a README.md of origin and commands"));
            reported.push(folder);
        }
    }
    findings
}

/// Whether the text has a block of code, indented or fenced.
fn has_commands(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("    ") || line.starts_with("```"))
}

#[cfg(test)]
mod tests {
    use super::super::tree_of;
    use super::*;

    #[test]
    fn data_without_origin_or_commands_is_found() {
        let tree = tree_of(&[
            ("tests/golden/good/README.md", "Made by a tool:\n\n    python make.py\n"),
            ("tests/golden/good/deep/input.bin", ""),
            ("tests/golden/half/README.md", "Made by a tool.\n"),
            ("tests/golden/half/input.bin", ""),
            ("tests/golden/half/output.bin", ""),
            ("tests/golden/orphan/input.bin", ""),
            ("tests/golden/orphan/make.py", ""),
            ("elsewhere/input.bin", ""),
        ]);
        let places: Vec<String> = check(&tree).into_iter().map(|finding| finding.place).collect();
        assert_eq!(places, ["tests/golden/half/README.md", "tests/golden/half", "tests/golden/orphan"]);
    }
}
