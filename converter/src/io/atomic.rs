//! Writing: a file appears whole or not at all.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::FileError;

/// Writes `bytes` to a new file beside `path` and renames it to `path` when it is complete. An older file of that name
/// stays as it was until then.
///
/// What is neither a file nor absent, such as `/dev/null`, is written in place.
///
/// # Errors
/// If the system refuses, or `path` is a directory or inside of one that does not exist.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let refused = |source| FileError::Write { path: path.to_owned(), source };
    let parent = parent(path)?;
    // What a link points to is replaced, not the link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match fs::metadata(&target) {
        Ok(found) if found.is_dir() => return Err(FileError::Directory { path: path.to_owned() }),
        Ok(found) if !found.is_file() => return fs::write(path, bytes).map_err(refused),
        Ok(_) | Err(_) => {}
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".secateur-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file has; the system takes away what the user's mask forbids.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let beside = target.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(&parent);
    let mut file = builder.tempfile_in(beside).map_err(refused)?;
    file.write_all(bytes).map_err(refused)?;
    file.persist(&target).map(drop).map_err(|error| refused(error.error))
}

/// Makes a directory, if it is not there yet, in one that must be.
///
/// # Errors
/// If the system refuses, or the directory that should hold it does not exist.
pub fn make_directory(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    parent(path)?;
    match fs::create_dir(path) {
        Err(source) => Err(FileError::Write { path: path.to_owned(), source }),
        Ok(()) => Ok(()),
    }
}

/// The existing directory that holds `path`.
fn parent(path: &Path) -> Result<PathBuf, FileError> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    match fs::metadata(parent) {
        Ok(found) if found.is_dir() => Ok(parent.to_owned()),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(FileError::Write { path: path.to_owned(), source: error })
        }
        _ => Err(FileError::NoParent { path: path.to_owned(), parent: parent.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.sct");
        write(&path, b"first").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(directory.path()), ["a.sct"]);
    }

    #[test]
    fn directories_and_missing_parents_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(write(directory.path(), b""), Err(FileError::Directory { .. })));
        let deep = directory.path().join("none/a.sct");
        assert!(matches!(write(&deep, b""), Err(FileError::NoParent { .. })));
        assert!(matches!(make_directory(&deep), Err(FileError::NoParent { .. })));
        assert!(names(directory.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
