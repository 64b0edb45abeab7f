//! What the metadata of a model says, sorted by what it is about.

use std::collections::BTreeMap;

use secateur::format::Tables;
use secateur::format::metadata::{self, Entry};

/// The metadata of one model. Names of tensors and nodes that it does not tell are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Name of the model.
    pub model: String,
    /// Program that wrote the file.
    pub converter: String,
    /// File name and CRC-32 of the source model.
    pub source: Option<(String, u32)>,
    /// Names by tensor.
    pub tensors: Vec<String>,
    /// Names by node.
    pub nodes: Vec<String>,
    /// Names of the classes.
    pub labels: Vec<String>,
    /// Seed of the reference input.
    pub reference_seed: Option<u32>,
    /// Hash of a node's output for the reference input, by node.
    pub reference_hashes: BTreeMap<u16, u32>,
    /// The largest set of bytes live at once.
    pub arena_lower_bound: Option<u32>,
    /// Whether channels were evened out between layers before they were quantized.
    pub equalized: bool,
}

impl Facts {
    /// Collects the metadata of a checked file.
    pub fn of(tables: &Tables<'_>) -> Self {
        let mut facts = Self {
            tensors: vec![String::new(); tables.tensors().len()],
            nodes: vec![String::new(); usize::from(tables.node_count())],
            ..Self::default()
        };
        let mut labels = BTreeMap::new();
        for entry in metadata::entries(tables.metadata()) {
            match entry {
                Entry::Name(name) => facts.model = name.to_owned(),
                Entry::Converter(name) => facts.converter = name.to_owned(),
                Entry::Source(name, crc) => facts.source = Some((name.to_owned(), crc)),
                Entry::TensorName(index, name) => set(&mut facts.tensors, index, name),
                Entry::NodeName(index, name) => set(&mut facts.nodes, index, name),
                Entry::Label(index, name) => {
                    labels.insert(index, name.to_owned());
                }
                Entry::ReferenceSeed(seed) => facts.reference_seed = Some(seed),
                Entry::ReferenceHash(node, hash) => {
                    facts.reference_hashes.insert(node, hash);
                }
                Entry::ArenaLowerBound(bytes) => facts.arena_lower_bound = Some(bytes),
                Entry::Equalized => facts.equalized = true,
                _ => {}
            }
        }
        facts.labels = labels.into_values().collect();
        facts
    }

    /// Name of a tensor, or `tensor 7` if it has none.
    pub fn tensor(&self, index: u16) -> String {
        named(&self.tensors, index, "tensor")
    }

    /// Name of a node, or `node 7` if it has none.
    pub fn node(&self, index: u16) -> String {
        named(&self.nodes, index, "node")
    }
}

fn set(names: &mut [String], index: u16, name: &str) {
    if let Some(slot) = names.get_mut(usize::from(index)) {
        name.clone_into(slot);
    }
}

fn named(names: &[String], index: u16, kind: &str) -> String {
    match names.get(usize::from(index)) {
        Some(name) if !name.is_empty() => name.clone(),
        _ => format!("{kind} {index}"),
    }
}
