//! Data that stands in a file beside the model.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use rten_onnx::onnx::StringStringEntryProto;

use super::OnnxFault;

/// The bytes of a tensor that stand in another file, which must lie in the model's folder, links followed.
///
/// # Errors
/// If the folder is not known, the path leads out of it, or the file does not hold the bytes.
pub(super) fn read(
    entries: &[StringStringEntryProto],
    expected: usize,
    folder: Option<&Path>,
) -> Result<Vec<u8>, OnnxFault> {
    let entry = |key: &str| {
        let found = entries.iter().find(|entry| entry.key.as_deref() == Some(key));
        found.and_then(|entry| entry.value.as_deref())
    };
    let location = entry("location").unwrap_or_default();
    let fault =
        |what: &str| OnnxFault::External { location: super::shortened(location), what: what.to_string() };
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| fault("whose offset or length is no number")),
    };
    let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
    if length.is_some_and(|length| length != expected as u64) {
        return Err(fault("whose stated length does not fit the tensor's shape"));
    }
    let folder = folder.ok_or_else(|| {
        fault(
            "which is not read here: store the weights in the model (onnx.save, save_as_external_data=False)",
        )
    })?;
    let path = Path::new(location);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if location.is_empty() || !inside {
        return Err(fault("which is outside the model's folder: move it beside the model"));
    }
    let open = || -> std::io::Result<_> {
        let (folder, path) = (folder.canonicalize()?, folder.join(path).canonicalize()?);
        let inside = path.starts_with(&folder);
        let regular = path.metadata()?.is_file();
        Ok((path, inside, regular))
    };
    let (path, inside, regular) =
        open().map_err(|error| fault(&format!("which cannot be opened: {error}")))?;
    if !inside {
        return Err(fault("which is a link that leads outside the model's folder"));
    }
    if !regular {
        return Err(fault("which is not a file"));
    }
    let load = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&path)?;
        let available = file.metadata()?.len().saturating_sub(offset);
        if available < expected as u64 {
            return Err(std::io::Error::other(format!(
                "it has {available} bytes from byte {offset} on, and the tensor takes {expected}"
            )));
        }
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = vec![0; expected];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    load().map_err(|error| fault(&format!("which cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(list: &[(&str, &str)]) -> Vec<StringStringEntryProto> {
        let text = |text: &str| Some(text.to_string());
        list.iter()
            .map(|(key, value)| StringStringEntryProto { key: text(key), value: text(value) })
            .collect()
    }

    #[test]
    fn only_files_in_the_folder_are_read() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("model");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("weights.bin"), [1, 2, 3, 4]).unwrap();
        std::fs::write(root.path().join("secret"), [5, 6]).unwrap();
        let take = |list: &[(&str, &str)], length| read(&entries(list), length, Some(&folder));
        let inside = [("location", "weights.bin"), ("offset", "1"), ("length", "2")];
        assert_eq!(take(&inside, 2), Ok(vec![2, 3]));
        assert!(read(&entries(&inside), 2, None).unwrap_err().to_string().contains("not read here"));
        let refused = |list: &[(&str, &str)]| take(list, 2).unwrap_err().to_string();
        assert!(refused(&[("location", "../secret")]).contains("outside the model's folder"));
        assert!(refused(&[("location", "../model/weights.bin")]).contains("outside the model's folder"));
        let absolute = root.path().join("secret");
        assert!(refused(&[("location", absolute.to_str().unwrap())]).contains("outside the model's folder"));
        assert!(refused(&[]).contains("outside the model's folder"));
        assert!(refused(&[("location", ".")]).contains("not a file"));
        assert!(refused(&[("location", "absent")]).contains("cannot be opened"));
        assert!(refused(&[("location", "weights.bin"), ("offset", "3")]).contains("1 bytes from byte 3 on"));
        assert!(refused(&[("location", "weights.bin"), ("offset", "-1")]).contains("no number"));
        assert!(refused(&[("location", "weights.bin"), ("length", "3")]).contains("stated length"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&absolute, folder.join("link")).unwrap();
            assert!(refused(&[("location", "link")]).contains("a link that leads outside"));
        }
    }
}
