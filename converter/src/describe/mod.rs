//! What a `.sct` model consists of, for reports.

pub(crate) mod constants;
mod plan;

pub use plan::drawing;
use secateur::Model;
use secateur::format::Node;
use serde::Serialize;

use crate::facts::Facts;
use crate::port::{self, Port};

/// A model, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Description {
    /// Name of the model.
    pub name: String,
    /// Version of the format, `major.minor`.
    pub format_version: String,
    /// Program that wrote the file.
    pub converter: String,
    /// File name of the source model; null if unknown.
    pub source: Option<String>,
    /// CRC-32 of the source model's file; null if unknown.
    pub source_crc32: Option<u32>,
    /// Names of the classes.
    pub labels: Vec<String>,
    /// What the caller fills.
    pub inputs: Vec<Port>,
    /// What the caller reads.
    pub outputs: Vec<Port>,
    /// The operators in the order of execution.
    pub operators: Vec<Operator>,
    /// Sums over the operators, and sizes.
    pub totals: Totals,
    /// Working memory.
    pub arena: Arena,
}

/// One operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Operator {
    /// Position in the order of execution.
    pub index: u16,
    /// What it computes.
    pub kind: &'static str,
    /// Name in the source model.
    pub name: String,
    /// What it reads, weights left out.
    pub inputs: Vec<Port>,
    /// What it writes.
    pub outputs: Vec<Port>,
    /// Its weights; null for an operator without.
    pub weights: Option<Weights>,
    /// Bytes of constants beside the weights: biases, multipliers, tables, constant operands.
    pub other_constant_bytes: usize,
    /// Inner-loop steps of one inference: multiply-accumulates, comparisons or elements moved.
    pub work: u64,
    /// Multiply-accumulates with weights of one inference, those that a packing adds left out; null for an operator
    /// without weights.
    pub macs: Option<u64>,
    /// Bytes of scratch memory while it runs.
    pub scratch_bytes: u32,
    /// CRC-32 of its output for the reference input; null if the file does not tell.
    pub reference_hash: Option<u32>,
}

/// Weights of one operator.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weights {
    /// Number format: `int8`, `int4` or `1 bit`.
    pub format: &'static str,
    /// How they are stored: `plain`, `lanes`, `nibblelanes` and so on.
    pub packing: String,
    /// Number of weights.
    pub count: usize,
    /// Number of weights that are 0.
    pub zeros: usize,
    /// Bytes in the file.
    pub bytes: usize,
}

/// Sums and sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// Number of operators.
    pub operators: usize,
    /// Bytes of all weights; weights that several operators share are counted once.
    pub weight_bytes: usize,
    /// Bytes of all constants, weights among them.
    pub constant_bytes: usize,
    /// Bytes of the whole file.
    pub file_bytes: usize,
    /// Inner-loop steps of one inference.
    pub work: u64,
    /// Multiply-accumulates with weights, those that a packing adds left out.
    pub macs: u64,
}

/// Working memory of one inference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arena {
    /// Its size in bytes.
    pub bytes: usize,
    /// The most bytes alive at once: no plan for this order of operators can be smaller. Null if unknown.
    pub lower_bound: Option<u32>,
    /// How much larger the arena is than the bound, in percent of it; null if unknown.
    pub excess_percent: Option<f64>,
}

impl Arena {
    /// `bytes` with what the metadata says of the bound.
    pub fn new(bytes: usize, lower_bound: Option<u32>) -> Self {
        let excess = |bound: u32| (bytes as f64 / f64::from(bound) - 1.0) * 100.0;
        Self { bytes, lower_bound, excess_percent: lower_bound.filter(|&bound| bound > 0).map(excess) }
    }
}

impl Description {
    /// Takes a model apart.
    pub fn of(model: &Model<'_>) -> Self {
        let tables = model.tables();
        let header = tables.header();
        let facts = Facts::of(tables);
        let nodes: Vec<Node<'_>> = tables.nodes().collect();
        let operators: Vec<Operator> =
            (0u16..).zip(&nodes).map(|(index, node)| operator(model, &facts, index, node)).collect();
        let totals = Totals {
            operators: operators.len(),
            weight_bytes: constants::weight_bytes(&nodes),
            constant_bytes: tables.constants().len(),
            file_bytes: header.total_len as usize,
            work: model.work(),
            macs: operators.iter().filter_map(|operator| operator.macs).sum(),
        };
        Self {
            name: facts.model.clone(),
            format_version: format!("{}.{}", header.major, header.minor),
            converter: facts.converter.clone(),
            source: facts.source.as_ref().map(|(name, _)| name.clone()),
            source_crc32: facts.source.as_ref().map(|&(_, crc)| crc),
            labels: facts.labels.clone(),
            inputs: port::inputs(model, &facts),
            outputs: port::outputs(model, &facts),
            operators,
            totals,
            arena: Arena::new(model.arena_len(), facts.arena_lower_bound),
        }
    }

    /// How many operators there are of each kind, the most frequent first.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = Vec::new();
        for operator in &self.operators {
            match kinds.iter_mut().find(|known| known.kind == operator.kind) {
                Some(known) => known.count += 1,
                None => kinds.push(Kind { kind: operator.kind, count: 1 }),
            }
        }
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        kinds
    }
}

/// A kind of operator and how often it occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// What the operators compute.
    pub kind: &'static str,
    /// How many there are.
    pub count: usize,
}

fn operator(model: &Model<'_>, facts: &Facts, index: u16, node: &Node<'_>) -> Operator {
    let stored = constants::stored(node);
    let check = model.kernels().find(node).map(|operator| operator.check);
    Operator {
        index,
        kind: node.op().map_or("unknown", |op| op.name()),
        name: facts.node(index),
        inputs: port::ports(model, facts, node.inputs()),
        outputs: port::ports(model, facts, node.outputs()),
        weights: stored.map(|stored| Weights {
            format: constants::format(node.packing()),
            packing: node.packing().map_or("unknown", |packing| packing.name()).to_ascii_lowercase(),
            count: stored.count,
            zeros: constants::zeros(node, &stored),
            bytes: stored.bytes,
        }),
        other_constant_bytes: constants::other_bytes(node),
        // A loaded model's nodes pass their checks.
        work: check.and_then(|check| check(node).ok()).unwrap_or(0),
        macs: stored.map(|stored| constants::macs(node, &stored)),
        scratch_bytes: node.record().scratch_len,
        reference_hash: facts.reference_hashes.get(&index).copied(),
    }
}
