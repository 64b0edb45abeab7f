//! Files that are refused, each with the reason and what to do.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::files::{refusal, small};

/// An archive as `torch.save` writes it.
pub(crate) fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    packed(entries, zip::CompressionMethod::Stored)
}

/// An archive of entries packed in a given way.
pub(crate) fn packed(entries: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in entries {
        writer.start_file(format!("archive/{name}"), options).expect("a valid name");
        writer.write_all(bytes).expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}

/// A pickle of a dictionary with one tensor `w` of float32 in a storage `0` of `count` elements.
pub(crate) fn tensor(count: i32, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let mut pickle =
        b"\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
            .to_vec();
    pickle.extend(b"X\x01\0\0\x000X\x03\0\0\0cpu");
    integer(&mut pickle, count);
    pickle.extend(b"tQ");
    integer(&mut pickle, offset);
    for list in [shape, strides] {
        pickle.push(b'(');
        list.iter().for_each(|&value| integer(&mut pickle, value));
        pickle.push(b't');
    }
    pickle.extend(b"\x89NtRs.");
    pickle
}

fn integer(pickle: &mut Vec<u8>, value: i32) {
    pickle.push(b'J');
    pickle.extend(value.to_le_bytes());
}

#[test]
fn a_view_within_its_storage_is_read() {
    let storage: Vec<u8> = (0u8..6).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    let bytes = archive(&[("data.pkl", &tensor(6, 1, &[2, 2], &[1, 2])), ("data/0", &storage)]);
    let weights = crate::files::weights(&bytes);
    assert_eq!(weights.get("w").map(|weight| weight.values.clone()), Some(vec![1.0, 3.0, 2.0, 4.0]));
}

#[test]
fn views_beyond_their_storage_are_refused() {
    for (offset, shape, strides) in [
        (0, &[7][..], &[1][..]),
        (6, &[1], &[1]),
        (0, &[2, 2], &[1, 5]),
        (0, &[2, 2], &[i32::MAX, i32::MAX]),
        (i32::MAX, &[2], &[1]),
    ] {
        let bytes = archive(&[("data.pkl", &tensor(6, offset, shape, strides)), ("data/0", &[0; 24])]);
        let errors = refusal(&bytes);
        assert!(
            errors.contains("tensor 0 'w': its elements reach beyond its storage of 24 bytes"),
            "{errors}"
        );
    }
}

#[test]
fn absurd_shapes_are_refused() {
    for (shape, strides, reason) in [
        (&[-1][..], &[1][..], "described wrongly"),
        (&[2], &[-1], "described wrongly"),
        (&[2, 2], &[1], "described wrongly"),
        (&[0], &[1], "each 1 or more"),
        (&[i32::MAX, i32::MAX], &[1, 1], "each 1 or more"),
        (&[1; 9], &[1; 9], "more than 8 dimensions"),
        // As an expanded tensor would have it, so that the storage is large enough.
        (&[1 << 20], &[0], "take much more than the file's"),
        (&[1 << 15, 1 << 15], &[0, 0], "take much more than the file's"),
    ] {
        let errors = refusal(&archive(&[("data.pkl", &tensor(6, 0, shape, strides)), ("data/0", &[0; 24])]));
        assert!(errors.contains(reason), "{shape:?}: {errors}");
    }
}

#[test]
fn archives_that_lack_parts_are_refused() {
    let pickle = tensor(6, 0, &[6], &[1]);
    for (entries, reason) in [
        (&[("data.pkl", &*pickle)][..], "no entry 'data/0'"),
        (&[("data/0", &[0; 24][..])], "torch.save has not written"),
        (&[("data.pkl", &pickle[..40]), ("data/0", &[0; 24])], "the file is cut"),
        (&[("data.pkl", &pickle), ("data/0", &[0; 24]), ("byteorder", b"big")], "big-endian"),
        (&[("data.pkl", &pickle), ("data/0", &[0; 23])], "its storage of 23 bytes"),
    ] {
        let errors = refusal(&archive(entries));
        assert!(errors.contains(reason), "{errors}");
    }
}

#[test]
fn files_of_something_else_say_what_they_are() {
    for (file, reason) in [
        ("module.pt", "object of class torch.nn.modules.container.Sequential"),
        (
            "torchscript.pt",
            "a TorchScript program: save the model's weights alone, torch.save(model.state_dict()",
        ),
        ("sparse.pt", "tensor 0 'a': sparse: save it dense"),
        ("quantized.pt", "'a': quantized: save the float model"),
        ("complex.pt", "'a': of a type that is not supported"),
        ("two_networks.pt", "several dictionaries of tensors ('generator', 'critic')"),
        ("no_tensors.pt", "holds no tensors"),
        ("empty.pt", "tensor 0 'a': shape [0,3]"),
    ] {
        let errors = refusal(&small(file));
        assert!(errors.contains(reason), "{file}: {errors}");
    }
    for (bytes, reason) in [
        (&b"\x89HDF\r\n\x1a\n"[..], "an HDF5 file"),
        (b"\x1c\0\0\0TFL3", "a TensorFlow Lite model"),
        (b"GGUF", "a GGUF file"),
        (b"\x80\x04N.", "a pickle that torch.save has not written"),
        (b"", "an unknown kind"),
    ] {
        let errors = refusal(bytes);
        assert!(errors.contains(reason), "{errors}");
    }
}

#[test]
fn damaged_headers_of_safetensors_are_refused() {
    let file = |header: &str, elements: usize| {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + elements, 0);
        bytes
    };
    let tensor = |dtype, shape, offsets| {
        format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    assert_eq!(crate::files::weights(&file(&tensor("F32", "[2]", "[0,8]"), 8)).len(), 1);
    for (header, elements, reason) in [
        (tensor("F32", "[2]", "[0,8]"), 7, "the file is cut"),
        (tensor("F32", "[3]", "[0,8]"), 8, "the header is damaged"),
        (tensor("F32", "[2]", "[8,0]"), 8, "the header is damaged"),
        (tensor("F32", "[2]", "[4,12]"), 12, "the header is damaged"),
        (tensor("F32", "[0]", "[0,0]"), 0, "each 1 or more"),
        (tensor("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, "at most 8 dimensions"),
        (tensor("C64", "[1]", "[0,8]"), 8, "elements of type C64"),
        (tensor("F32", "[4611686018427387904,4]", "[0,8]"), 8, "the header is damaged"),
        ("{\"w\":1}".into(), 0, "the header is damaged"),
        ("{}".into(), 0, "no tensors"),
    ] {
        let errors = refusal(&file(&header, elements));
        assert!(errors.contains(reason), "{header}: {errors}");
    }
}
