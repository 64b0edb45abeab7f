//! Samples without labels, from whatever holds some: what calibration takes.

use std::path::Path;

use super::dataset::{self, DatasetError, IDX_TRAINING_FIRST, PAIRS};
use super::input::{self, Input};

/// Reads samples from anything that [`input::read`] takes, and from data sets, whose labels are left aside. Of a
/// directory with a training and a test set in IDX files, the training set is taken.
///
/// # Errors
/// If the path is nothing of the kind.
pub fn read(path: &Path) -> Result<Input, DatasetError> {
    if path.join("info.json").is_file() {
        return Ok(Input::Array(dataset::read(path, None)?.samples));
    }
    if path.is_dir() {
        if let Some(samples) = dataset::find_idx(path, IDX_TRAINING_FIRST) {
            return Ok(input::read(&samples)?);
        }
        // Folders per class, else samples in the folder itself.
        return match dataset::read(path, None) {
            Ok(dataset) => Ok(Input::Array(dataset.samples)),
            Err(DatasetError::NoPair { .. }) => Ok(input::read(path)?),
            Err(error) => Err(error),
        };
    }
    Ok(match input::read(path)? {
        Input::Named(mut arrays) if arrays.len() > 1 => {
            let position = |name: &str| arrays.iter().position(|(found, _)| found == name);
            let pair = PAIRS.iter().find_map(|&(samples, labels)| position(labels).and(position(samples)));
            match pair {
                Some(samples) => Input::Array(arrays.swap_remove(samples).1),
                None => Input::Named(arrays),
            }
        }
        input => input,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Array, Elements, npy};
    use super::*;

    #[test]
    fn data_sets_give_their_samples() {
        let directory = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = directory.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let array = Array { shape: vec![2, 1], elements: Elements::U8(vec![1, 2]) };
        let write = |folder: &Path, name: &str, value: u8| {
            fs::write(folder.join(name), npy::write(&[1], &[value]).unwrap()).unwrap();
        };
        let flat = folder("flat");
        write(&flat, "a.npy", 1);
        write(&flat, "b.npy", 2);
        assert_eq!(read(&flat).unwrap(), Input::Array(array.clone()));
        write(&folder("classes/cat"), "a.npy", 1);
        write(&folder("classes/dog"), "a.npy", 2);
        assert_eq!(read(&directory.path().join("classes")).unwrap(), Input::Array(array.clone()));
        let dataset = dataset::read(&directory.path().join("classes"), None).unwrap();
        assert_eq!((dataset.labels, dataset.classes), (vec![0, 1], vec!["cat".to_owned(), "dog".to_owned()]));
        let idx = folder("idx");
        fs::write(idx.join("t10k-images-idx3-ubyte"), [0, 0, 8, 1, 0, 0, 0, 1, 9]).unwrap();
        fs::write(idx.join("train-images-idx3-ubyte"), [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2]).unwrap();
        assert_eq!(read(&idx).unwrap(), Input::Array(array));
    }
}
