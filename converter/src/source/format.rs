//! Which kind of file a source model is.

use std::fmt;
use std::path::Path;

use crate::io::{idx, npy};
use crate::model_file::ModelFile;

/// The formats of source models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A FlatBuffer with the identifier `TFL3`.
    TfLite,
    /// A protocol buffer `ModelProto`.
    Onnx,
    /// A state dict: a zip archive, or a pickle of the older form.
    PyTorch,
    /// Named tensors.
    Safetensors,
}

/// What keeps a file from being read as a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A `.sct` file: no source model.
    Sct,
    /// A model of a kind that is not read.
    Unsupported {
        /// The kind.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// No model.
    NotAModel {
        /// What it seems to be.
        what: &'static str,
        /// What to do, with the separator before it; may be empty.
        hint: &'static str,
    },
}

/// First bytes of a pickle of protocol 2 or later.
const PICKLE: u8 = 0x80;

/// First byte of a `ModelProto` that begins with its version, as all known writers have it.
const ONNX_VERSION_FIELD: u8 = 0x08;

impl Format {
    /// The format of a file. The content decides where it can, then the name.
    ///
    /// # Errors
    /// What the file is instead.
    pub fn of(path: &Path, bytes: &[u8]) -> Result<Format, Foreign> {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        let extension = extension.to_str().unwrap_or_default();
        let not_a_model = |what, hint| Err(Foreign::NotAModel { what, hint });
        let exchanged = "; are two arguments exchanged?";
        if ModelFile::looks_like_sct(bytes) {
            return Err(Foreign::Sct);
        }
        if bytes.get(4..8) == Some(b"TFL3") {
            return Ok(Format::TfLite);
        }
        match extension {
            "tflite" => return Ok(Format::TfLite),
            "onnx" => return Ok(Format::Onnx),
            "pt" | "pth" | "ckpt" => return Ok(Format::PyTorch),
            "safetensors" => return Ok(Format::Safetensors),
            "h5" | "keras" => {
                return Err(Foreign::Unsupported {
                    kind: "Keras",
                    advice: "export it with tf.lite.TFLiteConverter.from_keras_model, or with tf2onnx",
                });
            }
            "pb" if !bytes.starts_with(&[ONNX_VERSION_FIELD]) => {
                return Err(Foreign::Unsupported {
                    kind: "TensorFlow graph",
                    advice: "export it with tf.lite.TFLiteConverter, or with tf2onnx",
                });
            }
            "sct" => {
                return not_a_model("the first bytes are not those of a .sct file, so this is", "");
            }
            _ => {}
        }
        if bytes.starts_with(npy::MAGIC) {
            return not_a_model("a NumPy array", exchanged);
        }
        if bytes.starts_with(idx::GZIP_MAGIC) {
            return not_a_model("compressed with gzip", "; decompress it first");
        }
        match bytes {
            _ if bytes.starts_with(npy::ARCHIVE_MAGIC) && extension == "npz" => {
                not_a_model("an archive of NumPy arrays", exchanged)
            }
            _ if bytes.starts_with(npy::ARCHIVE_MAGIC) && mentions(bytes, b"data.pkl") => Ok(Format::PyTorch),
            _ if bytes.starts_with(npy::ARCHIVE_MAGIC) => not_a_model("a zip archive", exchanged),
            [PICKLE, 2..=5, ..] => Ok(Format::PyTorch),
            [_, _, _, _, _, _, 0, 0, b'{', ..] => Ok(Format::Safetensors),
            [ONNX_VERSION_FIELD, 1..=32, ..] => Ok(Format::Onnx),
            _ => not_a_model("of an unknown kind", exchanged),
        }
    }
}

/// Whether the name of a file occurs near the beginning or the end of an archive.
fn mentions(bytes: &[u8], name: &[u8]) -> bool {
    const NEAR: usize = 1 << 16;
    let ends = [&bytes[..bytes.len().min(NEAR)], &bytes[bytes.len().saturating_sub(NEAR)..]];
    ends.iter().any(|part| part.windows(name.len()).any(|window| window == name))
}

/// `ONNX`
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::TfLite => "TensorFlow Lite",
            Format::Onnx => "ONNX",
            Format::PyTorch => "PyTorch",
            Format::Safetensors => "safetensors",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8]) -> Result<Format, Foreign> {
        Format::of(Path::new(name), bytes)
    }

    #[test]
    fn the_content_decides_then_the_name() {
        assert_eq!(of("x.onnx", b"\x1c\0\0\0TFL3"), Ok(Format::TfLite));
        assert_eq!(of("x.tflite", b"hello"), Ok(Format::TfLite));
        assert_eq!(of("x", b"\x08\x08\x12\x07pytorch"), Ok(Format::Onnx));
        assert_eq!(of("x", b"\x80\x02\x8a\x0a"), Ok(Format::PyTorch));
        assert_eq!(of("x", b"PK\x03\x04....model/data.pkl"), Ok(Format::PyTorch));
        assert_eq!(of("x", b"\x40\0\0\0\0\0\0\0{\"w\":"), Ok(Format::Safetensors));
    }

    #[test]
    fn other_files_are_told_apart() {
        assert_eq!(of("x.sct", &[&secateur::format::MAGIC[..], &[0; 100]].concat()), Err(Foreign::Sct));
        let what = |name, bytes: &[u8]| match of(name, bytes) {
            Err(Foreign::NotAModel { what, .. } | Foreign::Unsupported { kind: what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(what("x.npy", b"\x93NUMPY\x01\x00"), "a NumPy array");
        assert_eq!(what("x.npz", b"PK\x03\x04"), "an archive of NumPy arrays");
        assert_eq!(what("x.zip", b"PK\x03\x04"), "a zip archive");
        assert_eq!(what("x.keras", b"PK\x03\x04"), "Keras");
        assert_eq!(what("x.pb", b"\x0a\x04"), "TensorFlow graph");
        assert_eq!(what("x.txt", b"hello"), "of an unknown kind");
    }
}
