use std::fs;
use std::io::Write as _;

use super::*;

const IMAGES: [u8; 20] = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4];
const LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 0];

fn expected() -> Dataset {
    let samples = Array { shape: vec![2, 1, 2], elements: Elements::U8(vec![1, 2, 3, 4]) };
    Dataset { samples, labels: vec![7, 0], classes: Vec::new() }
}

#[test]
fn idx_pairs_are_read_from_a_directory_or_by_path() {
    let directory = tempfile::tempdir().unwrap();
    let (images, labels) =
        (directory.path().join("t10k-images-idx3-ubyte"), directory.path().join("t10k-labels-idx1-ubyte"));
    fs::write(&images, IMAGES).unwrap();
    assert!(matches!(read(directory.path(), None), Err(DatasetError::NoPair { .. })));
    fs::write(&labels, LABELS).unwrap();
    assert_eq!(read(directory.path(), None).unwrap(), expected());
    assert_eq!(read(&images, Some(&labels)).unwrap(), expected());
}

#[test]
fn described_directories_know_their_classes() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(directory.path().join(name), bytes).unwrap();
    let info = r#"{"classes": ["a", "b"], "files": {
        "images.bin": {"dtype": "uint8", "shape": [2, 1, 2]}, "labels.bin": {"dtype": "uint8", "shape": [2]}}}"#;
    write("info.json", info.as_bytes());
    write("images.bin", &[1, 2, 3, 4]);
    write("labels.bin", &[7, 0]);
    let classes = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(read(directory.path(), None).unwrap(), Dataset { classes, ..expected() });
    write("images.bin", &[1, 2, 3]);
    assert!(matches!(read(directory.path(), None), Err(DatasetError::Length { .. })));
    write("info.json", b"{}");
    assert!(matches!(read(directory.path(), None), Err(DatasetError::Info { .. })));
}

#[test]
fn archives_need_a_pair_with_equally_many_labels() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("set.npz");
    let write = |names: [&str; 2], labels: &[i32]| {
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        let samples = npy::write(&[2, 1, 2], &[1u8, 2, 3, 4]).unwrap();
        let labels = npy::write(&[labels.len()], labels).unwrap();
        for (name, bytes) in names.into_iter().zip([samples, labels]) {
            archive.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(&bytes).unwrap();
        }
        archive.finish().unwrap();
    };
    write(["x", "y"], &[7, 0]);
    assert_eq!(read(&path, None).unwrap(), expected());
    assert_eq!(read(&path, None).unwrap().first(1).labels, [7]);
    write(["x", "z"], &[7, 0]);
    assert!(matches!(read(&path, None), Err(DatasetError::NoPair { .. })));
    write(["x", "y"], &[7]);
    assert!(matches!(read(&path, None), Err(DatasetError::Count { samples: 2, labels: 1, .. })));
    write(["x", "y"], &[7, -1]);
    assert!(matches!(read(&path, None), Err(DatasetError::Labels { .. })));
}
