//! Where test data lies: some in the project, more beside it, which need not be there.

use std::path::{Path, PathBuf};

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the workspace")
}

/// A file or folder of the data beside the project; `None`, with a note, if there is none on this machine.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("SECATEUR_DATA").map_or_else(|| workspace().join("../shared/data"), PathBuf::from);
    let path = root.join(path);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The bytes of a file that must be readable.
pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The real numbers in a file that must be readable.
pub(crate) fn floats(path: impl AsRef<Path>) -> Vec<f32> {
    decode(&read(path))
}

/// Real numbers from their bytes.
pub(crate) fn decode(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// A file or folder of the project's own test data.
pub(crate) fn project(path: &str) -> PathBuf {
    workspace().join("tests").join(path)
}
