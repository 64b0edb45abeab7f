//! The rules of the source tree that no compiler checks.
//!
//! A rule is one file with one function `check`, listed in `RULES`.

mod boards;
mod goldens;
mod layers;
mod length;
mod paths;
mod unsafety;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A rule looks at the whole tree and returns what it finds.
type Rule = fn(&Tree) -> Vec<Finding>;

/// Every rule.
const RULES: &[Rule] =
    &[length::check, layers::check, unsafety::check, paths::check, goldens::check, boards::check];

/// Something that a rule objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File and line, or the file alone.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Whether it is an advice only.
    pub is_warning: bool,
}

impl Finding {
    fn at(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { place: format!("{}:{line}", file.display()), message: message.into(), is_warning: false }
    }

    fn in_file(file: &Path, message: impl Into<String>) -> Self {
        Self { place: file.display().to_string(), message: message.into(), is_warning: false }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_warning { "warning" } else { "error" };
        write!(formatter, "{kind}: {}: {}", self.place, self.message)
    }
}

/// The files of the workspace, build results left out.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    files: Vec<File>,
}

/// One file.
#[derive(Debug, Clone)]
struct File {
    /// Relative to the workspace.
    path: PathBuf,
    /// None for a file that is no text.
    text: Option<String>,
}

impl Tree {
    /// Reads every file below the folder.
    ///
    /// # Errors
    /// When a file or a folder cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, Path::new(""))?;
        tree.files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, folder: &Path) -> Result<()> {
        let absolute = root.join(folder);
        let is_build_result = absolute.join("CACHEDIR.TAG").is_file();
        if is_build_result {
            return Ok(());
        }
        let context = || format!("cannot read {}", absolute.display());
        for entry in fs::read_dir(&absolute).with_context(context)? {
            let entry = entry.with_context(context)?;
            let path = folder.join(entry.file_name());
            // A folder, or in a linked work tree a file.
            if path == Path::new(".git") {
                continue;
            }
            let kind = entry.file_type().with_context(context)?;
            if kind.is_dir() {
                self.read_folder(root, &path)?;
            } else if kind.is_file() {
                let bytes =
                    fs::read(root.join(&path)).with_context(|| format!("cannot read {}", path.display()))?;
                let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                self.files.push(File { path, text });
            }
        }
        Ok(())
    }

    /// Every file that is text.
    fn texts(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.files.iter().filter_map(|file| Some((file.path.as_path(), file.text.as_deref()?)))
    }

    /// Every Rust file.
    fn sources(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.texts().filter(|(path, _)| path.extension().is_some_and(|extension| extension == "rs"))
    }
}

/// Applies every rule to the tree.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    RULES.iter().flat_map(|rule| rule(tree)).collect()
}

/// The lines of a source before its test module, numbered from one.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .zip(1..)
        .map(|(line, number)| (number, line))
}

/// A tree of the given files, for the rules' tests.
#[cfg(test)]
fn tree_of(files: &[(&str, &str)]) -> Tree {
    let files =
        files.iter().map(|(path, text)| File { path: path.into(), text: Some((*text).to_owned()) }).collect();
    Tree { files }
}
