//! Golden vectors: models with inputs, outputs and, for whole models, what every operator wrote.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// A model with the outputs that it must give.
#[derive(Clone, Debug)]
pub struct Golden {
    /// Name for messages.
    pub name: String,
    /// Path of the `.tflite` file.
    pub model: PathBuf,
    /// Vectors of inputs, one after another.
    pub inputs: Vec<u8>,
    /// The vectors' outputs, one after another.
    pub outputs: Vec<u8>,
    /// How many vectors.
    pub count: usize,
    /// What operators wrote, for some vectors.
    pub intermediates: Vec<Intermediate>,
}

/// What one operator wrote for one vector.
#[derive(Clone, Debug)]
pub struct Intermediate {
    /// Which vector.
    pub vector: usize,
    /// The operator, as TensorFlow Lite calls it.
    pub operator: String,
    /// The tensor's name.
    pub tensor: String,
    /// The tensor's bytes.
    pub bytes: Vec<u8>,
}

/// The cases in `tests/golden/operators`, made by its `generate.py`.
///
/// # Errors
/// If a file is missing or does not have the form that the index says.
pub fn operators(folder: &Path) -> Result<Vec<Golden>> {
    #[derive(Deserialize)]
    struct Index {
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        name: String,
        vectors: usize,
        outputs_offset: usize,
    }
    let index: Index = json(&folder.join("index.json"))?;
    ensure!(!index.cases.is_empty(), "no cases in {}", folder.display());
    let case = |case: Case| {
        let data = read(&folder.join(format!("{}.bin", case.name)))?;
        let (inputs, outputs) = data.split_at_checked(case.outputs_offset).context("outputs_offset")?;
        Ok(Golden {
            model: folder.join(format!("{}.tflite", case.name)),
            inputs: inputs.to_vec(),
            outputs: outputs.to_vec(),
            count: case.vectors,
            name: case.name,
            intermediates: Vec::new(),
        })
    };
    index.cases.into_iter().map(case).collect()
}

/// A whole model in the shared data, by name.
///
/// # Errors
/// If a file is missing or does not have the form that the index says.
pub fn model(data: &Path, name: &str) -> Result<Golden> {
    #[derive(Deserialize)]
    struct Index {
        model: String,
        count: usize,
        #[serde(default)]
        intermediates: Vec<Vector>,
    }
    #[derive(Deserialize)]
    struct Vector {
        vector: usize,
        file: String,
        tensors: Vec<Tensor>,
    }
    #[derive(Deserialize)]
    struct Tensor {
        op_type: String,
        name: String,
        offset: usize,
        bytes: usize,
    }
    let folder = data.join("golden").join(name);
    let index: Index = json(&folder.join("index.json"))?;
    let mut intermediates = Vec::new();
    for vector in index.intermediates {
        let data = read(&folder.join(&vector.file))?;
        for tensor in vector.tensors {
            let bytes = data.get(tensor.offset..tensor.offset + tensor.bytes).context("offset")?;
            intermediates.push(Intermediate {
                vector: vector.vector,
                operator: tensor.op_type,
                tensor: tensor.name,
                bytes: bytes.to_vec(),
            });
        }
    }
    Ok(Golden {
        name: name.to_owned(),
        model: data.join("models").join(index.model),
        inputs: read(&folder.join("inputs.bin"))?,
        outputs: read(&folder.join("outputs.bin"))?,
        count: index.count,
        intermediates,
    })
}

/// The project's own example model with its golden vectors.
///
/// # Errors
/// If a file is missing.
pub fn example(folder: &Path) -> Result<Golden> {
    #[derive(Deserialize)]
    struct Index {
        count: usize,
    }
    let index: Index = json(&folder.join("int8_golden.json"))?;
    Ok(Golden {
        name: "fashion_dscnn_int8".to_owned(),
        model: folder.join("fashion_dscnn_int8.tflite"),
        inputs: read(&folder.join("int8_inputs.bin"))?,
        outputs: read(&folder.join("int8_outputs.bin"))?,
        count: index.count,
        intermediates: Vec::new(),
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn json<T: for<'d> Deserialize<'d>>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read(path)?).with_context(|| path.display().to_string())
}
