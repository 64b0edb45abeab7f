//! The outer form of a description.

use serde::Deserialize;
use toml::{Table, Value};

use super::fault::ArchitectureFault;

/// A network as the text gives it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// The model's name.
    #[serde(default)]
    pub name: String,
    /// Shape of one input, without the batch.
    pub input: Vec<usize>,
    /// Type of the input's elements.
    #[serde(default)]
    pub input_type: InputType,
    /// The layers in the order they run.
    #[serde(default)]
    layer: Vec<Entry>,
    /// Names of the layers whose results are wanted; the last layer where absent.
    #[serde(default)]
    pub output: Option<OneOrMany>,
    /// Weights, or modules, that no layer uses and that shall not be reported.
    #[serde(default)]
    pub unused: Vec<String>,
}

/// Type of the input's elements.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum InputType {
    /// Real numbers.
    #[default]
    Float32,
    /// Indices, for an embedding.
    Int32,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        }
    }
}

/// A layer: its kind alone, or a table.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Kind(String),
    Table(Table),
}

impl Description {
    /// Longest text, in bytes.
    const LONGEST: usize = 1 << 20;
    /// Most layers.
    const MOST_LAYERS: usize = 10_000;

    pub(super) fn parse(text: &str) -> Result<Self, ArchitectureFault> {
        if text.len() > Self::LONGEST {
            let what = format!("{} bytes of description", text.len());
            return Err(ArchitectureFault::TooLong { what, most: Self::LONGEST });
        }
        let description: Description =
            toml::from_str(text).map_err(|error| ArchitectureFault::Toml { what: error.to_string() })?;
        match description.layer.len() {
            0 => Err(ArchitectureFault::NoLayers),
            count if count > Self::MOST_LAYERS => {
                Err(ArchitectureFault::TooLong { what: format!("{count} layers"), most: Self::MOST_LAYERS })
            }
            _ => Ok(description),
        }
    }

    /// The layers, each a table with its kind.
    pub(super) fn take_layers(&mut self) -> Vec<Table> {
        let entries = std::mem::take(&mut self.layer).into_iter();
        let table = |entry| match entry {
            Entry::Kind(kind) => Table::from_iter([("kind".to_owned(), Value::String(kind))]),
            Entry::Table(table) => table,
        };
        entries.map(table).collect()
    }
}
