//! No file names a place of somebody's machine.

use super::{Finding, Tree};

/// Top folders whose contents differ from machine to machine.
const TOP_FOLDERS: &[&str] = &["home", "root", "Users", "work", "workspace"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (line, number) in text.lines().zip(1..) {
            if let Some(folder) = TOP_FOLDERS.iter().find(|folder| names_absolute(line, folder)) {
                let message = format!("an absolute path below /{folder}; paths start at the workspace");
                findings.push(Finding::at(path, number, message));
            }
        }
    }
    findings
}

/// Whether the line has `/folder/` where nothing of a longer path stands before it.
fn names_absolute(line: &str, folder: &str) -> bool {
    let inside = |before: &str| {
        before.ends_with(|letter: char| letter.is_alphanumeric() || "._-/}>~)".contains(letter))
    };
    let needle = format!("/{folder}/");
    line.match_indices(&needle).any(|(start, _)| !inside(&line[..start]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_paths_are_told_from_relative_ones_and_addresses() {
        assert!(names_absolute("open(\"/place/me/model\")", "place"));
        assert!(names_absolute("/place/me", "place"));
        assert!(!names_absolute("see ../place/me and https://example.org/place/me", "place"));
        assert!(!names_absolute("/places/me", "place"));
    }
}
