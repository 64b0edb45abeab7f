//! Writes the golden models into the corpora of the targets.

use std::fs;
use std::io::Read;
use std::path::Path;

use secateur::format::Tables;
use secateur_tests::subjects::SUBJECTS;
use secateur_tests::{golden, workspace};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    // Longer ones make little of a fuzzer's time.
    let short = |bytes: &[u8]| bytes.len() < 8 << 10;
    for subject in SUBJECTS.iter().filter(|subject| short(subject.file.bytes())) {
        write("load_model", &subject.name, subject.file.bytes())?;
        write("metadata", &subject.name, Tables::read(subject.file.bytes())?.metadata())?;
    }
    for case in golden::operators(&workspace().join("tests/golden/operators"))? {
        let bytes = fs::read(&case.model)?;
        for target in ["import_tflite", "convert_tflite"] {
            write(target, &case.name, &bytes)?;
        }
    }
    for entry in fs::read_dir(workspace().join("converter/tests/torch/data"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pt" || extension == "safetensors") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            write("read_state_dict", &name, &fs::read(&path)?)?;
        }
    }
    for entry in fs::read_dir(workspace().join("tests/golden/onnx_operators"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "zip") {
            let mut archive = zip::ZipArchive::new(fs::File::open(&path)?)?;
            for index in 0..archive.len() {
                let mut file = archive.by_index(index)?;
                let name = file.name()?.into_owned();
                if let Some(case) = name.strip_suffix("/model.onnx") {
                    let mut bytes = Vec::new();
                    file.read_to_end(&mut bytes)?;
                    write("convert_onnx", case, &bytes)?;
                }
            }
        }
    }
    Ok(())
}
